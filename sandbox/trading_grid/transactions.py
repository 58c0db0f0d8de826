"""Transaction references: the business documents a thread is about, each known by its fingerprint."""

from __future__ import annotations

from sandbox.trading_grid.gateway import Answer, Call
from sandbox.trading_grid.objects import Json, Thread
from sandbox.trading_grid.state import Grid
from sandbox.trading_grid.tenant import Tenant
from sandbox.trading_grid.visibility import thread_for


def fingerprint(entry: Json) -> str:
    """standard|document_type|sender|receiver|interchange|group|message, upper-cased."""
    parts = (
        entry["standard"],
        entry["document_type"],
        entry.get("sender", {}).get("value", ""),
        entry.get("receiver", {}).get("value", ""),
        entry.get("interchange_control_number", ""),
        entry.get("group_control_number", ""),
        entry.get("message_control_number", ""),
    )
    return "|".join(parts).upper()


def _identity(entry: Json) -> tuple[str, str]:
    """The fingerprint; without any control number the business references decide, since it would name the type only."""
    numbered = any(entry.get(f"{part}_control_number") for part in ("interchange", "group", "message"))
    named = sorted(f"{known['type']}={known['value'].upper()}" for known in entry["references"])
    return fingerprint(entry), "" if numbered else "|".join(named)


def attach(grid: Grid, tenant: Tenant, thread: Thread, entry: Json) -> tuple[Json, bool]:
    """Put a reference on the thread; gives the stored one and whether it is new."""
    wanted = _identity(entry)
    for known in thread.transactions.values():
        if _identity(known) == wanted:
            return known, False
    stored = {**entry, "id": grid.next_id("txr"), "fingerprint": fingerprint(entry)}
    thread.transactions[stored["id"]] = stored
    for named in entry["references"]:
        tenant.threads_by_reference.setdefault((named["type"], named["value"].upper()), []).append(thread.id)
    return stored, True


def reference_added(call: Call) -> Answer:
    """Operation addTransactionReference: the same fingerprint again gives the stored one back."""
    thread = thread_for(call.tenant, call.who, call.path["threadId"])
    stored, new = attach(call.grid, call.tenant, thread, call.body)
    location = {"Location": f"{call.request.url.path}/{stored['id']}"}
    if not new:
        return Answer(201, stored, location | {"Idempotent-Replayed": "true"})
    thread.touch(call.grid.now(), partner=thread.open_to_partner)
    call.grid.record("transaction_reference_added", thread, call.who.by, reference=stored)
    call.grid.publish(
        call.tenant, "thread.transaction_reference_added", thread, call.who.actor, partner=thread.open_to_partner,
        thread_id=thread.id, changed=["transaction_references"], data={"reference_id": stored["id"]},
    )  # fmt: skip
    return Answer(201, stored, location)

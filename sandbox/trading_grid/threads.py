"""Threads: opening, listing, changing, binding to a ticket or issue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.trading_grid import references, rules, sla
from sandbox.trading_grid.gateway import Answer, Call
from sandbox.trading_grid.objects import Json, Thread
from sandbox.trading_grid.paging import page
from sandbox.trading_grid.participants import join
from sandbox.trading_grid.principals import Principal
from sandbox.trading_grid.problems import Problem
from sandbox.trading_grid.state import Grid
from sandbox.trading_grid.tenant import Tenant
from sandbox.trading_grid.transactions import attach
from sandbox.trading_grid.views import stamp, thread_view
from sandbox.trading_grid.visibility import sees, thread_for
from sandbox.trading_grid.vocabulary import FINISHED, MILESTONES
from sandbox.trading_grid.writing import add_post

_HUB_MEMBERS = ("external_references", "severity", "assignee")


def list_threads(call: Call) -> Answer:
    """Operation listThreads."""
    who, tenant = call.who, call.tenant
    found = [
        thread for thread in _candidates(tenant, who, call.query)
        if sees(tenant, who, thread) and _matches(who, thread, call.query)
    ]  # fmt: skip
    if who.is_partner:
        for thread in found:
            thread.partner_has_read = True
    return page(call, found, lambda entry: thread_view(who, tenant, entry), sortby=call.query["sortby"])


def _candidates(tenant: Tenant, who: Principal, query: Any) -> Iterable[Thread]:
    """Narrow by an index where one helps."""
    if query["external_id"] is not None or query["external_system"] is not None:
        if who.is_partner:
            return []  # external references do not exist for a partner (rule I5)
        keys = references.held_by(tenant, "thread", query["external_system"], query["external_id"])
        return [tenant.threads[key] for key in keys]
    if query["reference_value"] is not None and query["reference_type"] is not None:
        keys = set(tenant.threads_by_reference.get((query["reference_type"], query["reference_value"].upper()), ()))
        return [tenant.threads[key] for key in keys]
    return tenant.threads.values()


def _matches(who: Principal, thread: Thread, query: Any) -> bool:
    changed = thread.partner_update_time if who.is_partner else thread.update_time
    return (
        query["partner_id"] in (None, thread.partner_id)
        and query["type"] in (None, thread.written["type"])
        and (not query["state"] or thread.state in query["state"])
        and (query["updated-after"] is None or changed > query["updated-after"])
        and (
            query["unresolved-since"] is None
            or (thread.state not in FINISHED and thread.create_time < query["unresolved-since"])
        )
        and _names(thread, query["reference_type"], query["reference_value"])
    )


def _names(thread: Thread, kind: str | None, value: str | None) -> bool:
    """Whether one of its business references has this type and this value."""
    if kind is None and value is None:
        return True
    return any(
        kind in (None, entry["type"]) and (value is None or value.upper() == entry["value"].upper())
        for known in thread.transactions.values() for entry in known["references"]
    )  # fmt: skip


def get_thread(call: Call) -> Answer:
    """Operation getThread."""
    thread = thread_for(call.tenant, call.who, call.path["threadId"])
    return call.found(thread, thread_view(call.who, call.tenant, thread))


def thread_created(call: Call) -> Answer:
    """Operation createThread."""
    thread = create_thread(call.grid, call.tenant, call.who, call.body)
    return call.created(thread, thread_view(call.who, call.tenant, thread))


def create_thread(grid: Grid, tenant: Tenant, who: Principal, body: Json) -> Thread:
    """Open a thread; its description becomes the first post."""
    written = dict(body)
    partner_id = rules.require_partner(tenant, who, written.pop("partner_id"))
    visibility = written.pop("visibility", "partner" if who.is_partner else "internal")
    if who.is_partner:
        written = {name: value for name, value in written.items() if name not in _HUB_MEMBERS}
    if visibility == "internal" and not who.sees_internal:
        raise Problem("visibility_violation", "the caller may not write internal threads")
    _check_places(tenant, who, partner_id, written)
    rules.require_related(tenant, who, written.get("related_thread_ids", []), partner_id)
    groups = written.get("participant_group_ids", [])
    for place, key in enumerate(groups):
        rules.require_team(tenant, who, key, partner_id, f"/participant_group_ids/{place}")
    bound = written.pop("external_references", [])
    references.check_free(tenant, who, Thread, bound)
    thread = _new_thread(grid, who, partner_id, visibility, written)
    tenant.threads[thread.id] = thread
    references.bind(tenant, thread, bound)
    for entry in thread.written.pop("transaction_references", []):
        attach(grid, tenant, thread, entry)
    for key in groups:
        join(grid, tenant, thread, key)
    sla.watch(grid, tenant, thread)
    _tell_created(grid, tenant, who, thread)
    if written.get("description"):
        text = {"format": "plain", "text": written["description"]}
        origin = {"origin": written["origin"]} if "origin" in written else {}
        add_post(grid, tenant, thread, who.actor, who.by, "message", visibility, text, origin)
    return thread


def _new_thread(grid: Grid, who: Principal, partner_id: str, visibility: str, written: Json) -> Thread:
    written.setdefault("priority", "normal")
    written.setdefault("workspace_id", f"wsp_{partner_id.removeprefix('prt_')}")
    state = "new" if who.is_partner else "received"
    return Thread(
        **grid.common("thr", partner_id),
        written=written,
        visibility=visibility,
        state=state,
        milestone=MILESTONES[state],
        created_by=who.actor,
        partner_has_read=who.is_partner,
        sla=sla.start(written["type"], written["priority"], grid.now(), by_partner=who.is_partner),
    )


def _tell_created(grid: Grid, tenant: Tenant, who: Principal, thread: Thread) -> None:
    written = thread.written
    grid.record(
        "thread_created", thread, who.by,
        title=written["title"], description=written.get("description"), type=written["type"], state=thread.state,
        exception_type=written.get("exception_type"), visibility=thread.visibility, author=who.actor.id,
        author_type=who.actor.type, origin=written.get("origin"),
        external_references=written.get("external_references", []),
        related_thread_ids=written.get("related_thread_ids", []), create_time=stamp(thread.create_time),
    )  # fmt: skip
    grid.publish(tenant, "thread.created", thread, who.actor, partner=thread.open_to_partner, thread_id=thread.id,
                 origin=written.get("origin"), data={"type": written["type"], "state": thread.state})  # fmt: skip


def _check_places(tenant: Tenant, who: Principal, partner_id: str | None, written: Json) -> None:
    """The workspace and the onboarding case must be this partner's."""
    workspace_id, case_id = written.get("workspace_id"), written.get("onboarding_case_id")
    for pointer, wanted, place in (
        ("/workspace_id", workspace_id, tenant.workspaces.get(workspace_id or "")),
        ("/onboarding_case_id", case_id, tenant.cases.get(case_id or "")),
    ):
        if wanted is None:
            continue
        if place is None:
            rules.refuse_unknown(who, pointer, "no such object")
        if place.partner_id != partner_id:
            rules.refuse_cross_partner(who)


def thread_updated(call: Call) -> Answer:
    """Operation updateThread."""
    thread = thread_for(call.tenant, call.who, call.path["threadId"])
    call.require_match(thread)
    update_thread(call.grid, call.tenant, call.who, thread, call.body)
    return call.found(thread, thread_view(call.who, call.tenant, thread))


def update_thread(grid: Grid, tenant: Tenant, who: Principal, thread: Thread, patch: Json) -> None:
    """RFC 7396 merge patch; what only the hub may set is left out for a partner; no change, no event."""
    wanted = {name: value for name, value in patch.items() if not (who.is_partner and name in _HUB_MEMBERS)}
    origin = wanted.pop("origin", None)
    _check_places(tenant, who, thread.partner_id, wanted)
    rules.require_related(tenant, who, wanted.get("related_thread_ids") or [], thread.partner_id)
    if wanted.get("external_references"):
        references.check_free(tenant, who, Thread, wanted["external_references"], thread.id)
    _check_narrowing(thread, wanted.get("visibility", thread.visibility), who)
    was_open = thread.open_to_partner
    old_title = thread.written["title"]
    changed = [name for name, value in wanted.items() if _set(tenant, thread, name, value)]
    if not changed:
        return
    shown = [name for name in changed if name not in ("external_references", "assignee")]
    told = bool(shown) and was_open and thread.open_to_partner
    thread.touch(grid.now(), partner=told)
    title = {"old_title": old_title, "title": thread.written["title"]} if "title" in changed else {}
    values = {name: patch[name] for name in changed}
    grid.record("thread_updated", thread, who.by, fields=changed, values=values, origin=origin, **title)
    grid.publish(tenant, "thread.updated", thread, who.actor, partner=told, thread_id=thread.id, origin=origin,
                 changed=shown, hub_changed=[name for name in changed if name not in shown])  # fmt: skip


def _check_narrowing(thread: Thread, visibility: str, who: Principal) -> None:
    if visibility == thread.visibility:
        return
    if visibility == "partner":
        raise Problem("visibility_violation", "internal never becomes partner visible: post a new text instead")
    if who.is_partner or thread.partner_has_read:
        raise Problem("visibility_violation", "the partner has read the thread")


def _set(tenant: Tenant, thread: Thread, name: str, value: Any) -> bool:
    """Set one member; says whether that changed anything."""
    if name in ("visibility", "assignee"):
        before = getattr(thread, name)
        setattr(thread, name, value)
        return bool(before != value)
    if thread.written.get(name) == value or (name == "external_references" and not value and name not in
                                             thread.written):  # fmt: skip
        return False
    if name == "external_references":
        references.bind(tenant, thread, value or [])
    elif value is None:
        del thread.written[name]
    else:
        thread.written[name] = value
    return True


def external_reference_put(call: Call) -> Answer:
    """Operation putThreadExternalReference: adds or updates one binding, without If-Match."""
    thread = thread_for(call.tenant, call.who, call.path["threadId"])
    wanted = call.body
    references.check_free(call.tenant, call.who, Thread, [wanted], thread.id)
    key = references.key_of("thread", wanted)
    held = thread.written.get("external_references", [])
    if wanted not in held:
        kept = [entry for entry in held if references.key_of("thread", entry) != key]
        references.bind(call.tenant, thread, [*kept, wanted])
        if thread.sla.breached and wanted["system"] == "gemini":
            thread.sla.escalated = thread.sla.escalated or call.grid.now()
        thread.touch(call.grid.now(), partner=False)
        call.grid.record("reference_put", thread, call.who.by, reference=wanted)
        call.grid.publish(call.tenant, "thread.updated", thread, call.who.actor, partner=False, thread_id=thread.id,
                          hub_changed=["external_references"])  # fmt: skip
    return Answer(200, thread_view(call.who, call.tenant, thread))

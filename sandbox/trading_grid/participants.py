"""Who takes part in a thread: teams and people of its one partner, or of the hub."""

from __future__ import annotations

from sandbox.trading_grid import rules
from sandbox.trading_grid.gateway import Answer, Call
from sandbox.trading_grid.objects import Json, Thread
from sandbox.trading_grid.problems import Problem, invalid, missing
from sandbox.trading_grid.state import Grid
from sandbox.trading_grid.tenant import Tenant
from sandbox.trading_grid.views import stamp
from sandbox.trading_grid.visibility import thread_for


def participant_put(call: Call) -> Answer:
    """Operation putParticipant: a team of the partner or of the hub, one of their people."""
    thread = thread_for(call.tenant, call.who, call.path["threadId"])
    key, kind = call.path["participantId"], call.body["kind"]
    if key not in thread.participants:
        _check_participant(call, thread, key, kind)
        entry = join(call.grid, call.tenant, thread, key, kind)
        partner = kind.startswith("partner_") and thread.open_to_partner
        thread.touch(call.grid.now(), partner=partner)
        call.grid.record("participant_added", thread, call.who.by, participant=entry)
        call.grid.publish(call.tenant, "thread.participant_added", thread, call.who.actor, partner=partner,
                          thread_id=thread.id, changed=["participants"], data={"kind": kind})  # fmt: skip
    return Answer(200, thread.participants[key])


def _check_participant(call: Call, thread: Thread, key: str, kind: str) -> None:
    tenant = call.tenant
    if kind == "hub_user":
        if key not in tenant.hub_users:
            missing()
        return
    if kind == "partner_contact":
        owners = [partner.id for partner in tenant.partners.values()
                  if any(contact["id"] == key for contact in partner.written["contacts"])]  # fmt: skip
        if not owners:
            missing()
        if owners[0] != thread.partner_id:
            raise Problem("cross_partner_reference")
        return
    if key not in tenant.groups:
        missing()
    group = rules.require_team(tenant, call.who, key, thread.partner_id, "/kind")
    if (group.partner_id is None) != (kind == "hub_team"):
        invalid("/kind", "does not fit the group")


def join(grid: Grid, tenant: Tenant, thread: Thread, key: str, kind: str | None = None) -> Json:
    """Add a participant that was checked before."""
    group = tenant.groups.get(key)
    if group is not None:
        kind, name = kind or ("hub_team" if group.partner_id is None else "partner_team"), group.written["name"]
    else:
        contacts = {contact["id"]: contact["name"] for partner in tenant.partners.values()
                    for contact in partner.written["contacts"]}  # fmt: skip
        name = tenant.hub_users.get(key) or contacts[key]
    entry: Json = {"id": key, "kind": kind, "display_name": name, "added_time": stamp(grid.now())}
    thread.participants[key] = entry
    return entry

"""Approvals in the verbs of OpenText Workflow Service: claim, complete, cancel; decided once."""

from __future__ import annotations

from datetime import datetime

from sandbox.trading_grid import references
from sandbox.trading_grid.gateway import Answer, Call
from sandbox.trading_grid.objects import SYSTEM, Approval, Entity, Json, Thread
from sandbox.trading_grid.principals import Principal
from sandbox.trading_grid.problems import Problem, invalid
from sandbox.trading_grid.state import Grid
from sandbox.trading_grid.tenant import Tenant
from sandbox.trading_grid.views import actor_view, base, stamp_or_none
from sandbox.trading_grid.visibility import approval_for, document_reaches_partner, sees

_OPEN = ("pending", "claimed")
_HUB_PEOPLE = ("assignee", "approver_group")


def approval_view(who: Principal, tenant: Tenant, approval: Approval) -> Json:
    """Schema Approval; who decides on the hub's side is the hub's business."""
    view = base(who, approval) | {
        "partner_id": approval.partner_id,
        "visibility": approval.visibility,
        "state": approval.state,
        "assignee": approval.assignee,
        "due_time": stamp_or_none(approval.due_time),
        "overdue": approval.overdue,
        "decided_by": approval.decided_by and actor_view(who, tenant, approval.decided_by),
        "decided_time": stamp_or_none(approval.decided_time),
        "comment": approval.comment,
    }
    if who.is_partner and approval.written["approver_side"] == "hub":
        view = {name: value for name, value in view.items() if name not in (*_HUB_PEOPLE, "comment")}
    return view


def approval_created(call: Call) -> Answer:
    """Operation createApproval; the subject decides the partner."""
    grid, tenant, who = call.grid, call.tenant, call.who
    written = dict(call.body)
    subject = _subject(tenant, who, written["subject"])
    visibility = written.pop("visibility")
    if visibility == "partner" and not _open_to_partner(tenant, subject):
        raise Problem("visibility_violation", "the subject is internal")
    bound = written.pop("external_references", [])
    references.check_free(tenant, who, Approval, bound)
    due = written.pop("due_time", None)
    approval = Approval(
        **grid.common("apr", subject.partner_id), state="pending", visibility=visibility, written=written,
        due_time=None if due is None else datetime.fromisoformat(due),
    )  # fmt: skip
    tenant.approvals[approval.id] = approval
    references.bind(tenant, approval, bound)
    grid.record("approval_requested", approval, who.by, subject=written["subject"], title=written["title"],
                visibility=visibility, origin=written.get("origin"), external_references=bound)  # fmt: skip
    _tell(grid, tenant, who, approval, "requested", written.get("origin"))
    _watch(grid, tenant, approval)
    return call.created(approval, approval_view(who, tenant, approval))


def _subject(tenant: Tenant, who: Principal, named: Json) -> Entity:
    shelves: dict[str, dict[str, Entity]] = {
        "thread": {**tenant.threads},
        "document": {**tenant.documents},
        "onboarding_case": {**tenant.cases},
        "onboarding_requirement": {**tenant.requirements},
    }
    subject = shelves[named["type"]].get(named["id"])
    if subject is None or subject.partner_id is None or not sees(tenant, who, subject):
        invalid("/subject/id", "no such object")
    return subject


def _open_to_partner(tenant: Tenant, subject: Entity) -> bool:
    if isinstance(subject, Thread):
        return subject.open_to_partner
    document = tenant.documents.get(subject.id)
    assert subject.partner_id is not None
    return document is None or document_reaches_partner(tenant, document, subject.partner_id)


def _thread_of(approval: Approval) -> str | None:
    subject = approval.written["subject"]
    return subject["id"] if subject["type"] == "thread" else None


def _tell(
    grid: Grid, tenant: Tenant, who: Principal | None, approval: Approval, what: str, origin: Json | None = None
) -> None:
    actor = who.actor if who else SYSTEM
    grid.publish(
        tenant, f"approval.{what}", approval, actor, partner=approval.visibility == "partner",
        thread_id=_thread_of(approval), origin=origin, changed=["state"],
        data={"state": approval.state, "subject_type": approval.written["subject"]["type"],
              "subject_id": approval.written["subject"]["id"]},
    )  # fmt: skip


def _watch(grid: Grid, tenant: Tenant, approval: Approval) -> None:
    def look() -> None:
        if approval.state in _OPEN and not approval.overdue:
            approval.overdue = True
            approval.touch(grid.now(), partner=approval.visibility == "partner")
            grid.record("approval_overdue", approval, "system")
            _tell(grid, tenant, None, approval, "overdue")

    if approval.due_time is not None:
        grid.timers.at(approval.due_time, look)


def get_approval(call: Call) -> Answer:
    """Operation getApproval."""
    approval = approval_for(call.tenant, call.who, call.path["approvalId"])
    return call.found(approval, approval_view(call.who, call.tenant, approval))


def approval_acted(call: Call) -> Answer:
    """Operation actOnApproval."""
    approval = approval_for(call.tenant, call.who, call.path["approvalId"])
    act(call.grid, call.tenant, call.who, approval, call.body)
    return Answer(200, approval_view(call.who, call.tenant, approval))


def act(grid: Grid, tenant: Tenant, who: Principal, approval: Approval, body: Json) -> None:
    """Claim, complete or cancel; a second decision is 409 approval_already_decided."""
    if approval.state not in _OPEN:
        raise Problem("approval_already_decided")
    if who.is_partner and (approval.written["approver_side"] == "hub" or body["action"] == "cancel"):
        raise Problem("conflict", "this is for the hub to decide")
    what = "decided"
    if body["action"] == "claim":
        if not body.get("assignee"):
            invalid("/assignee", "is required to claim", "required")
        approval.state, approval.assignee, what = "claimed", body["assignee"], "claimed"
    elif body["action"] == "complete":
        if "outcome" not in body:
            invalid("/outcome", "is required to complete", "required")
        approval.state = body["outcome"]
    else:
        approval.state = "cancelled"
    if what == "decided":
        approval.decided_by, approval.decided_time = who.actor, grid.now()
    approval.comment = body.get("comment", approval.comment)
    approval.touch(grid.now(), partner=approval.visibility == "partner")
    grid.record(f"approval_{what}", approval, who.by, state=approval.state, assignee=approval.assignee,
                variables=body.get("variables"), comment=approval.comment, origin=body.get("origin"))  # fmt: skip
    _tell(grid, tenant, who, approval, what, body.get("origin"))

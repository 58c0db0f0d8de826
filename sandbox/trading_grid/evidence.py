"""Evidence requests: open -> submitted -> accepted, or rejected (open again); open or submitted -> cancelled."""

from __future__ import annotations

from datetime import datetime

from sandbox.trading_grid import references, rules, sharing
from sandbox.trading_grid.gateway import Answer, Call
from sandbox.trading_grid.objects import SYSTEM, Actor, EvidenceRequest, Json
from sandbox.trading_grid.principals import Principal
from sandbox.trading_grid.problems import Problem, invalid
from sandbox.trading_grid.state import Grid
from sandbox.trading_grid.tenant import Tenant
from sandbox.trading_grid.views import actor_view, base, stamp
from sandbox.trading_grid.visibility import evidence_for, sees, thread_for


def evidence_view(who: Principal, tenant: Tenant, request: EvidenceRequest) -> Json:
    """Schema EvidenceRequest."""
    attempts = [
        {**entry, "submitted_by": actor_view(who, tenant, entry["submitted_by"])} for entry in request.fulfilments
    ]
    return base(who, request) | {
        "thread_id": request.thread_id,
        "partner_id": request.partner_id,
        "due_time": stamp(request.due_time),
        "state": request.state,
        "overdue": request.overdue,
        "requested_by": actor_view(who, tenant, request.requested_by),
        "fulfilled_by": attempts,
    }


def evidence_created(call: Call) -> Answer:
    """Operation createEvidenceRequest: always partner visible."""
    grid, tenant, who = call.grid, call.tenant, call.who
    thread = thread_for(tenant, who, call.path["threadId"])
    if not thread.open_to_partner:
        raise Problem("visibility_violation", "the thread is internal")
    written = {"min_documents": 1, **call.body}
    if written.get("addressed_group_id"):
        rules.require_team(tenant, who, written["addressed_group_id"], thread.partner_id, "/addressed_group_id")
    bound = written.pop("external_references", [])
    references.check_free(tenant, who, EvidenceRequest, bound)
    request = EvidenceRequest(
        **grid.common("evr", thread.partner_id), thread_id=thread.id, state="open", requested_by=who.actor,
        due_time=datetime.fromisoformat(written.pop("due_time")), written=written,
    )  # fmt: skip
    tenant.evidence[request.id] = request
    references.bind(tenant, request, bound)
    thread.evidence_ids.append(request.id)
    thread.touch(grid.now(), partner=True)
    grid.record(
        "evidence_requested", request, who.by, thread_id=thread.id, title=written["title"],
        document_class=written["document_class"], due_time=stamp(request.due_time), origin=written.get("origin"),
        external_references=bound, instructions=written.get("instructions"),
    )  # fmt: skip
    _tell(grid, tenant, request, "created", who.actor, origin=written.get("origin"))
    _watch(grid, tenant, request)
    return call.created(request, evidence_view(who, tenant, request))


def _watch(grid: Grid, tenant: Tenant, request: EvidenceRequest) -> None:
    def look() -> None:
        if request.state == "open" and not request.overdue and request.due_time <= grid.now():
            request.overdue = True
            request.touch(grid.now(), partner=True)
            grid.record("evidence_overdue", request, "system", thread_id=request.thread_id)
            _tell(grid, tenant, request, "overdue", SYSTEM)

    grid.timers.at(request.due_time, look)


def _tell(
    grid: Grid, tenant: Tenant, request: EvidenceRequest, what: str, actor: Actor, origin: Json | None = None
) -> None:
    facts = {"state": request.state, "due_time": stamp(request.due_time)}
    grid.publish(tenant, f"evidence_request.{what}", request, actor, partner=True, thread_id=request.thread_id,
                 origin=origin, changed=["state"], data=facts)  # fmt: skip


def get_evidence(call: Call) -> Answer:
    """Operation getEvidenceRequest."""
    request = evidence_for(call.tenant, call.who, call.path["evidenceRequestId"])
    return call.found(request, evidence_view(call.who, call.tenant, request))


def evidence_updated(call: Call) -> Answer:
    """Operation updateEvidenceRequest: due time, text, or cancel."""
    grid, tenant, who, patch = call.grid, call.tenant, call.who, call.body
    request = evidence_for(tenant, who, call.path["evidenceRequestId"])
    call.require_match(request)
    if request.state not in ("open", "submitted"):
        raise Problem("conflict", f"the request is {request.state}")
    if "external_references" in patch:
        references.check_free(tenant, who, EvidenceRequest, patch["external_references"], request.id)
        references.bind(tenant, request, patch["external_references"])
    for name in ("title", "instructions"):
        if name in patch:
            request.written[name] = patch[name]
    if "due_time" in patch:
        _postpone(grid, tenant, request, patch["due_time"])
    cancelled = patch.get("state") == "cancelled"
    if cancelled:
        request.state = "cancelled"
    request.touch(grid.now(), partner=True)
    tenant.threads[request.thread_id].touch(grid.now(), partner=True)
    what = "cancelled" if cancelled else "updated"
    grid.record(f"evidence_{what}", request, who.by, thread_id=request.thread_id, values=patch)
    _tell(grid, tenant, request, what, who.actor)
    return call.found(request, evidence_view(who, tenant, request))


def _postpone(grid: Grid, tenant: Tenant, request: EvidenceRequest, due_time: str) -> None:
    request.due_time = datetime.fromisoformat(due_time)
    request.overdue = request.due_time <= grid.now()
    _watch(grid, tenant, request)


def evidence_fulfilled(call: Call) -> Answer:
    """Operation fulfilEvidenceRequest: a late document is taken, overdue stays."""
    request = evidence_for(call.tenant, call.who, call.path["evidenceRequestId"])
    fulfil(call.grid, call.tenant, call.who, request, call.body)
    return Answer(200, evidence_view(call.who, call.tenant, request))


def fulfil(grid: Grid, tenant: Tenant, who: Principal, request: EvidenceRequest, body: Json) -> None:
    """Submit one document; enough of them submit the request."""
    if request.state not in ("open", "submitted"):
        raise Problem("conflict", f"the request is {request.state}")
    document = tenant.documents.get(body["document_id"])
    thread = tenant.threads[request.thread_id]
    if document is not None and document.partner_id == request.partner_id and sees(tenant, who, document):
        sharing.link(grid, tenant, who, thread, document, "partner")
    document = rules.require_document(tenant, who, body["document_id"], thread, "partner", "/document_id")
    number = body.get("version", document.current.number)
    if not 1 <= number <= len(document.versions):
        invalid("/version", "no such version")
    same = [entry for entry in request.fulfilments if (entry["document_id"], entry["version"]) == (
        document.id, number) and entry["review"] != "rejected"]  # fmt: skip
    if same:
        return
    request.fulfilments.append({
        "document_id": document.id, "version": number, "submitted_time": stamp(grid.now()),
        "submitted_by": who.actor, "review": "pending", "review_note": None,
    })  # fmt: skip
    _count(request)
    request.touch(grid.now(), partner=True)
    thread.touch(grid.now(), partner=True)
    grid.record("evidence_submitted", request, who.by, thread_id=thread.id, document_id=document.id,
                version=number, state=request.state, note=body.get("note"))  # fmt: skip
    _tell(grid, tenant, request, "submitted" if request.state == "submitted" else "updated", who.actor)


def _count(request: EvidenceRequest) -> None:
    good = sum(entry["review"] != "rejected" for entry in request.fulfilments)
    if good >= request.written["min_documents"]:
        request.state = "submitted"


def evidence_reviewed(call: Call) -> Answer:
    """Operation reviewEvidence: rejected makes it open again, with the old due time unless a new one is named."""
    grid, tenant, who, body = call.grid, call.tenant, call.who, call.body
    request = evidence_for(tenant, who, call.path["evidenceRequestId"])
    call.require_match(request)
    pending = [entry for entry in request.fulfilments if entry["review"] == "pending"
               and body.get("document_id") in (None, entry["document_id"])]  # fmt: skip
    if not pending:
        raise Problem("conflict", "nothing waits for a review")
    for entry in pending:
        entry["review"], entry["review_note"] = body["decision"], body.get("note")
    if body["decision"] == "rejected":
        request.state = "open"
        if "new_due_time" in body:
            _postpone(grid, tenant, request, body["new_due_time"])
    elif sum(entry["review"] == "accepted" for entry in request.fulfilments) >= request.written["min_documents"]:
        request.state = "accepted"
    request.touch(grid.now(), partner=True)
    tenant.threads[request.thread_id].touch(grid.now(), partner=True)
    grid.record("evidence_reviewed", request, who.by, thread_id=request.thread_id, decision=body["decision"],
                note=body.get("note"), state=request.state)  # fmt: skip
    _tell(grid, tenant, request, body["decision"], who.actor)
    return call.found(request, evidence_view(who, tenant, request))

"""Onboarding cases and their requirements; both come from the start data, the requirements move."""

from __future__ import annotations

from datetime import datetime

from sandbox.trading_grid import references, rules
from sandbox.trading_grid.gateway import Answer, Call
from sandbox.trading_grid.objects import Json, OnboardingCase, Requirement
from sandbox.trading_grid.paging import page
from sandbox.trading_grid.principals import Principal
from sandbox.trading_grid.problems import Problem, invalid
from sandbox.trading_grid.state import Grid
from sandbox.trading_grid.tenant import Tenant
from sandbox.trading_grid.views import base, stamp, stamp_or_none
from sandbox.trading_grid.visibility import case_for, requirement_for, sees
from sandbox.trading_grid.writing import add_post

_HUB_STATES = ("accepted", "rejected", "waived")
_DONE = ("accepted", "waived")
# What may follow; the contract names the states and "waived, accepted and rejected are hub only", not the paths.
_NEXT = {
    "not_started": ("requested", "submitted", "blocked", "waived"),
    "requested": ("submitted", "in_review", "blocked", "waived", "accepted"),
    "submitted": ("in_review", "accepted", "rejected", "blocked", "waived", "requested"),
    "in_review": ("accepted", "rejected", "blocked", "waived", "requested"),
    "rejected": ("requested", "submitted", "blocked", "waived"),
    "blocked": ("requested", "submitted", "in_review", "accepted", "rejected", "waived"),
    "accepted": ("requested",),
    "waived": ("requested",),
}


def requirement_view(call: Call, requirement: Requirement) -> Json:
    """Schema Requirement."""
    tenant, who = call.tenant, call.who
    approval = tenant.approvals.get(requirement.approval_id or "")
    asked = requirement.written.get("fields", [])
    return base(who, requirement) | {
        "onboarding_case_id": requirement.case_id,
        "partner_id": requirement.partner_id,
        "state": requirement.state,
        "blocked_reason": requirement.blocked_reason,
        "missing_fields": [entry["name"] for entry in asked if not entry.get("value_present")],
        "due_time": stamp_or_none(requirement.due_time),
        "overdue": _overdue(call.grid, requirement),
        "document_ids": [
            key for key in requirement.document_ids if sees(tenant, who, tenant.documents[key])
        ],
        "approval_id": approval.id if approval is not None and sees(tenant, who, approval) else None,
    }  # fmt: skip


def _overdue(grid: Grid, requirement: Requirement) -> bool:
    due = requirement.due_time
    return due is not None and due <= grid.now() and requirement.state not in _DONE


def case_view(call: Call, case: OnboardingCase) -> Json:
    """Schema OnboardingCase; progress and blockers are counted now."""
    entries = [call.tenant.requirements[key] for key in case.requirement_ids]
    mandatory = [entry for entry in entries if entry.written.get("mandatory", True)]
    blocked = [entry for entry in entries if entry.state == "blocked"]
    return base(call.who, case) | {
        "partner_id": case.partner_id,
        "state": case.state,
        "workspace_id": case.workspace_id,
        "thread_id": case.thread_id,
        "progress": {
            "required": len(mandatory),
            "done": sum(entry.state in _DONE for entry in mandatory),
            "blocked": len(blocked),
            "overdue": sum(_overdue(call.grid, entry) for entry in entries),
        },
        "blockers": [
            {"requirement_id": entry.id, "reason": entry.blocked_reason, "since": stamp(entry.blocked_since)}
            for entry in blocked if entry.blocked_since is not None
        ],
    }  # fmt: skip


def list_cases(call: Call) -> Answer:
    """Operation listOnboardingCases."""
    query = call.query
    wanted = (query["external_system"], query["external_id"])
    found = [
        case for case in call.tenant.cases.values()
        if sees(call.tenant, call.who, case)
        and query["partner_id"] in (None, case.partner_id)
        and (query["updated-after"] is None or case.update_time > query["updated-after"])
        and (wanted == (None, None) or _bound(call, case, *wanted))
    ]  # fmt: skip
    return page(call, found, lambda case: case_view(call, case))


def _bound(call: Call, case: OnboardingCase, system: str | None, external_id: str | None) -> bool:
    if call.who.is_partner:
        return False
    return any(
        system in (None, entry["system"]) and external_id in (None, entry["external_id"])
        for entry in case.written.get("external_references", ())
    )


def get_case(call: Call) -> Answer:
    """Operation getOnboardingCase."""
    case = case_for(call.tenant, call.who, call.path["caseId"])
    return call.found(case, case_view(call, case))


def list_requirements(call: Call) -> Answer:
    """Operation listRequirements."""
    case = case_for(call.tenant, call.who, call.path["caseId"])
    blocked = call.query["blocked"]
    entries = [call.tenant.requirements[key] for key in case.requirement_ids]
    found = [entry for entry in entries if blocked is None or (entry.state == "blocked") == blocked]
    return page(call, found, lambda entry: requirement_view(call, entry))


def get_requirement(call: Call) -> Answer:
    """Operation getRequirement."""
    requirement = requirement_for(call.tenant, call.who, call.path["requirementId"])
    return call.found(requirement, requirement_view(call, requirement))


def requirement_updated(call: Call) -> Answer:
    """Operation updateRequirement."""
    requirement = requirement_for(call.tenant, call.who, call.path["requirementId"])
    call.require_match(requirement)
    update(call.grid, call.tenant, call.who, requirement, call.body)
    return call.found(requirement, requirement_view(call, requirement))


def update(grid: Grid, tenant: Tenant, who: Principal, requirement: Requirement, patch: Json) -> None:
    """Merge the patch; a note becomes a post in the onboarding thread, if the case has one."""
    old, state = requirement.state, patch.get("state", requirement.state)
    _check(tenant, who, requirement, patch, state)
    bound = None if who.is_partner else patch.get("external_references")
    if bound is not None:
        references.check_free(tenant, who, Requirement, bound, requirement.id)
        references.bind(tenant, requirement, bound)
    before = (requirement.state, requirement.blocked_reason, requirement.due_time, requirement.document_ids)
    _set_state(grid, requirement, state, patch.get("blocked_reason"))
    if "due_time" in patch:
        due = patch["due_time"]
        requirement.due_time = None if due is None else datetime.fromisoformat(due)
    if "document_ids" in patch:
        requirement.document_ids = patch["document_ids"]
    after = (requirement.state, requirement.blocked_reason, requirement.due_time, requirement.document_ids)
    note = patch.get("note")
    thread = tenant.threads.get(tenant.cases[requirement.case_id].thread_id or "")
    if note and thread is not None:
        add_post(grid, tenant, thread, who.actor, who.by, "message", thread.visibility,
                 {"format": "plain", "text": note}, {})  # fmt: skip
    if before == after and bound is None:
        return
    requirement.touch(grid.now(), partner=before != after)
    tenant.cases[requirement.case_id].touch(grid.now(), partner=before != after)
    grid.record("requirement_updated", requirement, who.by, old=old, new=state,
                blocked_reason=requirement.blocked_reason, note=note, reference=bound)  # fmt: skip
    if before != after:
        _tell(grid, tenant, who, requirement, old)


def _check(tenant: Tenant, who: Principal, requirement: Requirement, patch: Json, state: str) -> None:
    choices = [name for name in _NEXT[requirement.state] if not (who.is_partner and name in _HUB_STATES)]
    if state != requirement.state and state not in choices:
        raise Problem("invalid_transition", allowed_transitions=choices)
    if state == "blocked" and not (patch.get("blocked_reason") or requirement.blocked_reason):
        invalid("/blocked_reason", "is required for blocked", "required")
    for place, key in enumerate(patch.get("document_ids", ())):
        document = tenant.documents.get(key)
        if document is None or (document.partner_id == requirement.partner_id and not sees(tenant, who, document)):
            rules.refuse_unknown(who, f"/document_ids/{place}", "no such document")
        if document.partner_id != requirement.partner_id:
            rules.refuse_cross_partner(who)


def _set_state(grid: Grid, requirement: Requirement, state: str, reason: str | None) -> None:
    if state == "blocked":
        requirement.blocked_since = requirement.blocked_since or grid.now()
        requirement.blocked_reason = reason or requirement.blocked_reason
    else:
        requirement.blocked_since = requirement.blocked_reason = None
    requirement.state = state


def _tell(grid: Grid, tenant: Tenant, who: Principal, requirement: Requirement, old: str) -> None:
    kind = "blocked" if requirement.state == "blocked" else "state_changed"
    facts: Json = {"old_state": old, "new_state": requirement.state}
    if requirement.blocked_reason:
        facts["blocked_reason"] = requirement.blocked_reason
    grid.publish(
        tenant, f"onboarding_requirement.{kind}", requirement, who.actor, partner=True,
        thread_id=tenant.cases[requirement.case_id].thread_id, changed=["state", "blocked_reason", "due_time"],
        data=facts,
    )  # fmt: skip

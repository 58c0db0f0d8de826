"""Opening a thread: one partner, one external reference, its opening text cleared for that partner."""

from collections.abc import Mapping
from typing import Any

from pipeline.connector import Facts, Work
from pipeline.connectors.trading_grid import settings
from pipeline.connectors.trading_grid.bodies import (
    business_references,
    external_reference,
    opening_of,
    origin_of,
    title_of,
)
from pipeline.connectors.trading_grid.fetch import reading, segment
from pipeline.connectors.trading_grid.requests import idempotency, write_posts
from pipeline.connectors.trading_grid.vocabulary import (
    EXCEPTION_TYPES,
    NAME,
    PRIORITIES,
    SEVERITIES,
    THREAD,
    THREAD_TYPES,
)
from pipeline.domain.reason import Reason
from pipeline.domain.visibility import clear_text
from pipeline.errors import PermanentError
from pipeline.plan import Plan, Request, Slot
from schemas.operation import Create

Json = dict[str, Any]

# What a flow may add by `details`: shapes of the contract without free text of a person
_STRUCTURED = ("dispute", "discrepancies", "reason", "workspace_id", "onboarding_case_id", "related_thread_ids")


def plan_create(work: Work, operation: Create, facts: Facts) -> Plan:
    """POST /threads, then the rest of a long opening; with `facts["existing_id"]` only reads of that thread.

    With `facts["taken"]` another partner's thread is bound to the origin: this one is bound as `<id>:<partner>` (Z1.2).
    Raises PermanentError `unmapped_type`, `unmapped_value`, `unknown_partner` and VisibilityError.
    """
    if operation.object_kind != THREAD:
        raise PermanentError(Reason.REJECTED, f"found the object kind {operation.object_kind}, expected {THREAD}")
    if existing := facts.get("existing_id"):
        path = f"/threads/{segment(str(existing))}"
        return Plan(NAME, (reading("existing", path), _first_post(path)))
    opening = opening_of(clear_text(operation.body)) if operation.body is not None else []
    create = Request(
        "create", "POST", "/threads", headers=(idempotency(work),), body=_thread(work, operation, opening, facts)
    )
    made = f"/threads/{Slot('create', 'id')}"
    rest = [{"format": "plain", "text": piece} for piece in opening[1:]]
    return Plan(NAME, (create, *write_posts(work, made, rest, operation.origin), _first_post(made)))


def find_create(work: Work, operation: Create) -> Plan:
    """The list of threads bound to the origin; empty where no origin is given (the key alone guards then)."""
    reference = _reference(work, operation)
    if reference is None:
        return Plan(NAME)
    query = (("external_system", reference["system"]), ("external_id", reference["external_id"]))
    return Plan(NAME, (reading("find", "/threads", query),))


def is_same(work: Work, operation: Create, thread: Mapping[str, Any]) -> bool:
    """Whether a found thread is the one to open: our mark, or our reference; and this partner's in either case."""
    if thread.get("partner_id") != partner_id_of(work, operation):
        return False
    return holds_origin(work, operation, thread) or (thread.get("origin") or {}).get("correlation_id") == work.mark


def holds_origin(work: Work, operation: Create, thread: Mapping[str, Any]) -> bool:
    """Whether the thread is bound to the very object that this one is to be opened for."""
    wanted = _reference(work, operation)
    names = ("system", "instance", "object_type", "external_id")
    references = thread.get("external_references") or ()
    return wanted is not None and any(all(one.get(name) == wanted[name] for name in names) for one in references)


def partner_id_of(work: Work, operation: Create) -> str:
    """The partner as Trading Grid knows it. Raises PermanentError `unknown_partner`."""
    given = operation.partner_id if isinstance(operation.partner_id, str) else None
    found = settings.partner_id_of(work.partner) or given
    if not found:
        raise PermanentError(Reason.UNKNOWN_PARTNER, f"partner {operation.partner} has no `{NAME}` id")
    return found


def _thread(work: Work, operation: Create, opening: list[str], facts: Facts) -> Json:
    reference = _reference(work, operation)
    if reference is not None and facts.get("taken"):
        reference["external_id"] = f"{reference['external_id']}:{operation.partner}"
    members: Json = {
        "partner_id": partner_id_of(work, operation),
        "type": one_of(operation.type, THREAD_TYPES, "type", Reason.UNMAPPED_TYPE),
        "title": title_of(clear_text(operation.title)),
        "visibility": "partner",
        "description": opening[0] if opening else None,
        "priority": operation.priority and one_of(operation.priority, PRIORITIES, "priority"),
        "severity": (severity := operation.details.get("severity")) and one_of(severity, SEVERITIES, "severity"),
        "exception_type": operation.exception_type
        and one_of(operation.exception_type, EXCEPTION_TYPES, "exception_type"),
        "transaction_references": [
            *(operation.details.get("transaction_references") or ()),
            *business_references(operation.references),
        ],
        "participant_group_ids": _teams(work, operation),
        "external_references": [reference] if reference else None,
        "origin": origin_of(work, operation.origin),
        **{name: operation.details[name] for name in _STRUCTURED if operation.details.get(name)},
    }
    return {name: value for name, value in members.items() if value not in (None, "", [])}


def one_of(value: object, allowed: frozenset[str], name: str, reason: Reason = Reason.UNMAPPED_VALUE) -> str:
    """The value, if the contract lists it. Raises PermanentError that names what is allowed."""
    if value not in allowed:
        raise PermanentError(reason, f"{name}: found {value!r}, expected one of {', '.join(sorted(allowed))}")
    return str(value)


def _reference(work: Work, operation: Create) -> Json | None:
    if not operation.origin:
        return None
    external_id = str(operation.details.get("external_id") or "")  # Z1.2: `<ticket>:<partner>` for further threads
    return external_reference(work.config, operation.origin, external_id, operation.origin_url)


def _teams(work: Work, operation: Create) -> list[str]:
    """The team groups to invite: those the flow names, else the partner's by exception type (setting `teams`)."""
    named = operation.details.get("participant_group_ids")
    if named:
        return [str(one) for one in named]
    teams = settings.section_of(work.config)["teams"].get(operation.partner, {})
    team = teams.get(operation.exception_type or "default") or teams.get("default")
    return [team] if team else []


def _first_post(thread: str) -> Request:
    """The opening text's own post: an edit or redaction at its source must reach it later."""
    return reading("first_post", f"{thread}/posts", (("items-per-page", "1"),))

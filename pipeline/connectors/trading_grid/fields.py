"""A thread's title and structured fields: only what differs is written, on the revision that was compared."""

from typing import Any

from pipeline.connector import Facts, Work
from pipeline.connectors.trading_grid.bodies import business_references, origin_of, title_of
from pipeline.connectors.trading_grid.fetch import segment
from pipeline.connectors.trading_grid.opening import one_of
from pipeline.connectors.trading_grid.requests import MERGE_PATCH, idempotency, if_match, thread_path
from pipeline.connectors.trading_grid.vocabulary import EXCEPTION_TYPES, NAME, PRIORITIES, SEVERITIES, THREAD_TYPES
from pipeline.connectors.trading_grid.wire import references_of
from pipeline.domain.reason import Reason
from pipeline.domain.visibility import clear_text
from pipeline.errors import PermanentError
from pipeline.plan import Plan, Request
from schemas.content import Reference
from schemas.operation import Fields, Title

Json = dict[str, Any]

_LISTED = {"type": THREAD_TYPES, "exception_type": EXCEPTION_TYPES, "priority": PRIORITIES, "severity": SEVERITIES}
_SHAPED = frozenset({"reason", "discrepancies", "dispute", "related_thread_ids", "workspace_id"})
_ADDED = frozenset({"references", "participants"})
PURPOSES = frozenset({*_LISTED, *_SHAPED, *_ADDED})


def plan_title(work: Work, operation: Title, facts: Facts) -> Plan:
    """PATCH of the title; empty when it stands already, or when somebody gave another one since (`previous`)."""
    thread, title = facts["thread"], title_of(clear_text(operation.title))
    shown = thread.get("title")
    if shown == title or (operation.previous is not None and shown != operation.previous):
        return Plan(NAME)
    return Plan(NAME, (_patch(work, thread, {"title": title}),))


def plan_fields(work: Work, operation: Fields, facts: Facts) -> Plan:
    """PATCH of what differs, then the references and teams that are missing.

    Raises PermanentError `unmapped_value` for a purpose or value that the contract does not know.
    """
    unknown = sorted(set(operation.values) - PURPOSES)
    if unknown:
        raise PermanentError(Reason.UNMAPPED_VALUE, f"fields: found {unknown}, expected {sorted(PURPOSES)}")
    thread = facts["thread"]
    wanted = {name: _value(name, value) for name, value in operation.values.items() if name not in _ADDED}
    changed = {name: value for name, value in wanted.items() if thread.get(name) != value}
    patch = [_patch(work, thread, changed)] if changed else []
    return Plan(NAME, (*patch, *_references(work, operation, thread), *_participants(work, operation, thread)))


def _patch(work: Work, thread: Json, members: Json) -> Request:
    headers = (if_match(thread["revision"]), MERGE_PATCH)
    return Request("patch", "PATCH", thread_path(work), headers=headers, body={**members, "origin": origin_of(work)})


def _value(name: str, value: Any) -> Any:
    allowed = _LISTED.get(name)
    return value if allowed is None else one_of(value, allowed, name)


def _references(work: Work, operation: Fields, thread: Json) -> list[Request]:
    """Those that the thread does not name yet, as one transaction without a document."""
    shown = {(one.kind, one.match_key) for one in references_of(thread)}
    given = [Reference(one["kind"], one["value"], one.get("line")) for one in operation.values.get("references") or ()]
    missing = tuple(one for one in given if (one.kind, one.match_key) not in shown)
    path = f"{thread_path(work)}/transaction-references"
    return [
        Request("references", "POST", path, headers=(idempotency(work, "references"),), body=body)
        for body in business_references(missing)
    ]


def _participants(work: Work, operation: Fields, thread: Json) -> list[Request]:
    """Team groups of the thread's own partner; the server refuses those of another (422)."""
    shown = {str(one.get("id")) for one in thread.get("participants") or ()}
    wanted = [str(one) for one in operation.values.get("participants") or ()]
    return [
        Request(f"participant{number}", "PUT", f"{thread_path(work)}/participants/{segment(one)}",
                body={"kind": "partner_team"})
        for number, one in enumerate((one for one in wanted if one not in shown), start=1)
    ]  # fmt: skip

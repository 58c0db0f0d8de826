"""Milestones: the way to a thread state, hop by hop, with words for the partner on the last hop only."""

from itertools import pairwise
from typing import Any

from pipeline.connector import Facts, Work
from pipeline.connectors.trading_grid.bodies import origin_of, plain_of
from pipeline.connectors.trading_grid.opening import one_of
from pipeline.connectors.trading_grid.requests import Header, idempotency, if_match, thread_path
from pipeline.connectors.trading_grid.vocabulary import (
    AWAITING_REASONS,
    MILESTONE_LENGTH,
    NAME,
    NOTE_LENGTH,
    OUTCOMES,
    TRANSITIONS,
    is_reopening,
    path_to,
)
from pipeline.connectors.trading_grid.workspace import announce, speaks_in_thread
from pipeline.domain.reason import Reason
from pipeline.domain.visibility import clear_label, clear_text, require
from pipeline.errors import PermanentError
from pipeline.plan import Plan, Request, Slot
from schemas.operation import State

Json = dict[str, Any]

_REOPENED = "Reopened with its case."  # internal note; the contract wants one
_LEARNED = "allowed_from:"


def plan_state(work: Work, operation: State, facts: Facts) -> Plan:
    """The transitions from where the thread stands to the wanted state; empty when it is there already.

    `facts["thread"]` is the thread; `facts["allowed_from:<state>"]` what a refusal taught. Raises PermanentError
    `transition_refused` naming the allowed states, `rejected` for a resolution without text, and VisibilityError.
    """
    thread = facts["thread"]
    wanted = one_of(operation.state, frozenset(TRANSITIONS), "state", Reason.UNMAPPED_STATUS)
    awaiting = _awaiting_reason(operation)
    current = str(thread.get("state"))
    if current == wanted and (wanted != "awaiting_partner" or thread.get("awaiting_reason") == awaiting):
        return Plan(NAME)
    if current == "withdrawn":
        detail = f"the partner has withdrawn the thread; it is not brought to {wanted} from our side"
        raise PermanentError(Reason.TRANSITION_REFUSED, detail)
    path = _path(current, wanted, facts)
    states = [current, *path]
    hops: list[Request] = []
    for before, after in pairwise(states):
        step = f"{before}_to_{after}"
        tag: Header = ("If-Match", Slot(hops[-1].step, "header:etag")) if hops else if_match(thread["revision"])
        body = _hop(work, operation, before, after, last=len(hops) == len(path) - 1)
        headers = (idempotency(work, step), tag)
        hops.append(Request(step, "POST", f"{thread_path(work)}/transitions", headers=headers, body=body))
    return Plan(NAME, (*announce(work, operation, facts), *hops))


def learned_from(step: str, allowed: list[str]) -> Json:
    """What a refused transition teaches the next plan: where one can go from the state that it began in."""
    return {f"{_LEARNED}{step.partition('_to_')[0]}": allowed}


def _path(current: str, wanted: str, facts: Facts) -> list[str]:
    taught = {name.removeprefix(_LEARNED): tuple(to) for name, to in facts.items() if name.startswith(_LEARNED)}
    moves = {**TRANSITIONS, **taught}
    path = [wanted] if current == wanted else path_to(current, wanted, moves)
    if path is None:
        allowed = ", ".join(moves.get(current, ())) or "none"
        raise PermanentError(
            Reason.TRANSITION_REFUSED, f"found the thread {current}, expected a way to {wanted}; allowed: {allowed}"
        )
    return path


def _awaiting_reason(operation: State) -> str | None:
    if operation.state != "awaiting_partner":
        return None
    return one_of(operation.awaiting_reason or "input", AWAITING_REASONS, "awaiting_reason")


def _hop(work: Work, operation: State, before: str, after: str, *, last: bool) -> Json:
    body: Json = {"to_state": after}
    if after == "awaiting_partner":
        body["awaiting_reason"] = _awaiting_reason(operation) or "input"
    if after == "resolved":
        body["resolution"] = _resolution(operation)
    if is_reopening(before, after):
        body["reason"] = operation.reason or _REOPENED
    elif last and operation.reason:
        body["reason"] = operation.reason
    if last and operation.label:
        body["milestone"] = str(require(clear_label(operation.label)))[:MILESTONE_LENGTH]
    if last and operation.public_note is not None and speaks_in_thread(work):
        body["public_note"] = plain_of(clear_text(operation.public_note), NOTE_LENGTH, "public note")
    body["origin"] = origin_of(work, str(operation.details.get("origin") or ""))
    return body


def _resolution(operation: State) -> Json:
    """What the partner is told of the outcome. Raises PermanentError without a text (flows.md G2.5)."""
    if operation.resolution is None or not operation.resolution.body.strip():
        raise PermanentError(Reason.REJECTED, "found no resolution text, expected one before a thread is resolved")
    summary = plain_of(clear_text(operation.resolution), NOTE_LENGTH, "resolution")
    outcome = str(operation.details.get("outcome") or "other")
    return {"outcome": one_of(outcome, OUTCOMES, "outcome"), "summary": summary}

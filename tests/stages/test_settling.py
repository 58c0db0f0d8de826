"""Settling: what the ledger writes for each way in which an attempt can end."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from pipeline.domain.reason import Reason
from pipeline.domain.retry import CAP, RetryPolicy
from pipeline.domain.states import DeliveryState
from pipeline.plan import Outcome, Receipt, Verdict
from pipeline.stages.dispatch import Delivered
from pipeline.stages.settling import AUTH_RETRY_SECONDS, Finished, blocked_for, fallen, settlement, unrecorded
from pipeline.store.lanes import Held
from schemas.content import Author, Side, Text
from schemas.operation import Comment, Create, kind_of

SAID = Comment(link_id=1, text=Text("x"), author=Author(Side.HUB), origin="trading_grid:thread:1/p1")
MADE = Create(link_id=1, object_kind="item", title=Text("t"), partner="acme")
NOW = datetime(2026, 11, 21, tzinfo=UTC)


def held(operation: Any = SAID, **more: Any) -> Held:
    """A lane in hand with its first attempt."""
    values: dict[str, Any] = {
        "id": 1, "nonce": 9, "head": 0, "known": 0, "tries": 1, "case_id": 1, "partner": "acme", "delivery_id": 5,
        "seq": 1, "operation": msgspec.json.encode(operation), "change_id": None, "key": uuid4(), "redo": 0,
        "mark": "ABCD2345", "plan_rev": 1, "state": "queued", "flow": "T", "created_at": NOW, "needs": [],
        "early": None, "kind": kind_of(operation).value,
    }  # fmt: skip
    return Held(**(values | more))


def finished(
    verdict: Verdict, reason: Reason = Reason.WAITING_RETRY, *, lane: Held | None = None, **more: Any
) -> Finished:
    """An attempt with this outcome."""
    how = {name: more.pop(name) for name in ("detail", "retry_after_seconds", "learned") if name in more}
    attempt = Delivered(
        Outcome(verdict, reason, **how),
        more.pop("receipt", None),
        (),
        looked=False,
        rounds=more.pop("rounds", 1),
        ms=1.0,
    )
    return Finished(lane or held(), "gemini", attempt, **more)


def test_what_arrived_moves_the_head_and_keeps_its_receipt() -> None:
    """Its attempt says delivered; where it was planned anew the revision is remembered (decisions D5)."""
    receipt = Receipt(parts=(("comment", "7"),))
    written = settlement(finished(Verdict.DONE, receipt=receipt, rounds=3), keep=True)
    assert (written.done, written.keep, written.state, written.receipt) == (True, True, None, receipt)
    assert (written.plan_rev, written.origin) == (3, SAID.origin)
    assert written.attempt is not None
    assert written.attempt.reason is Reason.DELIVERED


def test_what_was_so_already_is_skipped() -> None:
    """Nothing was written, and the record says so."""
    written = settlement(finished(Verdict.ALREADY), keep=False)
    assert (written.done, written.state) == (True, DeliveryState.SKIPPED)


@pytest.mark.parametrize("verdict", [Verdict.RETRY, Verdict.UNKNOWN, Verdict.AGAIN])
def test_what_failed_waits_by_the_schedule(verdict: Verdict) -> None:
    """The head stays, the attempt counts, the lane is given back."""
    written = settlement(finished(verdict, lane=held(tries=3)), keep=True)
    assert (written.done, written.keep, written.burn, written.waits) == (False, False, True, "waiting_retry")
    assert 96 <= written.wait_seconds <= 144


@pytest.mark.parametrize("reason", [Reason.WAITING_QUOTA, Reason.SOURCE_UNREACHABLE])
def test_what_was_not_sent_burns_no_attempt(reason: Reason) -> None:
    """A used-up limit or an unreachable source is nobody's failure; the wait is the one asked for, bounded."""
    written = settlement(finished(Verdict.RETRY, reason, retry_after_seconds=40.0), keep=True)
    assert (written.burn, written.wait_seconds, written.waits) == (False, 40.0, reason)
    assert settlement(finished(Verdict.RETRY, reason, retry_after_seconds=1e9), keep=True).wait_seconds == CAP


def test_a_refused_log_in_burns_no_attempt() -> None:
    """All of the target waits a minute."""
    item = finished(Verdict.AUTH, Reason.TARGET_REFUSES_LOGIN)
    written = settlement(item, keep=True)
    assert (written.done, written.burn, written.wait_seconds) == (False, False, AUTH_RETRY_SECONDS)
    blocked = blocked_for(item)
    assert blocked is not None
    assert blocked[:2] == (AUTH_RETRY_SECONDS, Reason.TARGET_REFUSES_LOGIN)


def test_attempts_come_to_an_end() -> None:
    """After 72 hours a person is needed, whatever the last answer was."""
    written = settlement(finished(Verdict.UNKNOWN, lane=held(tries=40)), keep=True)
    assert (written.state, written.done) == (DeliveryState.DEAD, True)
    assert written.attempt is not None
    assert written.attempt.reason is Reason.RETRIES_EXHAUSTED


@pytest.mark.parametrize(
    ("operation", "more", "stops"),
    [
        (SAID, {}, False),
        (SAID, {"named_in_needs": True}, True),
        (SAID, {"comments_block": True}, True),
        (MADE, {}, True),
    ],
)
def test_a_dead_delivery_stops_its_lane_or_not(operation: Any, more: dict[str, Any], stops: bool) -> None:
    """The table of decisions D6, and the partner's own setting."""
    written = settlement(finished(Verdict.DEAD, Reason.REJECTED, lane=held(operation), **more), keep=True)
    assert (written.blocks, written.done, written.keep) == (stops, not stops, not stops)
    assert written.waits == ("rejected" if stops else None)


def test_a_lane_that_was_passed_over_moves_on_without_an_attempt() -> None:
    """Superseded or cancelled while it waited."""
    written = settlement(Finished(held(state="superseded"), "gemini", None), keep=True)
    assert (written.done, written.attempt) == (True, None)


def test_a_lost_lease_writes_nothing_but_its_return() -> None:
    """No attempt, nothing burnt."""
    written = settlement(Finished(held(), "gemini", None, lost=True), keep=True)
    assert (written.done, written.attempt, written.burn, written.keep) == (False, None, False, False)


def test_details_are_what_postgresql_takes() -> None:
    """A target's words may hold NUL, half an emoji, or a megabyte."""
    written = settlement(finished(Verdict.DEAD, Reason.REJECTED, detail="a\x00\ud83d" + "x" * 9000), keep=False)
    assert written.attempt is not None
    for text in (written.attempt.detail, written.dead_detail):
        assert text.startswith("a\ufffd?xx")
        assert len(text) == 2000


def test_a_sender_that_fell_leaves_an_unknown_outcome() -> None:
    """So that the next attempt looks before it repeats."""
    item = fallen(held(), "gemini", MemoryError("full"))
    assert item.verdict is Verdict.UNKNOWN
    assert not settlement(item, keep=True).done


@pytest.mark.parametrize(
    ("verdict", "reason"), [(Verdict.DONE, Reason.MAY_HAVE_HAPPENED), (Verdict.RETRY, Reason.UNREADABLE)]
)
def test_an_outcome_that_cannot_be_recorded_says_what_it_was(verdict: Verdict, reason: Reason) -> None:
    """One that arrived may stand at the target; one that failed certainly has to be looked at."""
    item = unrecorded(finished(verdict, policy=RetryPolicy()), ValueError("NUL"))
    written = settlement(item, keep=False)
    assert written.state is DeliveryState.DEAD
    assert written.attempt is not None
    assert written.attempt.reason is reason
    assert verdict.value in written.dead_detail

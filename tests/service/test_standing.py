"""The table behind `why`: each state of the ledger has exactly one reason, and every reason of part 1 is reached."""

from dataclasses import replace
from typing import Any

import pytest

from pipeline.domain.reason import Reason
from pipeline.service import standing
from pipeline.store.trace import ChangeRow, DeliveryRow, SignalRow
from tests.service.scenes import NOON

DELIVERY = DeliveryRow(
    id=7, target="gemini", case_id=1, partner="acme", seq=3, change_id=1, flow="G6", kind="comment", name="G6.comment",
    link_id=1, state="queued", reason=None, mark="ABCD2345", redo=0, plan_rev=1, created_at=NOON, lane_id=1, head=2,
    tries=0, waits=None, held=False, due_seconds=0.0, early_seconds=0.0, paused=False, target_reason=None,
    target_detail=None, blocked_seconds=0.0, unmet=[], dead_need=None, first=7, first_state="queued", verdict=None,
    attempt_reason=None, attempt_detail=None, attempted_at=None, letter=None, letter_detail=None, sent_again=None,
)  # fmt: skip
CHANGE = ChangeRow(
    id=4, source="zendesk", external_id="a1", object="ticket:35", kind="said", signal_id=2, state="open", reason=None,
    detail=None, case_id=1, read_at=NOON, ended_at=None, early_seconds=0.0, blocked_by=None, letter=None,
)  # fmt: skip
SIGNAL = SignalRow(
    id=2, source="zendesk", key="k", object="ticket:35", position=None, via="webhook", state="open", reason=None,
    changes=0, received_at=NOON, ended_at=None, held=False, object_reason=None, object_detail=None, due_seconds=0.0,
    blocked_seconds=0.0, source_reason=None, source_detail=None, letter=None, letter_detail=None,
)  # fmt: skip

Table = dict[str, tuple[dict[str, Any], Reason]]
DELIVERIES: Table = {
    "arrived": ({"head": 3, "attempt_reason": "delivered"}, Reason.DELIVERED),
    "arrived, its attempt rows are gone by retention": ({"head": 3}, Reason.DELIVERED),
    "arrived within another's request": ({"head": 3, "attempt_reason": "delivered_joined"}, Reason.DELIVERED_JOINED),
    "compared, and as wanted": ({"head": 3, "attempt_reason": "already_so"}, Reason.ALREADY_SO),
    "skipped": ({"state": "skipped", "reason": "already_so", "head": 3}, Reason.ALREADY_SO),
    "a newer value took its place": ({"state": "superseded", "reason": "superseded"}, Reason.SUPERSEDED),
    "given up by a person": ({"state": "cancelled", "reason": "discarded"}, Reason.DISCARDED),
    "cancelled with what it needed": ({"state": "cancelled", "reason": "cancelled"}, Reason.CANCELLED),
    "paused target": ({"paused": True, "target_reason": "maintenance"}, Reason.TARGET_PAUSED),
    "paused target, though not its turn": ({"paused": True, "first": 5}, Reason.TARGET_PAUSED),
    "log-in refused": ({"target_reason": "target_refuses_login"}, Reason.TARGET_REFUSES_LOGIN),
    "log-in refused, seen by the lane": ({"waits": "target_refuses_login"}, Reason.TARGET_REFUSES_LOGIN),
    "not its turn": ({"first": 5}, Reason.WAITING_TURN),
    "behind a dead one": ({"first": 5, "first_state": "dead"}, Reason.WAITING_TURN),
    "needs another": ({"unmet": [5]}, Reason.WAITING_FOR),
    "needs a dead one": ({"unmet": [4, 5], "dead_need": 5}, Reason.WAITING_FOR),
    "being sent": ({"held": True, "due_seconds": 50.0}, Reason.WAITING_TURN),
    "failed, again later": ({"waits": "waiting_retry", "due_seconds": 30.0}, Reason.WAITING_RETRY),
    "rate limit": ({"waits": "waiting_quota", "due_seconds": 30.0}, Reason.WAITING_QUOTA),
    "the target's rate limit": ({"target_reason": "waiting_quota", "blocked_seconds": 8.0}, Reason.WAITING_QUOTA),
    "target blocked without a known reason": ({"blocked_seconds": 8.0}, Reason.TARGET_FAILING),
    "source away": ({"waits": "source_unreachable", "due_seconds": 30.0}, Reason.SOURCE_UNREACHABLE),
    "a status that settles": ({"early_seconds": 40.0}, Reason.WAITING_SETTLE),
    "a status that settles, given back": ({"waits": "waiting_settle", "due_seconds": 40.0}, Reason.WAITING_SETTLE),
    "due": ({}, Reason.WAITING_TURN),
}  # fmt: skip
CHANGES: Table = {
    "our own write": ({"state": "echo", "reason": "echo", "detail": "delivery 17"}, Reason.ECHO),
    "of no case": ({"state": "skipped", "reason": "not_routed"}, Reason.NOT_ROUTED),
    "given up by a person": ({"state": "skipped", "reason": "discarded"}, Reason.DISCARDED),
    "between intent and settle": ({"reason": "waiting_settle", "early_seconds": 1.0}, Reason.WAITING_SETTLE),
    "behind a dead one": ({"blocked_by": 3}, Reason.WAITING_TURN),
    "about to be routed": ({}, Reason.WAITING_TURN),
    "routed to nothing new": ({"state": "routed"}, Reason.NOTHING_NEW),
}
SIGNALS: Table = {
    "nothing in it": ({"state": "nothing_new", "reason": "nothing_new"}, Reason.NOTHING_NEW),
    "a poll": ({"state": "expanded", "object": "*", "changes": 2}, Reason.NOTHING_NEW),
    "given up by a person": ({"state": "skipped", "reason": "discarded"}, Reason.DISCARDED),
    "log-in refused": ({"source_reason": "target_refuses_login"}, Reason.TARGET_REFUSES_LOGIN),
    "reading failed": ({"object_reason": "waiting_retry", "due_seconds": 5.0}, Reason.WAITING_RETRY),
    "too many calls": ({"source_reason": "waiting_quota", "blocked_seconds": 5.0}, Reason.WAITING_QUOTA),
    "about to be read": ({}, Reason.WAITING_TURN),
}
WAITS = {
    one for one in Reason if one.value.startswith(("waiting_", "target_paused", "target_refuses", "target_failing"))
}
PART_TWO = {Reason.OLDER_REVISION, Reason.WAITING_SCAN}  # named for later flows; nothing of part 1 writes them
ENDS = {
    Reason.DELIVERED, Reason.DELIVERED_JOINED, Reason.ALREADY_SO, Reason.SUPERSEDED, Reason.ECHO, Reason.NOTHING_NEW,
    Reason.NOT_ROUTED, Reason.DISCARDED, Reason.CANCELLED, Reason.SOURCE_UNREACHABLE,
}  # fmt: skip
DEAD = sorted(set(Reason) - WAITS - ENDS - PART_TWO)


@pytest.mark.parametrize("name", DELIVERIES)
def test_a_delivery_has_one_reason(name: str) -> None:
    """Whatever else holds, the nearest obstacle is the one that is told."""
    changed, reason = DELIVERIES[name]
    assert standing.of_delivery(replace(DELIVERY, **changed)).reason is reason


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_has_one_reason(name: str) -> None:
    """A change that led to no delivery says why."""
    changed, reason = CHANGES[name]
    assert standing.of_change(replace(CHANGE, **changed)).reason is reason


@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_has_one_reason(name: str) -> None:
    """A signal that led to no change says why."""
    changed, reason = SIGNALS[name]
    assert standing.of_signal(replace(SIGNAL, **changed)).reason is reason


@pytest.mark.parametrize("reason", DEAD)
def test_each_dead_reason_is_told_with_its_dead_letter(reason: Reason) -> None:
    """What died says why, and which letter to look at."""
    delivery = standing.of_delivery(replace(DELIVERY, state="dead", reason=reason.value, letter=12))
    change = standing.of_change(replace(CHANGE, state="dead", reason=reason.value, letter=12))
    signal = standing.of_signal(replace(SIGNAL, state="dead", reason=reason.value, letter=12))
    for told in (delivery, change, signal):
        assert (told.reason, told.final) == (reason, True)
        assert told.advice == f"{reason.next_step} (`casebridge dead show 12`)"


def test_the_table_reaches_every_reason_of_part_one() -> None:
    """A reason that nothing leads to would be a promise that nobody keeps."""
    reached = {reason for table in (DELIVERIES, CHANGES, SIGNALS) for _, reason in table.values()} | set(DEAD)
    assert set(Reason) - reached == PART_TWO


def test_a_waiting_delivery_names_what_it_waits_for() -> None:
    """The way on is told: which delivery, whether it is dead, and when the next attempt is."""
    behind = standing.of_delivery(replace(DELIVERY, first=5, first_state="dead"))
    needing = standing.of_delivery(replace(DELIVERY, unmet=[4, 5], dead_need=5))
    later = standing.of_delivery(replace(DELIVERY, waits="waiting_retry", due_seconds=600.0, attempt_detail="503 busy"))
    assert "delivery:5" in behind.detail
    assert "casebridge dead show delivery:5" in behind.advice
    assert "delivery:5, which is dead" in needing.detail
    assert later.detail == "in 10 min: 503 busy"
    assert [one.final for one in (behind, needing, later)] == [False, False, False]


def test_a_reason_of_another_version_is_no_crash() -> None:
    """A row written by a newer version still has a reason here."""
    assert standing.of_delivery(replace(DELIVERY, state="dead", reason="from_the_future")).reason is Reason.REJECTED

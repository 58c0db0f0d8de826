# ruff: noqa: ARG002 -- fakes keep the signatures of the Protocols that they stand for
"""Dispatch of one delivery: look before repeating, check before showing, plan anew where that is safe."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.config import Config
from pipeline.connector import Facts, Link, Work
from pipeline.domain.reason import Reason
from pipeline.errors import AuthError, LeaseLostError, PermanentError, TransientError
from pipeline.plan import Answer, Answers, Outcome, Plan, Receipt, Request, Verdict
from pipeline.stages.dispatch import ROUNDS, Delivered, dispatch
from schemas.content import Author, Side, Text
from schemas.operation import Comment

DONE = Outcome(Verdict.DONE)
WRITE = Request("write", "POST", "/comments")
MARKS = Request("marks", "GET", "/comments", reads=True)
STATUS = Request("status", "GET", "/status", reads=True)
WORK = Work(
    Comment(link_id=1, text=Text("x"), author=Author(Side.HUB)), 5, "key-0", "ABCD2345",
    {1: Link(1, "gemini", "item", "7")}, Config(), None,
)  # fmt: skip


@dataclass
class Scene:
    """A target and its wire: what each step's answer means, in turn; what was sent, and under which key."""

    outcomes: dict[str, list[Any]] = field(default_factory=dict)
    marks: str = "[]"
    find_plan: Plan | None = field(default_factory=lambda: Plan("gemini", (MARKS,)))
    facts_plan: Plan = field(default_factory=lambda: Plan("gemini"))
    sent: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    facts_seen: list[dict[str, Any]] = field(default_factory=list)

    def facts(self, work: Work) -> Plan:
        return self.facts_plan

    def plan(self, work: Work, facts: Facts) -> Plan:
        self.keys.append(work.idem_key)
        self.facts_seen.append(dict(facts))
        return Plan("gemini") if facts.get("there") else Plan("gemini", (WRITE,))

    def find(self, work: Work) -> Plan | None:
        return self.find_plan

    def found(self, work: Work, answers: Answers) -> Receipt | None:
        return Receipt(parts=(("comment", "7"),)) if work.mark in answers["marks"].json else None

    def judge(self, work: Work, request: Request, answer: Answer) -> Outcome:
        return DONE

    def receipt(self, work: Work, answers: Answers) -> Receipt:
        return Receipt(parts=(("comment", "8"),))

    def run(self, plan: Plan, *, judge: Any, before_send: Callable[[], None] | None = None) -> Any:
        answers, outcome = {}, DONE
        for request in plan.requests:
            if before_send is not None:
                before_send()
            self.sent.append(request.step)
            found = self.outcomes.get(request.step, [DONE])
            outcome = found.pop(0) if len(found) > 1 else found[0]
            if isinstance(outcome, Exception):
                raise outcome
            answers[request.step] = Answer(200, {}, self.marks.encode())
            if outcome.verdict not in {Verdict.DONE, Verdict.ALREADY}:
                break
        return SimpleNamespace(answers=answers, outcome=outcome, exchanges=())


def deliver(scene: Scene, *, must_look: bool = False, **more: Any) -> Delivered:
    """One attempt."""
    return dispatch(
        WORK,
        target=scene,
        sender=scene,
        must_look=must_look,
        before_send=more.pop("before_send", lambda: None),
        still_cleared=more.pop("still_cleared", lambda: None),
        key_of=lambda round_: f"key-{round_}",
    )


def test_the_first_attempt_costs_one_call() -> None:
    """Nothing of it can be there, so nobody looks."""
    scene = Scene()
    done = deliver(scene)
    assert (done.outcome.verdict, done.looked, scene.sent) == (Verdict.DONE, False, ["write"])
    assert done.receipt == Receipt(parts=(("comment", "8"),))


def test_a_repeat_looks_first_and_stops_at_its_mark() -> None:
    """The answer was lost, the comment is there: it is not written twice."""
    scene = Scene(marks=json.dumps(["ABCD2345"]))
    done = deliver(scene, must_look=True)
    assert (done.outcome.verdict, done.looked, scene.sent) == (Verdict.DONE, True, ["marks"])
    assert done.receipt == Receipt(parts=(("comment", "7"),))


def test_a_repeat_that_finds_nothing_is_written() -> None:
    """Certainly absent, so the write goes on."""
    scene = Scene()
    deliver(scene, must_look=True)
    assert scene.sent == ["marks", "write"]


@pytest.mark.parametrize("verdict", [Verdict.RETRY, Verdict.UNKNOWN, Verdict.DEAD, Verdict.AGAIN])
def test_a_look_up_that_fails_writes_nothing(verdict: Verdict) -> None:
    """Not knowing is not the same as absent: later, whatever the answer would have meant for a write."""
    scene = Scene({"marks": [Outcome(verdict, Reason.REJECTED)]})
    done = deliver(scene, must_look=True)
    assert (done.outcome.verdict, scene.sent) == (Verdict.RETRY, ["marks"])


def test_what_cannot_be_looked_up_is_left_to_a_person() -> None:
    """Never a blind repeat."""
    scene = Scene(find_plan=None)
    done = deliver(scene, must_look=True)
    assert (done.outcome.verdict, done.outcome.reason) == (Verdict.DEAD, Reason.MAY_HAVE_HAPPENED)
    assert scene.sent == []


def test_what_may_be_repeated_freely_is_repeated() -> None:
    """An absolute value, compared before it is written."""
    scene = Scene(find_plan=Plan("gemini"))
    assert deliver(scene, must_look=True).outcome.verdict is Verdict.DONE
    assert scene.sent == ["write"]


def test_words_that_are_internal_by_now_are_not_sent() -> None:
    """The source says so when it is asked again, right before the send."""
    scene = Scene()
    refused = Outcome(Verdict.DEAD, Reason.VISIBILITY)
    assert deliver(scene, still_cleared=lambda: refused).outcome is refused
    assert scene.sent == []


def test_a_conflict_is_planned_anew_under_a_new_key() -> None:
    """The first had no effect; the second has another body, so another key (decisions D5)."""
    scene = Scene({"write": [Outcome(Verdict.AGAIN, learned={"stamp": 2}), DONE]})
    done = deliver(scene)
    assert (done.outcome.verdict, done.rounds, scene.keys) == (Verdict.DONE, 2, ["key-0", "key-1"])
    assert scene.facts_seen[1]["stamp"] == 2


def test_endless_conflicts_end_as_a_retry() -> None:
    """Four plans an attempt; then it waits like any failure."""
    scene = Scene({"write": [Outcome(Verdict.AGAIN)]})
    done = deliver(scene)
    assert (done.outcome.verdict, len(scene.sent)) == (Verdict.RETRY, ROUNDS)


def test_an_unknown_outcome_is_never_repeated_within_the_attempt() -> None:
    """Only a look-up may go on."""
    scene = Scene({"write": [Outcome(Verdict.UNKNOWN, Reason.MAY_HAVE_HAPPENED)]})
    assert deliver(scene).outcome.verdict is Verdict.UNKNOWN
    assert scene.sent == ["write"]


def test_facts_that_cannot_be_read_write_nothing() -> None:
    """A lost answer to a read is a retry, not an unknown outcome."""
    scene = Scene({"status": [Outcome(Verdict.UNKNOWN)]}, facts_plan=Plan("gemini", (STATUS,)))
    assert deliver(scene).outcome.verdict is Verdict.RETRY
    assert scene.sent == ["status"]


@pytest.mark.parametrize(
    ("error", "verdict", "reason"),
    [
        (PermanentError(Reason.UNMAPPED_STATUS, "no 'x'"), Verdict.DEAD, Reason.UNMAPPED_STATUS),
        (AuthError("401"), Verdict.AUTH, Reason.TARGET_REFUSES_LOGIN),
        (TransientError("503", retry_after=9), Verdict.RETRY, Reason.WAITING_RETRY),
    ],
)
def test_errors_are_outcomes(error: Exception, verdict: Verdict, reason: Reason) -> None:
    """Whatever a writer or the wire raises is judged here; a drain sees outcomes alone."""
    outcome = deliver(Scene({"write": [error]})).outcome
    assert (outcome.verdict, outcome.reason) == (verdict, reason)


def test_what_was_sent_stays_on_record_although_its_writer_fails() -> None:
    """An answer that no writer foresaw: the delivery is a person's, and the exchange is there to be read."""

    class Odd(Scene):
        def receipt(self, work: Work, answers: Answers) -> Receipt:
            raise KeyError("id")

        def run(self, plan: Plan, **more: Any) -> Any:
            sent = super().run(plan, **more)
            sent.exchanges = ("POST /comments",)
            return sent

    done = deliver(Odd())
    assert (done.outcome.verdict, done.outcome.reason) == (Verdict.DEAD, Reason.UNREADABLE)
    assert done.exchanges == ("POST /comments",)


def test_a_lost_lease_is_raised() -> None:
    """Nothing may be written about it, so it is no outcome."""

    def lost() -> None:
        raise LeaseLostError("gone")

    scene = Scene()
    with pytest.raises(LeaseLostError):
        deliver(scene, before_send=lost)
    assert scene.sent == []


def test_a_target_that_is_gone_closes_its_link() -> None:
    """The delivery is dead, and the link becomes a tombstone in the same commit."""
    gone = Outcome(Verdict.DEAD, Reason.TARGET_GONE, learned={"gone": True})
    assert deliver(Scene({"write": [gone]})).receipt == Receipt(closed_link_ids=(1,))

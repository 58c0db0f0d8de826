"""Dispatch of one delivery: look up, render, clear, send, judge. No transaction is open in here.

1. On any attempt after the first the target is asked for our mark before anything is repeated.
2. Partner-facing words of Zendesk or Gemini origin are checked again at their source (decisions D9).
3. Facts are read, the pure writer plans, the executor sends; AGAIN plans anew on fresh facts, a few times.
"""

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import msgspec

from pipeline.connector import Facts, Target, Work
from pipeline.domain.reason import Reason
from pipeline.errors import AuthError, LeaseLostError, PermanentError, TransientError
from pipeline.plan import Answer, Answers, Outcome, Plan, Receipt, Request, Verdict

ROUNDS = 4  # plans per attempt: the first and three decided anew
ANSWER_CAP = 2_000
READING = frozenset({"GET", "HEAD"})


class Sent(Protocol):
    """What an executor reports of one plan."""

    @property
    def answers(self) -> Answers: ...
    @property
    def outcome(self) -> Outcome: ...
    @property
    def exchanges(self) -> tuple[Any, ...]: ...


class Sender(Protocol):
    """The one executor (pipeline.http), as a stage sees it."""

    def run(
        self,
        plan: Plan,
        *,
        judge: Callable[[Request, Answer], Outcome],
        before_send: Callable[[], None] | None = None,
    ) -> Sent: ...


@dataclass(frozen=True)
class Delivered:
    """How one attempt went: the outcome, what it left behind, and the masked exchanges for the record."""

    outcome: Outcome
    receipt: Receipt | None
    exchanges: tuple[Any, ...]
    looked: bool
    rounds: int
    ms: float

    @property
    def hash(self) -> str | None:
        """SHA-256 over what was sent, for the audit trail."""
        sent = [(e.method, e.url, e.request_body) for e in self.exchanges if e.sent]
        return hashlib.sha256(msgspec.json.encode(sent)).hexdigest() if sent else None

    @property
    def writes(self) -> int:
        """How many requests left that an object's own limit counts; one that the limit refused (429) is none."""
        return sum(1 for e in self.exchanges if e.sent and e.method not in READING and e.status != 429)


def dispatch(
    work: Work,
    *,
    target: Target,
    sender: Sender,
    must_look: bool,
    before_send: Callable[[], None],
    still_cleared: Callable[[], Outcome | None],
    key_of: Callable[[int], str],
) -> Delivered:
    """Bring one operation to its target once. Never raises but LeaseLostError: everything else is an outcome.

    `key_of(n)` is the idempotency key of the n-th plan: one decided anew has another body (decisions D5).
    """
    attempt = _Attempt(work, target, sender, before_send, key_of)
    started = time.monotonic()
    looked = False
    try:
        if must_look:
            looked, found = True, attempt.look_up()
            if found is not None:
                return attempt.result(found[0], found[1], looked, started)
        refused = still_cleared()
        if refused is not None:
            return attempt.result(refused, None, looked, started)
        outcome, receipt = attempt.send()
    except LeaseLostError:
        raise
    except PermanentError as error:
        outcome, receipt = Outcome(Verdict.DEAD, error.reason, error.detail), None
    except AuthError as error:
        outcome, receipt = Outcome(Verdict.AUTH, Reason.TARGET_REFUSES_LOGIN, str(error)), None
    except TransientError as error:
        outcome, receipt = (
            Outcome(Verdict.RETRY, Reason.WAITING_RETRY, str(error), retry_after_seconds=error.retry_after),
            None,
        )
    except Exception as error:  # noqa: BLE001 -- a writer's fault, maybe after it sent: what was sent stays on record
        outcome, receipt = Outcome(Verdict.DEAD, Reason.UNREADABLE, f"{type(error).__name__}: {error}"), None
    return attempt.result(outcome, receipt, looked, started)


class _Attempt:
    """One attempt's collaborators and what it has sent so far."""

    def __init__(
        self,
        work: Work,
        target: Target,
        sender: Sender,
        before_send: Callable[[], None],
        key_of: Callable[[int], str],
    ) -> None:
        self.work, self.target, self.sender = work, target, sender
        self.before_send, self.key_of = before_send, key_of
        self.exchanges: tuple[Any, ...] = ()
        self.rounds = 0

    def look_up(self) -> tuple[Outcome, Receipt | None] | None:
        """The receipt of an earlier attempt; None when it certainly left nothing behind."""
        plan = self.target.find(self.work)
        if plan is None:
            detail = "an earlier attempt was sent, and this target cannot be asked for its mark"
            return Outcome(Verdict.DEAD, Reason.MAY_HAVE_HAPPENED, detail), None
        if not plan:
            return None
        sent = self._run(plan)
        if sent.outcome.verdict not in {Verdict.DONE, Verdict.ALREADY}:
            if sent.outcome.reason is Reason.TARGET_GONE:
                return sent.outcome, _gone(self.work, sent.outcome)
            return _as_retry(sent.outcome), None
        receipt = self.target.found(self.work, sent.answers)
        return None if receipt is None else (Outcome(Verdict.DONE, detail="found by its mark"), receipt)

    def send(self) -> tuple[Outcome, Receipt | None]:
        """Read the facts, plan, send; once more on fresh facts where the target says so."""
        learned: dict[str, Any] = {}
        outcome = Outcome(Verdict.RETRY, Reason.WAITING_RETRY)
        while self.rounds < ROUNDS:
            work = replace(self.work, idem_key=self.key_of(self.rounds))
            self.rounds += 1
            facts, failed = self._facts(work)
            if failed is not None:
                return failed, _gone(work, failed)
            plan = self.target.plan(work, {**facts, **learned})
            if not plan:
                return Outcome(Verdict.ALREADY, Reason.ALREADY_SO), None
            sent = self._run(plan)
            outcome = sent.outcome
            if outcome.verdict in {Verdict.DONE, Verdict.ALREADY}:
                return outcome, self.target.receipt(work, sent.answers)
            if outcome.verdict is not Verdict.AGAIN:
                return outcome, _gone(work, outcome)
            learned |= dict(outcome.learned)
        return replace(outcome, verdict=Verdict.RETRY, reason=Reason.WAITING_RETRY), None

    def _facts(self, work: Work) -> tuple[Facts, Outcome | None]:
        plan = self.target.facts(work)
        if not plan:
            return {}, None
        sent = self._run(plan)
        if sent.outcome.verdict in {Verdict.DONE, Verdict.ALREADY}:
            return {**_parsed(sent.answers), "answers": sent.answers}, None
        if sent.outcome.verdict is Verdict.AGAIN:
            return {**_parsed(sent.answers), **sent.outcome.learned, "answers": sent.answers}, None
        outcome = sent.outcome
        return {}, _as_retry(outcome) if outcome.verdict is Verdict.UNKNOWN else outcome

    def _run(self, plan: Plan) -> Sent:
        sent = self.sender.run(
            plan,
            judge=lambda request, answer: self.target.judge(self.work, request, answer),
            before_send=self.before_send,
        )
        self.exchanges += tuple(sent.exchanges)
        return sent

    def result(self, outcome: Outcome, receipt: Receipt | None, looked: bool, started: float) -> Delivered:
        elapsed = (time.monotonic() - started) * 1000
        return Delivered(outcome, receipt, self.exchanges, looked, max(self.rounds, 1), elapsed)


def _as_retry(outcome: Outcome) -> Outcome:
    """A failed read sent nothing: it is tried again, whatever a write would have meant."""
    if outcome.verdict is Verdict.AUTH:
        return outcome
    reason = Reason.WAITING_QUOTA if outcome.reason is Reason.WAITING_QUOTA else Reason.WAITING_RETRY
    return replace(outcome, verdict=Verdict.RETRY, reason=reason)


def _gone(work: Work, outcome: Outcome) -> Receipt | None:
    """A target that is gone turns its link into a tombstone, though the delivery itself is dead.

    `work.link` is the object that was asked for: the successor, where another object took the first one's place.
    """
    if outcome.learned.get("gone"):
        return Receipt(closed_link_ids=(work.link.id,))
    return None


def _parsed(answers: Mapping[str, Answer]) -> dict[str, Any]:
    return {step: _json(answer) for step, answer in answers.items()}


def _json(answer: Answer) -> Any:
    try:
        return answer.json
    except ValueError:
        return None

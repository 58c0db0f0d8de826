"""From how an attempt went to what the ledger writes: done, again at, dead, and what that means for the lane."""

import random
from dataclasses import dataclass, field, replace

import msgspec

from pipeline.domain.lanes import blocks, origin_of
from pipeline.domain.reason import Reason
from pipeline.domain.retry import CAP, RetryPolicy
from pipeline.domain.states import DeliveryState
from pipeline.plan import Outcome, Verdict
from pipeline.stages.dispatch import Delivered
from pipeline.store.lanes import DECODE, Held
from pipeline.store.settlements import Attempt, Settlement
from pipeline.store.sql import storable
from schemas.operation import OperationKind

AUTH_RETRY_SECONDS = 60.0
LOST_RETRY_SECONDS = 1.0  # a lease that ran down before its call began; at once would spin where leases are too short


@dataclass(frozen=True)
class Finished:
    """One lane back from its sender. `delivered` None: passed over (superseded) or the lease was lost."""

    held: Held
    system: str
    delivered: Delivered | None
    lost: bool = False
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    named_in_needs: bool = False
    comments_block: bool = False

    @property
    def verdict(self) -> Verdict | None:
        return self.delivered.outcome.verdict if self.delivered else None

    @property
    def done(self) -> bool:
        passed_over = self.delivered is None and not self.lost
        return passed_over or self.verdict in {Verdict.DONE, Verdict.ALREADY}

    @property
    def dead(self) -> bool:
        return self.verdict is Verdict.DEAD or (self.verdict in _LATER and self.wait() is None)

    def wait(self) -> float | None:
        assert self.delivered is not None
        after = self.delivered.outcome.retry_after_seconds
        jitter = random.uniform(-1, 1)  # noqa: S311 -- spreads retries, no secret
        return self.policy.wait(self.held.tries, jitter=jitter, retry_after=after)


_LATER = frozenset({Verdict.RETRY, Verdict.UNKNOWN, Verdict.AGAIN})


def fallen(held: Held, system: str, error: BaseException) -> Finished:
    """A lane whose sender ended by an error that nobody foresaw: what it sent is unknown, so it is looked up later."""
    outcome = Outcome(Verdict.UNKNOWN, Reason.WAITING_RETRY, f"{type(error).__name__}: {error}")
    return Finished(held, system, Delivered(outcome, None, (), looked=False, rounds=1, ms=0.0))


def unrecorded(item: Finished, error: Exception) -> Finished:
    """An outcome that the ledger refuses to store: a person compares the target with what was to be written."""
    assert item.delivered is not None
    before = f"{item.delivered.outcome.verdict.value} {item.delivered.outcome.reason.value}"
    reason = Reason.MAY_HAVE_HAPPENED if item.done else Reason.UNREADABLE
    detail = f"its outcome ({before}) cannot be recorded: {type(error).__name__}: {error}"
    outcome = Outcome(Verdict.DEAD, reason, detail)
    return replace(item, delivered=Delivered(outcome, None, (), looked=False, rounds=1, ms=item.delivered.ms))


def blocked_for(item: Finished) -> tuple[float, Reason, str] | None:
    """(seconds, reason, detail) where the outcome concerns the whole target; None where it concerns this lane alone."""
    outcome = item.delivered.outcome if item.delivered else None
    if outcome is None or outcome.learned.get("scope") in {"object", "own"}:
        return None
    if outcome.verdict is Verdict.AUTH:
        return AUTH_RETRY_SECONDS, Reason.TARGET_REFUSES_LOGIN, outcome.detail
    if outcome.reason is Reason.SOURCE_UNREACHABLE:  # another system's fault
        return None
    if outcome.verdict is Verdict.RETRY and outcome.retry_after_seconds:
        return min(outcome.retry_after_seconds, CAP), Reason.WAITING_QUOTA, outcome.detail
    return None


def settlement(item: Finished, *, keep: bool) -> Settlement:
    """What the ledger writes for one finished lane; `keep` holds it for its next delivery."""
    if item.lost:
        return Settlement(item.held, None, done=False, burn=False, wait_seconds=LOST_RETRY_SECONDS)
    if item.delivered is None:
        return Settlement(item.held, None, done=True, keep=keep)
    outcome = item.delivered.outcome
    if item.done:
        return _done(item, outcome, keep=keep)
    if outcome.verdict is Verdict.AUTH:
        reason = Reason.TARGET_REFUSES_LOGIN
        return _later(item, outcome, reason, AUTH_RETRY_SECONDS, burn=False)
    wait = item.wait()
    if outcome.verdict is Verdict.DEAD or wait is None:
        return _dead(item, outcome, keep=keep)
    if outcome.reason in {Reason.WAITING_QUOTA, Reason.SOURCE_UNREACHABLE}:
        return _later(item, outcome, outcome.reason, min(outcome.retry_after_seconds or wait, CAP), burn=False)
    return _later(item, outcome, Reason.WAITING_RETRY, wait, burn=True)


def _done(item: Finished, outcome: Outcome, *, keep: bool) -> Settlement:
    assert item.delivered is not None
    reason = Reason.DELIVERED if outcome.verdict is Verdict.DONE else Reason.ALREADY_SO
    skipped = item.delivered.receipt is None and outcome.verdict is Verdict.ALREADY
    return Settlement(
        item.held,
        _attempt(item, outcome, reason),
        done=True,
        keep=keep,
        state=DeliveryState.SKIPPED if skipped else None,
        receipt=item.delivered.receipt,
        plan_rev=item.held.plan_rev + item.delivered.rounds - 1,
        origin=origin_of(DECODE(item.held.operation)),
        queue=item.system,
    )


def _later(item: Finished, outcome: Outcome, reason: Reason, wait: float, *, burn: bool) -> Settlement:
    attempt = _attempt(item, outcome, reason)
    return Settlement(item.held, attempt, done=False, burn=burn, wait_seconds=wait, waits=reason.value)


def _dead(item: Finished, outcome: Outcome, *, keep: bool) -> Settlement:
    assert item.delivered is not None
    exhausted = outcome.verdict in _LATER
    reason = Reason.RETRIES_EXHAUSTED if exhausted else outcome.reason
    kind = OperationKind(item.held.kind)
    stops = blocks(kind, named_in_needs=item.named_in_needs, comments_block=item.comments_block)
    return Settlement(
        item.held,
        _attempt(item, outcome, reason),
        done=not stops,
        keep=keep and not stops,
        blocks=stops,
        waits=reason.value if stops else None,
        state=DeliveryState.DEAD,
        receipt=item.delivered.receipt,
        dead_detail=storable(outcome.detail),
        queue=item.system,
    )


def _attempt(item: Finished, outcome: Outcome, reason: Reason) -> Attempt:
    assert item.delivered is not None
    return Attempt(
        verdict=outcome.verdict.value,
        reason=reason,
        detail=storable(outcome.detail),
        ms=item.delivered.ms,
        looked=item.delivered.looked,
        exchanges=msgspec.json.encode(item.delivered.exchanges),
        hash=item.delivered.hash,
        writes=item.delivered.writes,
    )

"""From states in the ledger to exactly one reason each: the pure half of `why`.

A delivery that waits names its nearest obstacle, in this order: its target paused or refusing the log-in, its turn, a
need, the last attempt's outcome, the target's limit, a moment to settle.
"""

from dataclasses import dataclass

from pipeline.domain.reason import Reason
from pipeline.domain.states import ChangeState, DeliveryState, SignalState
from pipeline.service.reasons import known
from pipeline.store.trace import ChangeRow, DeliveryRow, SignalRow

LATER = frozenset({
    Reason.WAITING_RETRY, Reason.WAITING_QUOTA, Reason.SOURCE_UNREACHABLE, Reason.WAITING_SETTLE,
    Reason.TARGET_REFUSES_LOGIN, Reason.TARGET_FAILING, Reason.WAITING_SCAN,
})  # fmt: skip


@dataclass(frozen=True)
class Standing:
    """Why something is as it is. `detail` is about this one; `final` says that nothing more happens by itself."""

    reason: Reason
    detail: str = ""
    next_step: str = ""
    final: bool = True

    @property
    def sentence(self) -> str:
        return self.reason.sentence

    @property
    def advice(self) -> str:
        """What to do next: this one's own step, else the reason's."""
        return self.next_step or self.reason.next_step


def of_delivery(row: DeliveryRow) -> Standing:
    """The one reason of a delivery. One that was sent again later stands where its successor stands (`sent_again`)."""
    if row.state == DeliveryState.DEAD:
        return _dead(row.reason or row.attempt_reason, row.letter_detail or row.attempt_detail, row.letter)
    if row.state == DeliveryState.QUEUED:
        return _done(row) if row.seq <= row.head else _waiting(row)
    if row.state == DeliveryState.SKIPPED:
        return Standing(known(row.reason, Reason.ALREADY_SO), row.attempt_detail or "")
    if row.state == DeliveryState.SUPERSEDED:
        return Standing(Reason.SUPERSEDED)
    if row.state == DeliveryState.REQUEUED:
        return Standing(Reason.WAITING_FOR, f"sent again as delivery:{row.sent_again}", final=False)
    return Standing(known(row.reason, Reason.CANCELLED))


def of_change(row: ChangeRow) -> Standing:
    """The one reason of a change that was not routed; a routed one's reasons are those of its deliveries."""
    if row.state == ChangeState.DEAD:
        return _dead(row.reason, row.detail, row.letter)
    if row.state == ChangeState.ECHO:
        return Standing(Reason.ECHO, (row.detail or "").replace("delivery ", "delivery:"))
    if row.state == ChangeState.SKIPPED:
        return Standing(known(row.reason, Reason.NOT_ROUTED), row.detail or "")
    if row.state == ChangeState.ROUTED:
        return Standing(Reason.NOTHING_NEW, "every delivery of it existed already")
    if row.blocked_by is not None:
        step = f"Requeue or discard change:{row.blocked_by} (`casebridge dead list`)."
        return Standing(Reason.WAITING_TURN, f"change:{row.blocked_by} of the same object is dead", step, final=False)
    if row.early_seconds:
        return Standing(known(row.reason, Reason.WAITING_SETTLE), _in(row.early_seconds), final=False)
    return Standing(Reason.WAITING_TURN, "it is about to be routed", final=False)


def of_signal(row: SignalRow) -> Standing:
    """The one reason of a signal that led to no change."""
    if row.state == SignalState.DEAD:
        return _dead(row.reason, row.letter_detail, row.letter)
    if row.state == SignalState.SKIPPED:
        return Standing(known(row.reason, Reason.DISCARDED))
    if row.state == SignalState.NOTHING_NEW:
        return Standing(Reason.NOTHING_NEW)
    if row.state == SignalState.EXPANDED:
        return Standing(Reason.NOTHING_NEW, f"the poll that it asked for found {row.changes} new signals")
    if row.source_reason == Reason.TARGET_REFUSES_LOGIN:
        return Standing(Reason.TARGET_REFUSES_LOGIN, row.source_detail or "", final=False)
    if not row.held and row.object_reason and row.due_seconds:
        reason = known(row.object_reason, Reason.WAITING_RETRY)
        waits = reason if reason in LATER else Reason.WAITING_RETRY
        return Standing(waits, _with(_in(row.due_seconds), row.object_detail), final=False)
    if row.blocked_seconds:
        return _blocked(row.source_reason, row.source_detail, row.blocked_seconds)
    return Standing(Reason.WAITING_TURN, "its object is about to be read", final=False)


def _done(row: DeliveryRow) -> Standing:
    reason = known(row.attempt_reason, Reason.DELIVERED)
    final = {Reason.DELIVERED, Reason.DELIVERED_JOINED, Reason.ALREADY_SO}
    return Standing(reason if reason in final else Reason.DELIVERED, row.attempt_detail or "")


def _waiting(row: DeliveryRow) -> Standing:
    return _whole_target(row) or _turn(row) or _own_wait(row)


def _whole_target(row: DeliveryRow) -> Standing | None:
    if row.paused:
        step = f"Resume it: `casebridge resume {row.target}`."
        return Standing(Reason.TARGET_PAUSED, row.target_reason or "", step, final=False)
    if Reason.TARGET_REFUSES_LOGIN in (row.target_reason, row.waits):
        return Standing(Reason.TARGET_REFUSES_LOGIN, row.target_detail or row.attempt_detail or "", final=False)
    return None


def _turn(row: DeliveryRow) -> Standing | None:
    if row.first is not None and row.first != row.id:
        return _behind(row.first, is_dead=row.first_state == DeliveryState.DEAD)
    return _needing(row) if row.unmet else None


def _own_wait(row: DeliveryRow) -> Standing:
    if row.held:
        return Standing(Reason.WAITING_TURN, "it is being sent right now", final=False)
    waits = known(row.waits, Reason.WAITING_TURN)
    if waits in LATER and row.due_seconds:
        return Standing(waits, _with(_in(row.due_seconds), row.attempt_detail), final=False)
    if row.blocked_seconds:
        return _blocked(row.target_reason, row.target_detail, row.blocked_seconds)
    if row.early_seconds:
        return Standing(Reason.WAITING_SETTLE, _in(row.early_seconds), final=False)
    return Standing(Reason.WAITING_TURN, "it is due; the next drain takes it", final=False)


def _behind(first: int, *, is_dead: bool) -> Standing:
    if not is_dead:
        return Standing(Reason.WAITING_TURN, f"delivery:{first} goes first", final=False)
    step = f"Requeue or discard delivery:{first} (`casebridge dead show delivery:{first}`)."
    return Standing(Reason.WAITING_TURN, f"delivery:{first} goes first and is dead", step, final=False)


def _needing(row: DeliveryRow) -> Standing:
    needed = row.dead_need or row.unmet[0]
    if row.dead_need is None:
        return Standing(Reason.WAITING_FOR, f"delivery:{needed}", "Wait.", final=False)
    step = f"Requeue or discard delivery:{needed} (`casebridge dead show delivery:{needed}`)."
    return Standing(Reason.WAITING_FOR, f"delivery:{needed}, which is dead", step, final=False)


def _blocked(reason: str | None, detail: str | None, seconds: float) -> Standing:
    return Standing(known(reason, Reason.TARGET_FAILING), _with(_in(seconds), detail), final=False)


def _dead(reason: str | None, detail: str | None, letter: int | None) -> Standing:
    why = known(reason, Reason.REJECTED)
    step = f"{why.next_step} (`casebridge dead show {letter}`)" if letter else why.next_step
    return Standing(why, detail or "", step)


def _in(seconds: float) -> str:
    if seconds < 90:
        return f"in {seconds:.0f} s"
    return f"in {seconds / 60:.0f} min" if seconds < 5400 else f"in {seconds / 3600:.1f} h"


def _with(when: str, detail: str | None) -> str:
    return f"{when}: {detail}" if detail else when

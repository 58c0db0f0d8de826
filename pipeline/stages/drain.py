"""Draining a target: claim many lanes, send in parallel, settle in groups; the loop of engine.md 3.3.

Invariants: no transaction is open during a call; a call starts only if its intent is committed and the lease,
counted from before the statement that gave it, has 40 % left; every write after the claim carries the nonce; a lane
is in one hand only; all state in here may vanish at any time.
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from queue import Empty, SimpleQueue
from typing import Protocol

from pipeline.connector import Limit
from pipeline.stages import refusals
from pipeline.stages.senders import InHand, Senders
from pipeline.stages.settling import Finished, blocked_for, fallen, settlement, unrecorded
from pipeline.store import lanes, settlements, targets
from pipeline.store.lanes import Held
from pipeline.store.pool import REFUSALS, Conn, again
from pipeline.store.settlements import Settled


@dataclass(frozen=True)
class Sizes:
    """Measured in engine.md 5. Seconds where it says so."""

    senders: int = 16
    in_hand: int = 64
    group: int = 16
    gather_seconds: float = 0.005
    lease_seconds: float = 60.0
    lease_left: float = 0.4
    linger_seconds: float = 0.05
    run_seconds: float = 10.0
    hung_seconds: float = 3600.0  # a sender that has not come back by then is given up: no call has a longer deadline


class Bell(Protocol):
    """How a drain hears of new work without a queue message for each event (engine.md 4)."""

    def listen(self, name: str, seconds: float) -> bool: ...
    def refresh(self, name: str) -> None: ...
    def leave(self, name: str) -> None: ...
    def help(self, name: str) -> bool: ...


@dataclass
class Drained:
    """What one drain did; `ring` names targets (and transform) with new work, `dead` the dead letters to publish."""

    target: str
    delivered: int = 0
    retried: int = 0
    dead: int = 0
    seconds: float = 0.0
    unfinished: bool = False
    wants_help: bool = False
    ring: set[str] = field(default_factory=set)
    dead_letters: list[int] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.target}: {self.delivered} delivered, {self.retried} to retry, {self.dead} dead"
            f" in {self.seconds:.1f} s"
        )


Deliver = Callable[[Held, Callable[[], None]], Finished]


@dataclass
class _Written:
    """What one commit did: outcomes settled, lanes to hand out, cases whose sleeping lanes may wake."""

    done: Sequence[Finished]
    settled: Settled
    ready: list[Held]
    deliver: Deliver | None
    claimed: int
    concerned: set[int]


class Drain:
    """One run over one target's due lanes. `deliver` is called on sender threads, everything else on the caller's."""

    def __init__(  # noqa: PLR0913 -- the collaborators of one run, all by name
        self,
        conn: Conn,
        target: str,
        *,
        prepare: Callable[[Conn, Sequence[Held]], Deliver],
        bell: Bell,
        owner: str,
        sizes: Sizes | None = None,
        stop: threading.Event | None = None,
        per_object: Limit | None = None,
    ) -> None:
        self.conn, self.target, self.prepare, self.bell, self.owner = conn, target, prepare, bell, owner
        self.sizes = sizes or Sizes()
        self.stop = stop or threading.Event()
        self.per_object = per_object
        self.lease = timedelta(seconds=self.sizes.lease_seconds)
        self.out = Drained(target)
        self.hand: dict[int, InHand] = {}
        self.finished: SimpleQueue[Finished] = SimpleQueue()
        self.full_claims = 0

    def run(self) -> Drained:
        """Drain until nothing is due and the bell stays silent, at most `run_seconds`."""
        started = self.renewed = time.monotonic()
        over = True
        try:
            with Senders(self.sizes.senders) as senders:
                while True:
                    over = self.stop.is_set() or time.monotonic() - started > self.sizes.run_seconds
                    self.bell.refresh(self.target)
                    done = self._gather()
                    claimed = self._turn(done, senders, over=over)
                    if not self.hand and not claimed and (over or not self._wait()):
                        break
        except BaseException:
            over = True
            raise
        finally:
            self._leave(over=over)
        if self.out.delivered:
            targets.clear(self.conn, self.target)
        self.out.unfinished = over
        self.out.seconds = time.monotonic() - started
        return self.out

    def _leave(self, *, over: bool) -> None:
        """No call may start that nobody would settle; and whoever is hinted next must find the way free."""
        for slot in self.hand.values():
            slot.until = 0.0
        if over:
            self.bell.leave(self.target)

    def _gather(self) -> list[Finished]:
        """Finished lanes: block for one, take what is there, wait a moment while the group is small."""
        if not self.hand:
            return []
        done: list[Finished] = []
        until = None
        while len(done) < self.sizes.group and len(done) < len(self.hand):
            timeout = 0.25 if until is None else max(until - time.monotonic(), 0)
            try:
                done.append(self.finished.get(timeout=timeout))
            except Empty:
                break
            if until is None:
                until = time.monotonic() + self.sizes.gather_seconds
        return done

    def _turn(self, done: list[Finished], senders: Senders, *, over: bool) -> int:
        """Settle what finished and claim what there is room for, in one commit; hand the work out."""
        before = time.monotonic()
        room = 0 if over else self.sizes.in_hand - len(self.hand) + len(done)
        if not done and room < self.sizes.group:
            self._renew()
            return 0
        written = self._commit(done, room, over=over)
        self._count(written.done, written.settled)
        for item in done:
            self.hand.pop(item.held.id, None)
        if written.deliver is not None:
            for held in written.ready:
                self._hand_out(held, before, written.deliver, senders)
        self.out.ring |= again(lambda: lanes.wake(self.conn, written.concerned))
        self._renew()
        return written.claimed

    def _commit(self, done: Sequence[Finished], room: int, *, over: bool) -> _Written:
        """One transaction. Where the ledger refuses a value each outcome is written apart: one must not stop all."""
        try:
            return again(lambda: self._write(done, room, over=over))
        except REFUSALS:
            return again(lambda: self._write(done, room, over=over, apart=True))

    def _write(self, done: Sequence[Finished], room: int, *, over: bool, apart: bool = False) -> _Written:
        with self.conn.transaction():
            if apart:
                done = [self._recordable(item) for item in done]
            settled = self._settle(done, keep=not over)
            if refusals.tell(self.conn, [item for item in done if item.held.id not in settled.lost]):
                self.out.ring.add("transform")
            claimed = self._claim(room)
            ready, give_back = self._ready([*settled.kept, *claimed])
            lanes.release(self.conn, give_back)
            deliver = self.prepare(self.conn, ready) if ready else None
            self._block(done)
        # a lane that goes to sleep may have missed the settle of what it waits for: that one saw it awake
        asleep = {held.case_id for held, _, why in give_back if why == "waiting_for"}
        return _Written(done, settled, ready, deliver, len(claimed), settled.cases | asleep)

    def _settle(self, done: Sequence[Finished], *, keep: bool) -> Settled:
        return settlements.settle(self.conn, [settlement(item, keep=keep) for item in done], lease=self.lease)

    def _recordable(self, item: Finished) -> Finished:
        """The outcome, if the ledger takes it (tried and taken back); else the dead letter that stands for it."""
        try:
            with self.conn.transaction(force_rollback=True):
                self._settle([item], keep=False)
        except REFUSALS as error:
            return unrecorded(item, error)
        return item

    def _block(self, done: Iterable[Finished]) -> None:
        """A refused log-in, 429 or 503 concerns the whole target: nothing more is claimed for a while (D11)."""
        for item in done:
            found = blocked_for(item)
            if found is not None:
                seconds, reason, detail = found
                targets.block(self.conn, self.target, seconds=seconds, reason=reason, detail=detail)

    def _claim(self, room: int) -> list[Held]:
        if room < self.sizes.group:
            return []
        claimed = lanes.claim(self.conn, self.target, owner=self.owner, lease=self.lease, room=room)
        self.full_claims = self.full_claims + 1 if len(claimed) >= min(room, self.sizes.in_hand) else 0
        if self.full_claims == 8:
            self.out.wants_help |= self.bell.help(self.target)
        return claimed

    def _ready(self, held: Sequence[Held]) -> tuple[list[Held], list[tuple[Held, float, str]]]:
        """Those that may be sent now, and those to give back: a need unmet, a status settling, a limit used up."""
        asleep = lanes.unmet(self.conn, [item.delivery_id for item in held if item.needs])
        queued = [item.id for item in held if item.state == "queued"]
        full = lanes.used_up(self.conn, queued, self.per_object) if self.per_object is not None else {}
        ready: list[Held] = []
        back: list[tuple[Held, float, str]] = []
        for item in held:
            if item.delivery_id in asleep:
                back.append((item, 0.0, "waiting_for"))
            elif item.early and item.state == "queued":
                back.append((item, item.early, "waiting_settle"))
            elif item.id in full:
                back.append((item, full[item.id], "waiting_quota"))
            else:
                ready.append(item)
        return ready, back

    def _hand_out(
        self,
        held: Held,
        before: float,
        deliver: Deliver,
        senders: Senders,
    ) -> None:
        slot = InHand(held, before + self.sizes.lease_seconds, self.sizes.lease_seconds * self.sizes.lease_left)
        self.hand[held.id] = slot
        senders.submit(lambda: self.finished.put(self._delivered(held, slot, deliver)))

    def _delivered(self, held: Held, slot: InHand, deliver: Deliver) -> Finished:
        try:
            return deliver(held, slot.check)
        except BaseException as error:  # noqa: BLE001 -- a sender that ends in silence would hold lane and drain for ever
            return fallen(held, self.target, error)

    def _renew(self) -> None:
        """Extend the leases of what is in hand; believe only what comes back (engine.md trap 5)."""
        before = time.monotonic()
        if before - self.renewed < self.sizes.lease_seconds / 4 or not self.hand:
            return
        self.renewed = before
        self.hand = {lane: slot for lane, slot in self.hand.items() if before - slot.since < self.sizes.hung_seconds}
        held = [(slot.held.id, slot.held.nonce) for slot in self.hand.values()]
        ours = again(lambda: lanes.renew(self.conn, held, lease=self.lease))
        for lane, slot in self.hand.items():
            if lane in ours:
                slot.until = before + self.sizes.lease_seconds

    def _wait(self) -> bool:
        """Listen for a moment; then leave, look once more, and only then end."""
        if self.bell.listen(self.target, self.sizes.linger_seconds):
            return True
        self.bell.leave(self.target)
        return lanes.is_due(self.conn, self.target)

    def _count(self, done: Iterable[Finished], settled: Settled) -> None:
        lost = set(settled.lost)
        for item in done:
            if item.held.id in lost:
                continue
            if item.dead:
                self.out.dead += 1
            elif item.done:
                self.out.delivered += 1
            else:
                self.out.retried += 1
        self.out.dead_letters += settled.dead_letters

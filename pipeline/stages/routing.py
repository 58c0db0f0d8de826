"""Routing a batch of changes: decided in memory one by one, written together; pure but for what it looks up.

An object with an earlier change left open or blocked waits with all its later ones (flows.md rule 6).
"""

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from msgspec import structs

from pipeline.config import Config
from pipeline.connector import Link
from pipeline.domain.identity import delivery_key
from pipeline.domain.reason import Reason
from pipeline.domain.states import ChangeState, LinkState
from pipeline.errors import PermanentError, SkippedError
from pipeline.flow import CaseView, Flow, Move, Planned, Situation, Step
from pipeline.stages.casebook import Casebook
from pipeline.store import audit, changes, deliveries
from pipeline.store.changes import Broken, Ending, OpenChange
from pipeline.store.deliveries import NewDelivery
from pipeline.store.pool import AWAY, Conn
from schemas.change import Change, ChangeKind, ObjectRef
from schemas.operation import AnyOperation, Bind, Comment, Create, State

SETTLE_AGAIN_SECONDS = 1.0
HOP_LIMIT = 8  # systems that a change may have crossed; one more is a loop (flows.md rule 4)


@dataclass
class Transformed:
    """What one run did: how many changes it ended, whom to ring, which dead letters to publish."""

    ended: int = 0
    routed: int = 0
    ring: set[str] = field(default_factory=set)
    dead_letters: list[int] = field(default_factory=list)
    busy: bool = False  # another transformer holds the lock

    def add(self, other: "Transformed") -> None:
        """Count another run's results in."""
        self.ended += other.ended
        self.routed += other.routed
        self.ring |= other.ring
        self.dead_letters += other.dead_letters

    def __str__(self) -> str:
        return f"transform: {self.ended} changes, {self.routed} deliveries, {len(self.dead_letters)} dead"


class Deferred(Exception):  # noqa: N818 -- a signal between two methods of this class, not an error
    """This change is looked at again in a moment."""


class Routing:
    """One batch: decisions in memory, written together at the end."""

    def __init__(self, conn: Conn, flows: Sequence[Flow], config: Config) -> None:
        self.conn, self.config = conn, config
        self.flows: Mapping[str, list[Flow]] = {
            source: [flow for flow in flows if flow.source == source] for source in {flow.source for flow in flows}
        }
        self.book = Casebook(conn, config, flows)
        self.endings: list[Ending] = []
        self.deferred: list[int] = []
        self.held: set[tuple[str, str]] = set()
        self.new: list[NewDelivery] = []
        self.dead: list[tuple[int, int | None, str | None, str, str]] = []

    def one(self, item: OpenChange | Broken) -> None:
        """Decide one change; an object with an earlier change left open or blocked waits with all its later ones.

        Raises what its routing raises; what was begun for it must be undone then.
        """
        if (item.source, item.object) in self.held:
            return
        if isinstance(item, Broken):
            self._end_dead(item, None, None, Reason.UNREADABLE, item.detail)
            return
        try:
            self._route(item)
        except Deferred:
            self.deferred.append(item.id)
            self.held.add((item.source, item.object))
        except SkippedError as skipped:
            self.endings.append(Ending(item.id, ChangeState.SKIPPED, skipped.reason, skipped.detail))

    def alone(self, item: OpenChange) -> None:
        """The same for a change that may fail: it is undone and ends as a dead letter."""
        before = len(self.new)
        try:
            with self.conn.transaction():
                self.one(item)
        except AWAY:
            raise
        except Exception as error:  # noqa: BLE001 -- as in `transform`
            del self.new[before:]
            self.book = Casebook(self.conn, self.config, self.book.flows)
            self.bury(item, error)

    def _route(self, item: OpenChange) -> None:
        cases = self.book.cases_of(item.change.ref)
        echo = self.book.echo(item, cases)
        if echo is not None:
            self.endings.append(
                Ending(item.id, ChangeState.ECHO, Reason.ECHO, f"delivery {echo}", cases[0] if cases else None)
            )
            return
        if self.book.must_wait(item, cases):
            raise Deferred
        if self.book.is_overtaken(item, cases):
            raise SkippedError(Reason.OLDER_REVISION, "a newer value of the same thing went out before it")
        if _hops(item.change) >= HOP_LIMIT:
            detail = f"found a change after {_hops(item.change)} hops between systems, expected fewer than {HOP_LIMIT}"
            raise PermanentError(Reason.LOOP, detail)
        opened = self._open(item, cases)
        concerned = list(dict.fromkeys([*cases, *opened]))
        if not concerned:
            raise SkippedError(Reason.NOT_ROUTED, f"{item.change.ref} belongs to no case")
        before = len(self.new)
        for case_id in concerned:
            self._route_case(item, case_id, opened=case_id in opened)
        routed = len(self.new) > before
        state = ChangeState.ROUTED if routed else ChangeState.SKIPPED
        reason = None if routed else Reason.NOT_ROUTED
        self.endings.append(Ending(item.id, state, reason, None, concerned[0]))

    def _open(self, item: OpenChange, cases: Sequence[int]) -> list[int]:
        """Cases that this change opens or joins; their binding to the changed object included."""
        flows = self.flows.get(item.source, [])
        openings = [opening for flow in flows for opening in flow.opens(item.change, self.config)]
        known = {self.book.view(case_id).partner_key for case_id in cases}
        fresh = [opening for opening in openings if opening.partner not in known]
        return [self.book.open(opening, item.change) for opening in fresh]

    def _route_case(self, item: OpenChange, case_id: int, *, opened: bool) -> None:
        view = self.book.view(case_id)
        here = view.link_of(item.change.ref)
        assert here is not None
        situation = Situation(item.change, view, here, self.config, opened)
        found = [one for flow in self.flows.get(item.source, []) for one in flow.route(situation)]
        for move in (one for one in found if isinstance(one, Move)):
            self._require_same_partners(item.change.ref, move.to)
            changes.move_link(self.conn, move)
            self.book.forget(case_id)
        if item.change.kind is ChangeKind.DELETED:
            changes.bury_links(self.conn, [here.id])
            self.book.forget(case_id)
        steps = [one for one in found if isinstance(one, Step)]
        self.new += self._deliveries(item, view, self._with_links(case_id, steps))
        if steps or opened:
            self.book.touched.add(case_id)

    def _require_same_partners(self, from_: ObjectRef, to: ObjectRef) -> None:
        """Merged objects of two partners stay apart, and a person is asked (flows.md rule 3)."""
        foreign = self.book.partners_of(to) - self.book.partners_of(from_)
        if foreign:
            detail = f"{from_} was merged into {to}, which belongs to a case of {', '.join(sorted(foreign))}"
            raise PermanentError(Reason.CROSS_PARTNER, f"{detail}: the cases stay apart")

    def _with_links(self, case_id: int, steps: Sequence[Step]) -> list[Step]:
        """Steps with real link ids in the place of the planned ones."""
        real: dict[int, int] = {}
        for step in steps:
            if step.plans is not None:
                real[step.plans.id] = changes.plan_link(self.conn, case_id, step.plans)
                self.book.add(case_id, _planned(step.plans, real[step.plans.id]))
        return [replace(step, operation=_relink(step.operation, real)) for step in steps] if real else [*steps]

    def _deliveries(self, item: OpenChange, view: CaseView, steps: Sequence[Step]) -> list[NewDelivery]:
        links = self.book.view(view.id).links

        def key(name: str) -> UUID:
            case = (view.partner_key, view.key, view.previous)
            return delivery_key(item.source, item.external_id, *case, _without_row_numbers(name, links))

        return [
            NewDelivery(
                target=step.target,
                case_id=view.id,
                partner=view.partner.key if view.partner else "",
                change_id=item.id,
                flow=step.flow,
                name=step.full_name,
                operation=_carried(step.operation, item.change),
                key=key(step.full_name),
                needs=tuple(key(f"{step.flow}.{need}") for need in step.needs),
                settle_seconds=self.config.settings.status_settle_seconds if step.settles else 0.0,
            )
            for step in steps
        ]

    def bury(self, item: OpenChange, error: Exception) -> None:
        """End a change as a dead letter: by its reason, or as what no flow foresaw."""
        reason, detail = _fault(error)
        cases = self.book.cases_of(item.change.ref)
        case_id = cases[0] if cases else None
        hint = item.change.snapshot.partner_hint
        partner = self.book.view(case_id).partner_key if case_id is not None else hint
        self._end_dead(item, case_id, partner, reason, detail)

    def _end_dead(
        self, item: OpenChange | Broken, case_id: int | None, partner: str | None, reason: Reason, detail: str
    ) -> None:
        blocks = case_id is None  # what would have opened the case is dead: later changes of the object wait for it
        self.endings.append(Ending(item.id, ChangeState.DEAD, reason, detail, case_id, blocks))
        self.dead.append((item.id, case_id, partner, reason, detail))
        if blocks:
            self.held.add((item.source, item.object))

    def write(self, config_version: int | None) -> Transformed:
        """Everything decided, in the caller's transaction."""
        out = Transformed(len(self.endings), len(self.new))
        out.ring = deliveries.append(self.conn, self.new, config_version=config_version)
        changes.end(self.conn, self.endings)
        changes.touch(self.conn, self.book.touched)
        if self.deferred:
            reason = Reason.WAITING_SETTLE.value
            changes.defer(self.conn, self.deferred, seconds=SETTLE_AGAIN_SECONDS, reason=reason)
        out.dead_letters = changes.bury(self.conn, self.dead)
        for change_id, case_id, _, reason, _ in self.dead:
            audit.record(self.conn, "casebridge", "dead", f"change:{change_id}", case_id=case_id, reason=reason)
        return out


def _fault(error: Exception) -> tuple[Reason, str]:
    if isinstance(error, PermanentError):
        return error.reason, error.detail
    where = traceback.format_exception(error)[-2].strip()
    return Reason.UNREADABLE, f"{type(error).__name__}: {error} at {where}"


def _without_row_numbers(name: str, links: Sequence[Link]) -> str:
    """A step's name with the place of its link in the case instead of the link's number.

    A preview's rows are rolled back and numbered again later; keys and marks must be the same then (promise P8).
    """
    head, _, last = name.rpartition("_")
    place = next((place for place, link in enumerate(links) if str(link.id) == last), None)
    return name if place is None else f"{head}_#{place}"


def _hops(change: Change) -> int:
    return int(change.details.get("hop_count") or 0)


def _carried(operation: AnyOperation, change: Change) -> AnyOperation:
    """The operation with the hops that its change has behind it, where it has any: writers add one."""
    if not _hops(change) or not isinstance(operation, Create | Comment | State):
        return operation
    return structs.replace(operation, details=operation.details | {"hop_count": _hops(change)})


def _planned(planned: Planned, link_id: int) -> Link:
    return Link(link_id, planned.system, planned.kind, None, LinkState.PLANNED.value)


def _relink(operation: AnyOperation, real: Mapping[int, int]) -> AnyOperation:
    if isinstance(operation, State) and "number_of" in operation.details:
        number_of = operation.details["number_of"]
        details = operation.details | {"number_of": real.get(number_of, number_of)}
        operation = structs.replace(operation, details=details)
    changed = structs.replace(operation, link_id=real.get(operation.link_id, operation.link_id))
    if isinstance(changed, Bind):
        counterpart = real.get(changed.counterpart_link_id, changed.counterpart_link_id)
        return structs.replace(changed, counterpart_link_id=counterpart)
    return changed

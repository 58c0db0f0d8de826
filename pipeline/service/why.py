"""Why something is as it is: follows signal, change and deliveries, and gives each end exactly one reason."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.service import standing
from pipeline.service.errors import NotFoundError
from pipeline.service.standing import Standing
from pipeline.service.subject import FORMS, Event, Own, parse
from pipeline.store import dead_letters, trace
from pipeline.store.pool import Conn
from pipeline.store.trace import ChangeRow, DeliveryRow, SignalRow
from schemas.change import ObjectRef


@dataclass(frozen=True)
class DeliveryStep:
    """A delivery and why it is as it is."""

    row: DeliveryRow
    standing: Standing


@dataclass(frozen=True)
class ChangeStep:
    """A change with what it was routed to; its own standing where that is nothing."""

    row: ChangeRow
    standing: Standing | None
    deliveries: tuple[DeliveryStep, ...]


@dataclass(frozen=True)
class Story:
    """What led to what. `loose` are deliveries whose change is not part of the story."""

    subject: str
    signals: tuple[tuple[SignalRow, Standing | None], ...]
    changes: tuple[ChangeStep, ...]
    loose: tuple[DeliveryStep, ...]
    links: tuple[dict[str, Any], ...] = ()

    @property
    def ends(self) -> list[Standing]:
        """The standings that the story ends with, one for each final or waiting thing."""
        found = [one for _, one in self.signals if one is not None]
        for change in self.changes:
            found += [change.standing] if change.standing else [step.standing for step in change.deliveries]
        return found + [step.standing for step in self.loose]


@dataclass(frozen=True)
class _Ids:
    signals: Sequence[int] = ()
    changes: Sequence[int] = ()
    deliveries: Sequence[int] = ()
    links: tuple[dict[str, Any], ...] = ()
    only: bool = False  # of the change only these deliveries


def why(conn: Conn, text: str, systems: Collection[str]) -> Story:
    """The story of what a person named. Raises NotFoundError, and WrongUseError for what names nothing."""
    subject = parse(text, systems)
    if isinstance(subject, Own):
        ids = _of_own(conn, subject)
    elif isinstance(subject, ObjectRef):
        ids = _of_object(conn, subject)
    else:
        ids = _of_event(conn, subject, systems)
    story = _story(conn, str(subject), ids)
    if not (story.signals or story.changes or story.loose or story.links):
        raise NotFoundError(f"The ledger holds nothing by the name {text}.", f"Name one of: {FORMS}.")
    return story


def _of_own(conn: Conn, subject: Own) -> _Ids:
    if subject.kind == "dead":
        return _of_letter(conn, subject)
    if subject.kind == "signal":
        return _Ids(signals=[subject.number], changes=trace.changes_of_signals(conn, [subject.number]))
    if subject.kind == "change":
        return _Ids(changes=[subject.number])
    rows = trace.deliveries(conn, [subject.number])
    changes = [row.change_id for row in rows if row.change_id is not None]
    return _Ids(changes=changes, deliveries=[subject.number], only=True)


def _of_letter(conn: Conn, subject: Own) -> _Ids:
    letter = dead_letters.get(conn, subject.number)
    if letter is None:
        raise NotFoundError(f"There is no dead letter {subject.number}.", "See `casebridge dead list`.")
    kind, _, number = letter.subject.partition(":")
    return _of_own(conn, Own(kind, int(number)))


def _of_object(conn: Conn, ref: ObjectRef) -> _Ids:
    name = f"{ref.kind}:{ref.external_id}"
    links = tuple(trace.links_of_object(conn, ref.system, ref.kind, ref.external_id))
    return _Ids(
        signals=trace.signals_of_object(conn, ref.system, name),
        changes=trace.changes_of_object(conn, ref.system, name),
        deliveries=trace.deliveries_to_links(conn, links) if links else [],
        links=links,
    )


def _of_event(conn: Conn, event: Event, systems: Collection[str]) -> _Ids:
    signals = trace.signals_named(conn, event.name, systems)
    changes = trace.changes_named(conn, event.name, systems) or trace.changes_of_signals(conn, signals)
    return _Ids(signals=signals, changes=changes)


def _story(conn: Conn, subject: str, ids: _Ids) -> Story:
    change_rows = trace.changes(conn, ids.changes)
    known = [row.signal_id for row in change_rows if row.signal_id is not None and not ids.signals]
    signal_rows = trace.signals(conn, sorted({*ids.signals, *known}))
    routed = ids.deliveries if ids.only else trace.deliveries_of_changes(conn, [row.id for row in change_rows])
    steps = _deliveries(conn, sorted({*routed, *ids.deliveries}))
    changes = tuple(_change(row, steps) for row in change_rows)
    shown = {step.row.id for change in changes for step in change.deliveries}
    loose = tuple(step for step in steps if step.row.id not in shown)
    explained = {row.signal_id for row in change_rows}
    signals = tuple((row, _signal(row, explained, bool(change_rows))) for row in signal_rows)
    return Story(subject, signals, changes, loose, ids.links)


def _signal(row: SignalRow, explained: Collection[int | None], has_changes: bool) -> Standing | None:
    """None where changes tell the rest of the signal's story."""
    if row.id in explained or (has_changes and row.state == "expanded"):
        return None
    return standing.of_signal(row)


def _change(row: ChangeRow, steps: Sequence[DeliveryStep]) -> ChangeStep:
    own = tuple(step for step in steps if step.row.change_id == row.id)
    return ChangeStep(row, None if own else standing.of_change(row), own)


def _deliveries(conn: Conn, ids: Sequence[int]) -> list[DeliveryStep]:
    """One that was sent again after others stands where its newest copy stands."""
    rows = trace.deliveries(conn, ids)
    again = trace.deliveries(conn, [row.sent_again for row in rows if row.sent_again is not None])
    copies = {row.id: row for row in again}
    return [_delivery(row, copies.get(row.sent_again or 0)) for row in rows]


def _delivery(row: DeliveryRow, copy: DeliveryRow | None) -> DeliveryStep:
    if row.state != "requeued" or copy is None:
        return DeliveryStep(row, standing.of_delivery(row))
    now = standing.of_delivery(copy)
    detail = f"sent again as delivery:{copy.id}" + (f": {now.detail}" if now.detail else "")
    return DeliveryStep(row, Standing(now.reason, detail, now.next_step, now.final))

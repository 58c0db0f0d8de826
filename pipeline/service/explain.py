"""`explain`: the exact requests that an event will cause, before anything is sent (promise P8, decisions D9).

Reading and rendering use GETs only (an executor in mode `read`); routing runs in a transaction that is rolled back
and ends before the next call goes out. Keys, marks and bodies are derived from the change, so what is shown is what
will be sent; values that only an answer can give stand as `{{named slots}}`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import msgspec
from msgspec import structs

from pipeline.connector import Http, Link, Pending, Signal, Source, UnreadableError, Work
from pipeline.documents.copying import LIMIT
from pipeline.domain.identity import idem_key, mark_of
from pipeline.domain.reason import Reason
from pipeline.domain.states import ChangeState
from pipeline.errors import CasebridgeError, InvalidPayloadError
from pipeline.service.foretell import ShownDelivery, Surroundings, foretell, foretold
from pipeline.service.stored import stored_deliveries
from pipeline.stages.copies import wanted
from pipeline.stages.courier import numbered, origin_of, successor
from pipeline.stages.told_files import Part, told_by
from pipeline.stages.transform import Preview, preview
from pipeline.store import changes, signals, trace, works
from pipeline.store.deliveries import NewDelivery
from pipeline.store.pool import Conn
from pipeline.store.works import Parts
from schemas.change import Change
from schemas.content import File
from schemas.operation import Attach, kind_of

DECODE = msgspec.json.Decoder(Change).decode
ALREADY_TOLD = "already_so: an earlier delivery puts this file there"
PAGES = 50  # of a poll that is looked through for an object's news; who is further behind reads a stored change
DECIDED = frozenset({ChangeState.ECHO.value, ChangeState.SKIPPED.value})


@dataclass(frozen=True)
class Explained:
    """What one change will cause, or has caused."""

    change: str
    kind: str
    outcome: str  # routed, echo, skipped, dead, open
    reason: str = ""
    detail: str = ""
    deliveries: tuple[ShownDelivery, ...] = ()


@dataclass
class Explanation:
    """What was looked at, and what follows from it."""

    looked_at: str
    changes: list[Explained] = field(default_factory=list)


def explain_object(world: Surroundings, system: str, obj: str, *, offline: bool = False) -> Explanation:
    """Read an object now, as ingest would, and explain every change that the ledger does not know yet."""
    if offline:
        raise CasebridgeError("an object is read at its source: leave out --offline, or explain a stored change")
    source, http = world.source(system), world.executor(system)
    with world.connection() as conn:
        known = signals.known(conn, system, obj)
        told = signals.open_of(conn, system, obj)
        cursor = signals.cursor(conn, system)
    if not told and cursor is not None:
        told = _polled(source, http, cursor, obj)
    reading = source.read(Pending(obj, tuple(told), known), http)
    return _explain(world, f"{system} {obj}", [_with_files(change) for change in reading.changes], offline=offline)


def explain_body(world: Surroundings, system: str, raw: bytes, *, offline: bool = False) -> Explanation:
    """Explain the object that a webhook's body names. Nothing in it is believed but that name, so no signature."""
    try:
        obj = world.source(system).object_of(raw)
    except UnreadableError as error:
        raise InvalidPayloadError(f"the body of {system} cannot be read: {error}") from error
    if obj is None:
        raise InvalidPayloadError(f"the body of {system} names no object: it only wakes the poll")
    return explain_object(world, system, obj, offline=offline)


def explain_change(world: Surroundings, change_id: int, *, offline: bool = False) -> Explanation:
    """Explain a stored change: a routed one by its deliveries, an open or dead one as if it were routed now.

    `offline` uses stored snapshots alone: reads are named, not made.
    """
    with world.connection() as conn:
        change = changes.get(conn, change_id)
        rows = trace.changes(conn, [change_id])
    if change is None or not rows:
        raise CasebridgeError(f"there is no change {change_id}: `casebridge show` lists what an event became")
    row, name = rows[0], f"change {change_id}"
    if row.state == ChangeState.ROUTED:
        shown = stored_deliveries(world, change_id, offline=offline)
        return Explanation(name, [_explained(change, row.state, row.reason, row.detail, shown)])
    if row.state in DECIDED:
        return Explanation(name, [_explained(change, row.state, row.reason, row.detail)])
    return _explain(world, name, [change], offline=offline)


def explain_record(world: Surroundings, record: bytes, *, offline: bool = False) -> Explanation:
    """Explain a change given as JSON (what `casebridge show change:N --json` prints under `record`)."""
    try:
        change = DECODE(record)
    except msgspec.ValidationError as error:
        raise InvalidPayloadError(
            f"found no change record ({error}), expected JSON as `casebridge show` prints it;"
            " for a webhook's body name its --source"
        ) from error
    return _explain(world, change.external_id, [change], offline=offline)


def _polled(source: Source, http: Http, cursor: Mapping[str, Any], obj: str) -> list[Signal]:
    """What the source's poll would tell of the object now; its cursor stays where it is."""
    found: list[Signal] = []
    for _ in range(PAGES):
        page = source.poll(cursor, http)
        found += [signal for signal in page.signals if signal.object == obj]
        cursor = page.cursor
        if not page.more:
            break
    return found


def _explain(world: Surroundings, looked_at: str, found: Sequence[Change], *, offline: bool) -> Explanation:
    with world.connection() as conn:
        seen = preview(conn, found, flows=world.flows, config=world.config)
        parts: Parts = {}
        for one in seen.deliveries:
            if origin := origin_of(one.operation):
                parts |= works.parts(conn, one.target, [(one.case_id, origin)])
        told = _told(conn, seen.deliveries)
    links = foretold(seen.links)
    explanation = Explanation(looked_at)
    for change in found:
        ending = seen.endings.get(change.external_id)
        mine = [one for one in seen.deliveries if seen.change_of[one.change_id] == change.external_id]
        shown = tuple(
            replace(_blank(one, seen), nothing=ALREADY_TOLD)
            if one.key in told
            else foretell(world, _blank(one, seen), _work(world, one, links, parts), offline=offline)
            for one in mine
        )
        if ending is None:
            explanation.changes.append(_explained(change, ChangeState.OPEN, Reason.WAITING_SETTLE, None))
        else:
            explanation.changes.append(_explained(change, ending.state, ending.reason, ending.detail, shown))
    return explanation


def _told(conn: Conn, deliveries: Sequence[NewDelivery]) -> set[UUID]:
    """Files that stand at their target already, or that an earlier one of these deliveries brings there."""
    found: set[UUID] = set()
    coming: set[tuple[str, Part]] = set()
    for one in deliveries:
        parts = told_by(one.operation)
        if isinstance(one.operation, Attach) and parts:
            there = bool(changes.by_parts(conn, one.target, parts))
            if there or any((one.target, part) in coming for part in parts):
                found.add(one.key)
        coming |= {(one.target, part) for part in parts}
    return found


def _explained(
    change: Change, state: str, reason: str | None, detail: str | None, shown: tuple[ShownDelivery, ...] = ()
) -> Explained:
    name = f"{change.ref} {change.external_id}"
    return Explained(name, change.kind.value, str(state), str(reason or ""), detail or "", shown)


def _blank(delivery: NewDelivery, seen: Preview) -> ShownDelivery:
    names = {one.key: one.name for one in seen.deliveries}
    needs = tuple(names[key] for key in delivery.needs if key in names)
    kind = kind_of(delivery.operation).value
    return ShownDelivery(delivery.flow, delivery.name, delivery.target, kind, needs, mark=mark_of(delivery.key))


def _work(world: Surroundings, delivery: NewDelivery, links: Mapping[int, Link], parts: Parts) -> Work:
    origin = origin_of(delivery.operation)
    current = {id_: successor(link, links) for id_, link in links.items()}
    return Work(
        operation=numbered(delivery.operation, current),
        delivery_id=0,
        idem_key=idem_key(delivery.key, 1),
        mark=mark_of(delivery.key),
        links=current,
        config=world.config,
        partner=world.config.partner(delivery.partner),
        parts={origin: parts.get((delivery.case_id, origin), ())} if origin else {},
    )


def _with_files(change: Change) -> Change:
    """The change as if its files had been copied, which a reading that is kept does first."""
    files = tuple(_copied(file) if wanted(change, file) else file for file in change.files)
    return structs.replace(change, files=files)


def _copied(file: File) -> File:
    if file.size > LIMIT:
        return structs.replace(file, withheld=Reason.FILE_TOO_LARGE.value)
    sha256 = file.sha256 or f"{{{{file.{file.external_id}.sha256}}}}"
    return structs.replace(file, stored=sha256, sha256=sha256)

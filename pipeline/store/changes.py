"""Changes out to transform, deliveries in: what routing needs to know, and its result in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg.rows import dict_row

from pipeline.connector import Link
from pipeline.flow import Move, Opening, Planned
from pipeline.store import sql
from pipeline.store.pool import Conn
from schemas.change import Change, ObjectRef

SQL = sql.load("changes")
DECODE = msgspec.json.Decoder(Change).decode
ENCODE = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class OpenChange:
    """A change to be routed."""

    id: int
    source: str
    object: str
    external_id: str
    change: Change
    read_at: datetime


@dataclass(frozen=True)
class Broken:
    """A change whose record cannot be read: of another version, or damaged."""

    id: int
    source: str
    object: str
    detail: str


@dataclass(frozen=True)
class CaseRow:
    """A case as stored; `previous` had the same key before it, until its join window passed."""

    id: int
    partner: str
    key: str
    previous: int | None = None


@dataclass(frozen=True)
class Ending:
    """What became of one change."""

    id: int
    state: str
    reason: str | None = None
    detail: str | None = None
    case_id: int | None = None
    blocks: bool = False


def lock(conn: Conn) -> bool:
    """Become the one transformer for this transaction; False when another is at work."""
    row = conn.execute(SQL["lock"]).fetchone()
    return bool(row and row[0])


def take(conn: Conn) -> list[OpenChange | Broken]:
    """The oldest changes that may be routed now, in the order in which they were read."""
    rows = conn.execute(SQL["take"]).fetchall()
    return [_opened(*row) for row in rows]


def _opened(id_: int, source: str, obj: str, external: str, record: bytes, at: datetime) -> OpenChange | Broken:
    try:
        return OpenChange(id_, source, obj, external, DECODE(bytes(record)), at)
    except msgspec.MsgspecError as error:
        return Broken(id_, source, obj, f"{type(error).__name__}: {error}")


def get(conn: Conn, change_id: int) -> Change | None:
    """One stored change's record."""
    row = conn.execute(SQL["get"], {"id": change_id}).fetchone()
    return DECODE(bytes(row[0])) if row else None


def append(conn: Conn, cause: int, change: Change) -> None:
    """A change that casebridge itself tells of the object of an earlier one; once, however often it is told."""
    params = {"cause": cause, "external": change.external_id, "kind": change.kind.value, "record": ENCODE(change)}
    conn.execute(SQL["append_change"], params)


def is_waiting(conn: Conn) -> bool:
    """Whether a change may be routed now."""
    return conn.execute(SQL["waiting"]).fetchone() is not None


def links_of(conn: Conn, refs: Iterable[ObjectRef]) -> list[tuple[int, Link]]:
    """(case id, link) of every binding of these objects."""
    unique = list(dict.fromkeys(refs))
    params = {
        "system": [ref.system for ref in unique],
        "kind": [ref.kind for ref in unique],
        "external": [ref.external_id for ref in unique],
    }
    return _links(conn, "links_of_objects", params)


def links_of_cases(conn: Conn, cases: Iterable[int]) -> list[tuple[int, Link]]:
    """(case id, link) of everything that these cases are bound to."""
    return _links(conn, "links_of_cases", {"cases": list(cases)})


def cases(conn: Conn, ids: Iterable[int]) -> list[CaseRow]:
    """The cases' rows."""
    return [CaseRow(*row) for row in conn.execute(SQL["cases"], {"cases": list(ids)}).fetchall()]


def open_or_join(conn: Conn, opening: Opening, *, window_days: int) -> int:
    """The case of (partner, key): the one that is there, or a new one; the constraint decides between two workers."""
    params = {"partner": opening.partner, "key": opening.case_key, "days": window_days}
    row = conn.execute(SQL["find_case"], params).fetchone()
    if row is not None and not row[3]:
        return int(row[0])
    generation, previous = (row[4] + 1, row[0]) if row is not None else (1, None)
    made = conn.execute(SQL["open_case"], params | {"generation": generation, "previous": previous}).fetchone()
    assert made is not None
    return int(made[0])


def touch(conn: Conn, ids: Iterable[int]) -> None:
    """Activity in these cases: their join windows begin anew."""
    conn.execute(SQL["touch_cases"], {"cases": sorted(set(ids))})


def bind(conn: Conn, case_id: int, ref: ObjectRef, *, url: str | None, exclusive: bool) -> int:
    """Bind a source's own object to its case."""
    row = conn.execute(
        SQL["bind"],
        {
            "case": case_id,
            "system": ref.system,
            "kind": ref.kind,
            "external": ref.external_id,
            "exclusive": exclusive,
            "url": url,
        },
    ).fetchone()
    assert row is not None
    return int(row[0])


def plan_link(conn: Conn, case_id: int, planned: Planned) -> int:
    """A place for an object that a delivery is going to create."""
    params = {"case": case_id, "system": planned.system, "kind": planned.kind, "exclusive": planned.exclusive}
    row = conn.execute(SQL["plan_link"], params).fetchone()
    assert row is not None
    return int(row[0])


def move_link(conn: Conn, move: Move) -> None:
    """The binding goes on at another object, whose parts are read anew."""
    conn.execute(SQL["move_link"], {"link": move.link_id, "external": move.to.external_id})
    wake_source(conn, move.to, why=f"moved:{move.link_id}")


def wake_source(conn: Conn, ref: ObjectRef, *, why: str) -> None:
    """Have an object read, by a signal of our own."""
    key = f"{ref.kind}:{ref.external_id}:{why}"
    conn.execute(SQL["wake_source"], {"source": ref.system, "key": key, "object": f"{ref.kind}:{ref.external_id}"})


def bury_links(conn: Conn, links: Sequence[int]) -> None:
    """Bindings of objects that were deleted become tombstones."""
    conn.execute(SQL["bury_links"], {"links": list(links)})


def by_marks(conn: Conn, target: str, marks: Iterable[str]) -> dict[str, tuple[int, int]]:
    """mark -> (delivery, case) of our deliveries to this system."""
    rows = conn.execute(SQL["by_mark"], {"target": target, "marks": list(marks)}).fetchall()
    return {mark: (delivery, case) for mark, delivery, case in rows}


def by_parts(conn: Conn, system: str, parts: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """(kind, external id) -> delivery that left this part there."""
    params = {"system": system, "kind": [k for k, _ in parts], "external": [e for _, e in parts]}
    return {(kind, external): delivery for kind, external, delivery in conn.execute(SQL["by_part"], params).fetchall()}


def take_echo(conn: Conn, target: str, cases: Sequence[int], echo: str, change_id: int) -> int | None:
    """The delivery whose value this change shows; each excuses one change only."""
    params = {"target": target, "cases": list(cases), "echo": echo, "change": change_id}
    row = conn.execute(SQL["by_echo"], params).fetchone()
    return row[0] if row else None


def hop_of(conn: Conn, target: str, cases: Sequence[int], at: datetime) -> int | None:
    """A state delivery whose own value has not come back yet, if the change happened while it was being written."""
    row = conn.execute(SQL["hop_of"], {"target": target, "cases": list(cases), "at": at}).fetchone()
    return row[0] if row else None


def in_flight(conn: Conn, target: str, cases: Sequence[int] | None, *, read_at: datetime) -> bool:
    """Whether a change read at that time may be the effect of a delivery of these cases that has not settled.

    Without cases: of any create at the system, since only those make objects that are bound to nothing yet.
    """
    params = {"target": target, "cases": None if cases is None else list(cases), "read_at": read_at}
    return conn.execute(SQL["in_flight"], params).fetchone() is not None


def overtaken_by(conn: Conn, cases: Sequence[int], change_id: int) -> list[Change]:
    """Newer changes of the same kind that were routed while this one lay dead."""
    rows = conn.execute(SQL["overtaken_by"], {"cases": list(cases), "change": change_id}).fetchall()
    return [DECODE(bytes(row[0])) for row in rows]


def defer(conn: Conn, ids: Sequence[int], *, seconds: float, reason: str) -> None:
    """Leave these changes open and look again: after `seconds`, a tenth of their age later on, within the minute.

    Later ones of their objects wait too.
    """
    conn.execute(SQL["defer"], {"ids": list(ids), "seconds": seconds, "reason": reason})


def end(conn: Conn, endings: Sequence[Ending]) -> None:
    """Write what became of the changes."""
    if not endings:
        return
    conn.execute(
        SQL["settle_changes"],
        {
            "id": [e.id for e in endings],
            "state": [e.state for e in endings],
            "reason": [e.reason for e in endings],
            "detail": [None if e.detail is None else sql.storable(e.detail) for e in endings],
            "case": [e.case_id for e in endings],
            "blocks": [e.blocks for e in endings],
        },
    )


def bury(conn: Conn, rows: Sequence[tuple[int, int | None, str | None, str, str]]) -> list[int]:
    """Dead letters of (change, case, partner, reason, detail); returns their ids."""
    if not rows:
        return []
    names = ("change", "case", "partner", "reason", "detail")
    params = {name: [_plain(row[n]) for row in rows] for n, name in enumerate(names)}
    return [row[0] for row in conn.execute(SQL["dead_letters"], params).fetchall()]


def _plain(value: object) -> object:
    return sql.storable(value) if isinstance(value, str) else value


def known_keys(conn: Conn, keys: Sequence[UUID]) -> set[UUID]:
    """Keys of deliveries that exist already: routing twice adds nothing."""
    return {row[0] for row in conn.execute(SQL["known_keys"], {"keys": list(keys)}).fetchall()}


def _links(conn: Conn, name: str, params: Mapping[str, Any]) -> list[tuple[int, Link]]:
    with conn.cursor(row_factory=dict_row) as cur:
        rows = cur.execute(SQL[name], params).fetchall()
    return [
        (
            row["case_id"],
            Link(
                row["id"], row["system"], row["kind"], row["external_id"], row["state"], row["url"], row["facts"],
                row["replaced_by"],
            ),
        )
        for row in rows
    ]  # fmt: skip

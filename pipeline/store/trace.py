"""What happened to one thing: signals, changes and deliveries with all that tells why they are as they are."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from psycopg.rows import class_row, dict_row

from pipeline.store import sql
from pipeline.store.pool import Conn

SQL = sql.load("trace")
NEWEST = 20  # changes and deliveries shown of one object
Row = TypeVar("Row")


@dataclass(frozen=True, kw_only=True)
class SignalRow:
    """One signal beside its object's and its source's state; seconds are counted from now."""

    id: int
    source: str
    key: str
    object: str
    position: int | None
    via: str
    state: str
    reason: str | None
    changes: int
    received_at: datetime
    ended_at: datetime | None
    held: bool
    object_reason: str | None
    object_detail: str | None
    due_seconds: float | None
    blocked_seconds: float | None
    source_reason: str | None
    source_detail: str | None
    letter: int | None
    letter_detail: str | None


@dataclass(frozen=True, kw_only=True)
class ChangeRow:
    """One change; `blocked_by` is an earlier, dead change of its object that must go first."""

    id: int
    source: str
    external_id: str
    object: str
    kind: str
    signal_id: int | None
    state: str
    reason: str | None
    detail: str | None
    case_id: int | None
    read_at: datetime
    ended_at: datetime | None
    early_seconds: float | None
    blocked_by: int | None
    letter: int | None


@dataclass(frozen=True, kw_only=True)
class DeliveryRow:
    """One delivery beside its lane's and its target's state; `first` is what its lane sends next."""

    id: int
    target: str
    case_id: int
    partner: str
    seq: int
    change_id: int | None
    flow: str
    kind: str
    name: str
    link_id: int | None
    state: str
    reason: str | None
    mark: str
    redo: int
    plan_rev: int
    created_at: datetime
    lane_id: int
    head: int
    tries: int
    waits: str | None
    held: bool
    due_seconds: float | None
    early_seconds: float | None
    paused: bool
    target_reason: str | None
    target_detail: str | None
    blocked_seconds: float | None
    unmet: list[int]
    dead_need: int | None
    first: int | None
    first_state: str | None
    verdict: str | None
    attempt_reason: str | None
    attempt_detail: str | None
    attempted_at: datetime | None
    letter: int | None
    letter_detail: str | None
    sent_again: int | None


def signals(conn: Conn, ids: Sequence[int]) -> list[SignalRow]:
    """The signals of these ids, in their order."""
    return _rows(conn, SignalRow, "signals", ids)


def changes(conn: Conn, ids: Sequence[int]) -> list[ChangeRow]:
    """The changes of these ids, in their order."""
    return _rows(conn, ChangeRow, "changes", ids)


def deliveries(conn: Conn, ids: Sequence[int]) -> list[DeliveryRow]:
    """The deliveries of these ids, in their order."""
    return _rows(conn, DeliveryRow, "deliveries", ids)


def signals_named(conn: Conn, name: str, sources: Collection[str]) -> list[int]:
    """Signals that one of the sources calls by this name."""
    return _ids(conn, "signals_named", {"name": name, "sources": list(sources)})


def changes_named(conn: Conn, name: str, sources: Collection[str]) -> list[int]:
    """Changes that one of the sources calls by this name."""
    return _ids(conn, "changes_named", {"name": name, "sources": list(sources)})


def changes_of_signals(conn: Conn, ids: Sequence[int]) -> list[int]:
    """What the readings found that these signals woke."""
    return _ids(conn, "changes_of_signals", {"ids": list(ids)})


def deliveries_of_changes(conn: Conn, ids: Sequence[int]) -> list[int]:
    """What these changes were routed to."""
    return _ids(conn, "deliveries_of_changes", {"ids": list(ids)})


def signals_of_object(conn: Conn, source: str, name: str) -> list[int]:
    """An object's open signals and its newest one; `name` is `ticket:35`."""
    return _ids(conn, "signals_of_object", {"source": source, "object": name, "limit": NEWEST})


def changes_of_object(conn: Conn, source: str, name: str) -> list[int]:
    """An object's newest changes."""
    return _ids(conn, "changes_of_object", {"source": source, "object": name, "limit": NEWEST})


def links_of_object(conn: Conn, system: str, kind: str, external_id: str) -> list[dict[str, Any]]:
    """Bindings of an object: id, case_id, state, url."""
    with conn.cursor(row_factory=dict_row) as cur:
        params = {"system": system, "kind": kind, "external": external_id}
        return cur.execute(SQL["links_of_object"], params).fetchall()


def deliveries_to_links(conn: Conn, links: Sequence[Mapping[str, Any]]) -> list[int]:
    """The newest deliveries that act on these bindings."""
    params = {"cases": [link["case_id"] for link in links], "links": [link["id"] for link in links], "limit": NEWEST}
    return _ids(conn, "deliveries_to_links", params)


def inbox(conn: Conn, signal: int) -> tuple[dict[str, str], bytes] | None:
    """A signal's headers and raw bytes; None when there are none, or no longer."""
    row = conn.execute(SQL["inbox"], {"id": signal}).fetchone()
    return None if row is None else (row[0], bytes(row[1]))


def record(conn: Conn, change: int) -> bytes:
    """A change as JSON."""
    return _bytes(conn, "record", change)


def operation(conn: Conn, delivery: int) -> bytes:
    """A delivery's operation as JSON."""
    return _bytes(conn, "operation", delivery)


def attempts(conn: Conn, delivery: int) -> list[dict[str, Any]]:
    """A delivery's attempts, oldest first; `exchanges` is masked JSON."""
    with conn.cursor(row_factory=dict_row) as cur:
        return cur.execute(SQL["attempts"], {"id": delivery}).fetchall()


def letter_of(conn: Conn, kind: str, number: int) -> int | None:
    """The dead letter of a signal, change or delivery: the one that waits, else the newest."""
    params = {name: number if name == kind else None for name in ("signal", "change", "delivery")}
    row = conn.execute(SQL["letter_of"], params).fetchone()
    return row[0] if row else None


def _rows(conn: Conn, row: type[Row], name: str, ids: Sequence[int]) -> list[Row]:
    if not ids:
        return []
    with conn.cursor(row_factory=class_row(row)) as cur:
        return cur.execute(SQL[name], {"ids": list(ids)}).fetchall()


def _ids(conn: Conn, name: str, params: Mapping[str, Any]) -> list[int]:
    return [row[0] for row in conn.execute(SQL[name], params).fetchall()]


def _bytes(conn: Conn, name: str, number: int) -> bytes:
    row = conn.execute(SQL[name], {"id": number}).fetchone()
    return b"null" if row is None else bytes(row[0])

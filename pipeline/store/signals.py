"""Signals in, source objects out to read: stored before they are answered, one reader an object."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from pipeline.connector import Pending, Signal
from pipeline.domain.reason import Reason
from pipeline.domain.states import SignalState
from pipeline.errors import LeaseLostError
from pipeline.store import sql
from pipeline.store.pool import Conn
from schemas.change import Change

SQL = sql.load("signals")
POLL = "*"
ENCODE = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Incoming:
    """One signal on its way in, with what its sender's request carried (no secrets among the headers)."""

    source: str
    signal: Signal
    headers: Mapping[str, str]
    via: str = "webhook"


@dataclass(frozen=True)
class ClaimedObject:
    """A source object in hand."""

    id: int
    source: str
    object: str
    nonce: int
    wanted: int
    tries: int
    known: bytes


@dataclass(frozen=True)
class Opened:
    """A claimed object with its open signals, ready to be read."""

    claimed: ClaimedObject
    signal_ids: tuple[int, ...]
    pending: Pending


def receive(conn: Conn, batch: Sequence[Incoming]) -> tuple[int, list[str]]:
    """Store a batch durably in one statement; returns (new signals, sources that have something to read)."""
    unique = {(item.source, item.signal.key): item for item in reversed(batch)}
    rows = [unique[key] for key in reversed(unique)]
    row = conn.execute(
        SQL["receive"],
        {
            "source": [item.source for item in rows],
            "key": [item.signal.key for item in rows],
            "object": [item.signal.object or POLL for item in rows],
            "position": [item.signal.position for item in rows],
            "via": [item.via for item in rows],
            "headers": [Jsonb(dict(item.headers)) for item in rows],
            "raw": [item.signal.raw for item in rows],
        },
        prepare=True,
    ).fetchone()
    assert row is not None
    return row[0], row[1] or []


def bury(conn: Conn, source: str, key: str, raw: bytes, headers: Mapping[str, str], *, detail: str) -> int | None:
    """Keep a rightly signed but unreadable body as a dead letter; None when it is a repeat."""
    params = {"source": source, "key": key, "raw": raw, "headers": Jsonb(dict(headers)), "detail": detail}
    row = conn.execute(SQL["bury"], params | {"reason": Reason.UNREADABLE.value}).fetchone()
    return row[0] if row else None


def ensure_poll(conn: Conn, source: str) -> None:
    """Make the source's poll exist."""
    conn.execute(SQL["ensure_poll"], {"source": source})


def cursor(conn: Conn, source: str) -> dict[str, Any] | None:
    """Where the source's poll stands; None before its first start."""
    row = conn.execute(SQL["cursor"], {"source": source}).fetchone()
    return row[0] if row else None


def move_cursor(conn: Conn, source: str, value: Mapping[str, Any]) -> None:
    """Move the cursor; the caller's transaction also holds the signals that it covers."""
    conn.execute(SQL["move_cursor"], {"source": source, "value": Jsonb(dict(value))})


def claim(conn: Conn, source: str, *, owner: str, lease: timedelta, limit: int) -> list[Opened]:
    """Take up to `limit` due objects of a source with their open signals in the source's order."""
    statement = SQL["claim"].replace("{limit}", str(int(limit)))
    with conn.cursor(row_factory=class_row(ClaimedObject)) as cur:
        cur.execute(statement.encode(), {"source": source, "owner": owner, "lease": lease})
        claimed = cur.fetchall()
    if not claimed:
        return []
    rows = conn.execute(SQL["open_signals"], {"source": source, "objects": [o.object for o in claimed]}).fetchall()
    by_object: dict[str, list[tuple[int, Signal]]] = {o.object: [] for o in claimed}
    for name, id_, key, position, raw in rows:
        by_object[name].append((id_, Signal(key, name, bytes(raw), position)))
    return [_opened(item, by_object[item.object]) for item in claimed]


def settle_object(
    conn: Conn,
    opened: Opened,
    changes: Sequence[Change],
    known: Mapping[str, Any] | None,
    *,
    again: float = 0,
    found: int = 0,
) -> int:
    """Changes, the ends of their signals and the object's memory in one commit; raises LeaseLostError when fenced off.

    `found` counts what a poll stored meanwhile, `again` the seconds until its next turn. Returns how many changes
    were new.
    """
    new = _add_changes(conn, opened, changes)
    state = SignalState.EXPANDED if new or found else SignalState.NOTHING_NEW
    reason = None if new or found else Reason.NOTHING_NEW.value
    params = {"ids": list(opened.signal_ids), "state": state.value, "reason": reason, "changes": new or found}
    conn.execute(SQL["end_signals"], params)
    encoded = None if known is None else msgspec.json.encode(known)
    row = conn.execute(
        SQL["settle_object"],
        {
            "id": opened.claimed.id,
            "nonce": opened.claimed.nonce,
            "wanted": opened.claimed.wanted,
            "known": encoded,
            "again": float(again),
        },
    ).fetchone()
    if row is None:
        raise LeaseLostError(f"{opened.claimed.source} {opened.claimed.object}: another reader took it over")
    return new


def extend(conn: Conn, opened: Opened, *, lease: timedelta) -> None:
    """Keep an object in hand for longer (a poll of many pages); raises LeaseLostError when it was taken over."""
    params = {"id": opened.claimed.id, "nonce": opened.claimed.nonce, "lease": lease}
    if conn.execute(SQL["extend_object"], params).fetchone() is None:
        raise LeaseLostError(f"{opened.claimed.source} {opened.claimed.object}: another reader took it over")


def keep(conn: Conn, opened: Sequence[Opened], *, lease: timedelta) -> None:
    """Extend the leases of these objects, as far as they are still ours."""
    claimed = [one.claimed for one in opened]
    params = {"id": [one.id for one in claimed], "nonce": [one.nonce for one in claimed], "lease": lease}
    conn.execute(SQL["keep_objects"], params)


def postpone(conn: Conn, opened: Opened, *, wait: float, reason: Reason, detail: str, burn: bool = True) -> None:
    """Read it again after `wait` seconds."""
    claimed = opened.claimed
    params = {"id": claimed.id, "nonce": claimed.nonce, "wait": wait, "burn": burn}
    conn.execute(SQL["postpone_object"], params | {"reason": reason.value, "detail": sql.storable(detail)})


def bury_signals(conn: Conn, opened: Opened, *, reason: Reason, detail: str) -> list[int]:
    """End the object's open signals as dead letters; returns the letters' ids."""
    params = {"ids": list(opened.signal_ids), "reason": reason.value, "detail": sql.storable(detail)}
    return [row[0] for row in conn.execute(SQL["bury_signals"], params).fetchall()]


def known(conn: Conn, source: str, obj: str) -> dict[str, Any]:
    """What the last reading of an object asked to remember; {} before the first."""
    row = conn.execute(SQL["known"], {"source": source, "object": obj}).fetchone()
    return dict(msgspec.json.decode(bytes(row[0]))) if row else {}


def open_of(conn: Conn, source: str, obj: str) -> list[Signal]:
    """The object's open signals, in the source's order."""
    rows = conn.execute(SQL["open_signals"], {"source": source, "objects": [obj]}).fetchall()
    return [Signal(key, name, bytes(raw), position) for name, _, key, position, raw in rows]


def bury_file(conn: Conn, opened: Opened, change: Change, *, reason: Reason, detail: str) -> list[int]:
    """A dead letter for a file that a stored change goes on without; none where one waits for the same file already."""
    params = {"source": opened.claimed.source, "external": change.external_id, "partner": change.snapshot.partner_hint}
    rows = conn.execute(SQL["bury_file"], params | {"reason": reason.value, "detail": sql.storable(detail)}).fetchall()
    return [int(row[0]) for row in rows]


def due_sources(conn: Conn) -> list[str]:
    """Sources with something to read now."""
    return [row[0] for row in conn.execute(SQL["due_sources"]).fetchall()]


def _opened(claimed: ClaimedObject, signals: Sequence[tuple[int, Signal]]) -> Opened:
    known = msgspec.json.decode(claimed.known)
    pending = Pending(claimed.object, tuple(signal for _, signal in signals), known)
    return Opened(claimed, tuple(id_ for id_, _ in signals), pending)


def _add_changes(conn: Conn, opened: Opened, changes: Sequence[Change]) -> int:
    if not changes:
        return 0
    newest = opened.signal_ids[-1] if opened.signal_ids else None
    row = conn.execute(
        SQL["add_changes"],
        {
            "source": [opened.claimed.source] * len(changes),
            "external": [change.external_id for change in changes],
            "object": [f"{change.ref.kind}:{change.ref.external_id}" for change in changes],
            "kind": [change.kind.value for change in changes],
            "signal": [newest] * len(changes),
            "record": [ENCODE(change) for change in changes],
            "at": [change.at for change in changes],
        },
    ).fetchone()
    assert row is not None
    return int(row[0])

"""The ledger at a glance: what waits at each target, how far each source is, what is not routed yet."""

from dataclasses import dataclass

from psycopg.rows import class_row

from pipeline.store import sql
from pipeline.store.pool import Conn

SQL = sql.load("overview")


@dataclass(frozen=True)
class Waiting:
    """Deliveries that wait for one target; `reasons` are those of lanes that a failed attempt holds back."""

    count: int = 0
    oldest_seconds: float | None = None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class SourceRow:
    """How far a source is: seconds since its cursor moved, seconds until its next poll, objects to read."""

    source: str
    started: bool
    moved: float | None
    due: float | None
    polling: bool
    reason: str | None
    detail: str | None
    unread: int
    oldest: float | None


def waiting(conn: Conn) -> dict[str, Waiting]:
    """Target -> what waits for it."""
    rows = conn.execute(SQL["waiting"]).fetchall()
    return {target: Waiting(int(count), oldest, tuple(waits or ())) for target, count, oldest, waits in rows}


def sources(conn: Conn) -> list[SourceRow]:
    """Every source that was ever started."""
    with conn.cursor(row_factory=class_row(SourceRow)) as cur:
        return cur.execute(SQL["sources"]).fetchall()


def untransformed(conn: Conn) -> tuple[int, float | None]:
    """(changes that are not routed yet, age of the oldest in seconds)."""
    row = conn.execute(SQL["untransformed"]).fetchone()
    assert row is not None
    return row[0], row[1]

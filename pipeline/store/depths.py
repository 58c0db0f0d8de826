"""How much waits where, and for how long: what metrics and `casebridge status` show. Reads only."""

from dataclasses import dataclass

from pipeline.store import sql, targets
from pipeline.store.pool import Conn

SQL = sql.load("depths")


@dataclass(frozen=True)
class TargetDepth:
    """One target and its lanes. `waiting` could be sent now, `held` are being sent, `later` wait for a retry's time."""

    name: str
    paused: bool
    blocked_seconds: float | None
    reason: str | None
    detail: str | None
    waiting: int = 0
    held: int = 0
    later: int = 0
    oldest_seconds: float | None = None

    @property
    def state(self) -> str:
        """One word: paused by a person, blocked by itself, or flowing."""
        if self.paused:
            return "paused"
        return "blocked" if self.blocked_seconds else "flowing"


@dataclass(frozen=True)
class SourceDepth:
    """One source: signals not read yet, and how long ago its poll last came through (None: never)."""

    name: str
    waiting: int
    oldest_seconds: float | None
    polled_seconds_ago: float | None
    started: bool
    reason: str | None


@dataclass(frozen=True)
class ChangeDepth:
    """Changes that are not routed yet."""

    waiting: int
    oldest_seconds: float | None


@dataclass(frozen=True)
class DeadDepth:
    """Dead letters of one queue for one reason."""

    queue: str
    reason: str
    count: int
    oldest_seconds: float


@dataclass(frozen=True)
class Depths:
    """All of it."""

    targets: tuple[TargetDepth, ...]
    sources: tuple[SourceDepth, ...]
    changes: ChangeDepth
    dead: tuple[DeadDepth, ...]


def read(conn: Conn) -> Depths:
    """Everything that waits. Costs one pass over the lanes that have work, none over those that have not."""
    changes = conn.execute(SQL["changes"]).fetchone()
    assert changes is not None
    return Depths(
        _targets(conn),
        tuple(SourceDepth(*row) for row in conn.execute(SQL["sources"]).fetchall()),
        ChangeDepth(*changes),
        dead(conn),
    )


def dead(conn: Conn) -> tuple[DeadDepth, ...]:
    """Dead letters that wait, by queue and reason."""
    return tuple(DeadDepth(*row) for row in conn.execute(SQL["dead"]).fetchall())


def _targets(conn: Conn) -> tuple[TargetDepth, ...]:
    lanes = {name: counts for name, *counts in conn.execute(SQL["lanes"]).fetchall()}
    return tuple(
        TargetDepth(it.name, it.paused, it.blocked_seconds, it.reason, it.detail, *lanes.get(it.name, ()))
        for it in targets.states(conn)
    )

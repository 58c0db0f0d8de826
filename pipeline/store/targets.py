"""Targets as a whole: paused by a person, blocked for a while by 429, 503 or a refused log-in."""

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.domain.reason import Reason
from pipeline.store import audit, sql
from pipeline.store.pool import Conn

SQL = sql.load("targets")


@dataclass(frozen=True)
class TargetState:
    """One connected system; `blocked_seconds` until it is tried again, None when it is not blocked."""

    name: str
    paused: bool
    blocked_seconds: float | None
    reason: str | None
    detail: str | None


def ensure(conn: Conn, names: Iterable[str]) -> None:
    """Make the rows exist."""
    conn.execute(SQL["ensure"], {"names": sorted(names)})


def block(conn: Conn, name: str, *, seconds: float, reason: Reason, detail: str) -> bool:
    """Claim nothing for this system for a while; True (and one audit row) when the reason is new: raise one alarm."""
    params = {"name": name, "seconds": seconds, "reason": reason.value, "detail": detail[:500]}
    row = conn.execute(SQL["block"], params).fetchone()
    is_new = bool(row and row[0])
    if is_new:
        audit.record(conn, "casebridge", "blocked", f"target:{name}", reason=reason.value)
    return is_new


def clear(conn: Conn, name: str) -> None:
    """It answers again."""
    conn.execute(SQL["clear"], {"name": name})


def pause(conn: Conn, name: str, *, paused: bool, actor: str, reason: str) -> None:
    """Hold or resume a target; nothing is discarded."""
    conn.execute(SQL["pause"], {"name": name, "paused": paused, "reason": reason if paused else None})
    audit.record(conn, actor, "paused" if paused else "resumed", f"target:{name}")


def states(conn: Conn) -> list[TargetState]:
    """All targets."""
    return [TargetState(*row) for row in conn.execute(SQL["all"]).fetchall()]

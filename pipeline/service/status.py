"""The state of the running world: targets, queues, sources, out of PostgreSQL; message counts from Redis."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.domain.reason import Reason
from pipeline.store import dead_letters, overview, targets
from pipeline.store.overview import SourceRow, Waiting
from pipeline.store.pool import Conn
from pipeline.store.targets import TargetState

FLOWING, WAITING, BLOCKED, PAUSED = "flowing", "waiting", "blocked", "paused"
HELD_BACK = (Reason.WAITING_RETRY, Reason.SOURCE_UNREACHABLE, Reason.WAITING_QUOTA, Reason.TARGET_REFUSES_LOGIN)


@dataclass(frozen=True)
class TargetStatus:
    """One target: `state` is flowing, waiting, blocked or paused; ages in seconds."""

    name: str
    state: str
    reason: str | None
    detail: str | None
    waiting: int
    oldest_seconds: float | None
    dead: int


@dataclass(frozen=True)
class QueueStatus:
    """One queue: `depth` counts its messages, None while Redis does not answer; `rows` what the ledger holds."""

    name: str
    depth: int | None
    rows: int


@dataclass(frozen=True)
class Status:
    """Everything at a glance."""

    targets: tuple[TargetStatus, ...]
    queues: tuple[QueueStatus, ...]
    sources: tuple[SourceRow, ...]
    untransformed: int
    untransformed_oldest_seconds: float | None
    redis_answers: bool


def queue_names(systems: Iterable[str]) -> list[str]:
    """The queues of decisions D13, the dead ones last."""
    names = sorted(systems)
    stages = ("ingest", "transform")
    return [*stages, *(f"dispatch.{name}" for name in names), "sweep", *(f"dead.{name}" for name in (*stages, *names))]


def status(conn: Conn, depths: Mapping[str, int] | None, *, systems: Iterable[str]) -> Status:
    """How things stand now. `systems` are the connectors' names, `depths` the queues' messages (None: no Redis)."""
    names = sorted(systems)
    waiting, dead = overview.waiting(conn), dead_letters.counts(conn)
    states = {one.name: one for one in targets.states(conn)}
    fresh = [states.get(name) or TargetState(name, False, None, None, None) for name in names]
    open_changes, oldest = overview.untransformed(conn)
    sources = tuple(overview.sources(conn))
    rows = _rows(sources, open_changes, waiting, dead)
    return Status(
        targets=tuple(_target(one, waiting.get(one.name, Waiting()), dead.get(one.name, 0)) for one in fresh),
        queues=tuple(QueueStatus(name, (depths or {}).get(name), rows.get(name, 0)) for name in queue_names(names)),
        sources=sources,
        untransformed=open_changes,
        untransformed_oldest_seconds=oldest,
        redis_answers=depths is not None,
    )


def as_json(found: Status) -> dict[str, Any]:
    """As `status --json` prints it, keyed by name."""
    return {
        "targets": {one.name: _without_name(one) for one in found.targets},
        "queues": {one.name: {"depth": one.depth, "rows": one.rows} for one in found.queues},
        "sources": {one.source: _source(one) for one in found.sources},
        "changes": {"waiting": found.untransformed, "oldest_seconds": found.untransformed_oldest_seconds},
        "redis": "answers" if found.redis_answers else "does not answer",
    }


def _target(one: TargetState, waits: Waiting, dead: int) -> TargetStatus:
    state, reason = _state(one, waits)
    return TargetStatus(one.name, state, reason, one.detail, waits.count, waits.oldest_seconds, dead)


def _state(one: TargetState, waits: Waiting) -> tuple[str, str | None]:
    if one.paused:
        return PAUSED, one.reason
    if one.blocked_seconds or one.reason == Reason.TARGET_REFUSES_LOGIN:
        return BLOCKED, one.reason
    held_back = next((reason.value for reason in HELD_BACK if reason in waits.reasons), None)
    return (WAITING, held_back) if held_back else (FLOWING, None)


def _rows(
    sources: Iterable[SourceRow], changes: int, waiting: Mapping[str, Waiting], dead: Mapping[str, int]
) -> dict[str, int]:
    """What the ledger holds for each queue: the truth that a queue's messages only hint at."""
    return {
        "ingest": sum(one.unread for one in sources),
        "transform": changes,
        **{f"dispatch.{name}": one.count for name, one in waiting.items()},
        **{f"dead.{name}": count for name, count in dead.items()},
    }


def _without_name(one: TargetStatus) -> dict[str, Any]:
    return {
        "state": one.state, "reason": one.reason, "detail": one.detail, "waiting": one.waiting,
        "oldest_seconds": one.oldest_seconds, "dead": one.dead,
    }  # fmt: skip


def _source(one: SourceRow) -> dict[str, Any]:
    return {
        "cursor_age_seconds": one.moved, "next_poll_seconds": 0.0 if one.polling else one.due, "polling": one.polling,
        "unread": one.unread, "oldest_signal_seconds": one.oldest, "reason": one.reason, "detail": one.detail,
    }  # fmt: skip

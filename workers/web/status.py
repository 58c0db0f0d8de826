"""The state of everything in one mapping: what the API, the page and `casebridge status --json` show."""

from dataclasses import asdict
from typing import Any, cast

from pipeline.domain.reason import Reason
from pipeline.limits import RedisError
from pipeline.store import depths
from pipeline.store.depths import DeadDepth
from workers.app import dead_queue_names, queue_names
from workers.bootstrap import World

REASONS = {reason.value: reason for reason in Reason}


def status(world: World) -> dict[str, Any]:
    """Targets, sources, queues and dead letters; ages in seconds. Raises psycopg.Error, ConfigurationError."""
    with world.connection() as conn:
        found = depths.read(conn)
    broker = broker_depths(world)
    return {
        "config_version": world.config_version,
        "broker": "none" if world.redis is None else "down" if broker is None else "up",
        "targets": [{"state": it.state, **asdict(it)} for it in found.targets],
        "sources": [asdict(it) for it in found.sources],
        "changes": asdict(found.changes),
        "queues": broker or {},
        "dead_letters": [_dead(it) for it in found.dead],
    }


def broker_depths(world: World) -> dict[str, int] | None:
    """Queue -> messages in Redis, in one round trip; None when Redis is away or not used."""
    if world.redis is None:
        return None
    names = [*queue_names(), *dead_queue_names()]
    prefix = world.environment.redis_prefix
    try:
        with world.redis.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.llen(f"{prefix}{name}")
            return dict(zip(names, cast("list[int]", pipe.execute()), strict=True))
    except RedisError:
        return None


def _dead(letters: DeadDepth) -> dict[str, Any]:
    reason = REASONS.get(letters.reason)
    return {
        **asdict(letters),
        "sentence": reason.sentence if reason else "",
        "next_step": reason.next_step if reason else "",
        "command": f"casebridge dead list --queue {letters.queue} --reason {letters.reason}",
    }

"""The state of everything: what `casebridge status --json` prints, and what the dead letters ask for."""

from dataclasses import asdict
from typing import Any, cast

from pipeline.domain.reason import Reason
from pipeline.limits import RedisError
from pipeline.service import status as service
from pipeline.store import depths
from pipeline.store.depths import DeadDepth
from workers.bootstrap import World

REASONS = {reason.value: reason for reason in Reason}


def status(world: World) -> dict[str, Any]:
    """Targets, sources, queues and dead letters; ages in seconds. Raises psycopg.Error, ConfigurationError."""
    messages = broker_depths(world)
    with world.connection() as conn:
        found = service.as_json(service.status(conn, messages, systems=world.connectors))
        dead = depths.dead(conn)
    return {**found, "config_version": world.config_version, "dead_letters": [_dead(it) for it in dead]}


def broker_depths(world: World) -> dict[str, int] | None:
    """Queue -> messages in Redis, in one round trip; None when Redis is away or not used."""
    if world.redis is None:
        return None
    names = service.queue_names(world.connectors)
    try:
        with world.redis.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.llen(f"{world.environment.redis_prefix}{name}")
            return dict(zip(names, cast("list[int]", pipe.execute()), strict=True))
    except RedisError:
        return None


def _dead(letters: DeadDepth) -> dict[str, Any]:
    reason = REASONS.get(letters.reason)
    return {
        **asdict(letters),
        "sentence": reason.sentence if reason else "",
        "next_step": reason.next_step if reason else "",
        "command": f"casebridge dead list --target {letters.queue} --reason {letters.reason}",
    }

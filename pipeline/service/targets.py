"""Holding a target and letting it go on."""

from collections.abc import Collection

from pipeline.service.errors import WrongUseError
from pipeline.store import targets
from pipeline.store.pool import Conn


def pause(conn: Conn, name: str, *, systems: Collection[str], actor: str, reason: str) -> bool:
    """Send nothing more to a target until it is resumed; False when it was paused already. Nothing is discarded."""
    return _set(conn, name, systems, paused=True, actor=actor, reason=reason)


def resume(conn: Conn, name: str, *, systems: Collection[str], actor: str) -> bool:
    """Let a target go on where it stopped; False when it was not paused. The caller hints it."""
    return _set(conn, name, systems, paused=False, actor=actor, reason="")


def _set(conn: Conn, name: str, systems: Collection[str], *, paused: bool, actor: str, reason: str) -> bool:
    target = name.replace("-", "_")
    if target not in systems:
        raise WrongUseError(f"{name} is no target.", f"Name one of: {', '.join(sorted(systems))}.")
    with conn.transaction():
        targets.ensure(conn, [target])
        if next(one.paused for one in targets.states(conn) if one.name == target) == paused:
            return False
        targets.pause(conn, target, paused=paused, actor=actor, reason=reason)
    return True

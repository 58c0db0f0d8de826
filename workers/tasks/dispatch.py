"""Draining the targets: one task a target; its one-line result is what Flower shows."""

from pipeline.connectors import discover
from workers.app import app
from workers.context import hints, world


def drain(target: str) -> str:
    """Deliver what is due at one target; then wake whom its settles concern."""
    with world().connection() as conn:
        result = world().drain(conn, target).run()
    hints().wake(result.ring)
    hints().bury([(target, letter) for letter in result.dead_letters])
    if result.unfinished:
        hints().wake([target])
    if result.wants_help:
        hints().publish(target)
    return str(result)


def _task(target: str) -> None:
    @app.task(name=f"casebridge.drain_{target}")
    def drain_target() -> str:
        return drain(target)


for _name in discover():
    _task(_name)

"""The stages in one process without a broker: `--no-broker`, and the engine of the edge-case tests."""

import time
from dataclasses import dataclass, field

from pipeline.stages.ingest import ingest
from pipeline.stages.transform import transform
from pipeline.store import changes, lanes, signals
from pipeline.store.pool import Conn
from workers.bootstrap import World


@dataclass
class Ran:
    """What a run in-process did."""

    read: int = 0
    transformed: int = 0
    delivered: int = 0
    retried: int = 0
    dead_letters: list[int] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.read + self.transformed + self.delivered + self.retried + len(self.dead_letters)


def step(world: World) -> Ran:
    """One round over everything that is due now: read, transform, drain."""
    ran = Ran()
    with world.connection() as conn:
        due = signals.due_sources(conn)
    for name in due:
        result = ingest(world.reader(name), readers=4)
        ran.read += result.objects
        ran.dead_letters += result.dead_letters
    with world.connection() as conn:
        ran = _transform(world, conn, ran)
        lanes.wake_stranded(conn)
        for name in world.connectors:
            if lanes.is_due(conn, name):
                drained = world.drain(conn, name).run()
                ran.delivered += drained.delivered
                ran.retried += drained.retried
                ran.dead_letters += drained.dead_letters
    return ran


def _transform(world: World, conn: Conn, ran: Ran) -> Ran:
    while changes.is_waiting(conn):
        version, config = world.active
        result = transform(conn, flows=world.flows, config=config, config_version=version)
        ran.transformed += result.ended
        ran.dead_letters += result.dead_letters
        if not result.ended:
            break
    return ran


def run_forever(world: World, *, pause_seconds: float = 0.2) -> None:
    """Rounds until the world is stopped; sleeps while nothing is due."""
    while not world.stop.is_set():
        if step(world).total == 0:
            world.stop.wait(pause_seconds)


def run_until_quiet(world: World, *, seconds: float = 30.0) -> Ran:
    """Rounds until one finds nothing due; raises TimeoutError after `seconds`."""
    total, deadline = Ran(), time.monotonic() + seconds
    while time.monotonic() < deadline:
        ran = step(world)
        total.read += ran.read
        total.transformed += ran.transformed
        total.delivered += ran.delivered
        total.retried += ran.retried
        total.dead_letters += ran.dead_letters
        if ran.total == 0:
            return total
    raise TimeoutError(f"still work after {seconds} s: {ran}")

"""Reading the sources: one task a source, so that its name says what it reads."""

from pipeline.connectors import discover
from pipeline.stages.ingest import ingest
from workers.app import app
from workers.context import hints, world


def read(source: str) -> str:
    """Read what is due of one source; then wake transform, and read again if more is due."""
    name = f"ingest.{source}"
    world().bell.leave(name)
    result = ingest(world().reader(source))
    if result.changes:
        hints().wake(["transform"])
    hints().bury([("ingest", letter) for letter in result.dead_letters])
    if result.again:
        hints().wake([name])
    return str(result)


def _task(source: str) -> None:
    @app.task(name=f"casebridge.read_{source}")
    def read_source() -> str:
        return read(source)


for _name in discover():
    _task(_name)

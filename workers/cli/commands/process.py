"""Hidden: the processes that `casebridge up` and the Procfile start, where Celery has no command for them."""

import os
from typing import TYPE_CHECKING

import click

from pipeline.bell import RedisBell
from pipeline.connectors import discover
from pipeline.environment import read
from workers.bootstrap import World
from workers.cli.attach import home_of
from workers.instance import Instance
from workers.log import set_up

if TYPE_CHECKING:
    from workers.hints import Hints


@click.group(hidden=True)
def command() -> None:
    """One process of a running casebridge."""
    set_up()


@command.command()
@click.option("--port", required=True, type=click.IntRange(0, 65535))
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--watches", multiple=True, help="A process of this home that must run, or the web is not ready.")
@click.option("--no-broker", is_flag=True)
def web(host: str, port: int, watches: tuple[str, ...], *, no_broker: bool) -> None:
    """Receivers, API and page until SIGTERM."""
    from workers.web import app, server, settings  # noqa: PLC0415 -- the other processes do without the web's libraries

    environment = read(os.environ, discover())
    world = World(environment, broker=not no_broker, pool_size=app.POOL_SIZE)
    application = app.create(
        world,
        _hints(world),
        children=(lambda: _states(watches)) if watches else None,
        settings=settings.WebSettings.of(environment, os.environ),
        close_world=True,
    )
    server.serve(host, port, application)


@command.command()
def stages() -> None:
    """All stages in this process, without a broker, until SIGTERM."""
    import signal  # noqa: PLC0415 -- only here

    from workers.inprocess import run_forever  # noqa: PLC0415 -- only here

    world = World(read(os.environ, discover()), broker=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: world.stop.set())
    try:
        run_forever(world)
    finally:
        world.close()


def _hints(world: World) -> "Hints | None":
    if not isinstance(world.bell, RedisBell):
        return None
    from workers.app import app  # noqa: PLC0415 -- reads the environment when it is imported
    from workers.hints import Hints  # noqa: PLC0415 -- brings Celery

    return Hints(app, world.bell)


def _states(names: tuple[str, ...]) -> dict[str, str]:
    """What the supervisor wrote down of its children."""
    running = Instance(home_of(os.environ)).read().processes
    return {name: "running" if name in running and running[name].alive else "restarting" for name in names}

"""The web application put together: receivers, views, and the three threads behind them."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from pipeline.bell import RedisBell
from pipeline.connectors import discover
from pipeline.environment import read
from pipeline.store import pool
from workers.bootstrap import World
from workers.hints import Hints
from workers.web import answers
from workers.web.hooks import Desk, Hook, make_masker
from workers.web.intake import Room
from workers.web.metrics import Counts, make_registry
from workers.web.ringer import Ringer, Wakes
from workers.web.settings import WebSettings
from workers.web.views import Views
from workers.web.watcher import Children, Watcher
from workers.web.writer import Writer

POOL_SIZE = 4  # the API and the page; receivers have the writer's own connection


def create_app() -> Starlette:
    """The application of this process's environment. Raises ConfigurationError with all faults of it at once."""
    from workers.app import app as celery  # noqa: PLC0415 -- reads the environment when it is imported

    environment = read(os.environ, discover())
    world = World(environment, pool_size=POOL_SIZE)
    assert isinstance(world.bell, RedisBell)
    settings = WebSettings.of(environment, os.environ)
    return create(world, Hints(celery, world.bell), settings=settings, close_world=True)


def create(
    world: World,
    hints: Wakes | None,
    *,
    children: Children | None = None,
    settings: WebSettings | None = None,
    close_world: bool = False,
) -> Starlette:
    """The application over a given world; without `hints` nobody is woken (`--no-broker`)."""
    settings = settings or WebSettings.of(world.environment, {})
    ringer = Ringer(hints)
    writer = Writer(lambda: pool.connect(world.environment.database_url or "", name="casebridge writer"), ringer.ring)
    watcher = Watcher(world, children=children)
    registry = make_registry(world)
    desk = Desk(
        watcher,
        writer,
        Room(requests=settings.room_requests, size=settings.room_bytes),
        Counts(registry),
        make_masker(world.connectors.values(), world.env),
        settings,
    )
    hooks = [Hook(connector, world.env, desk) for connector in world.connectors.values()]
    app = Starlette(
        routes=[*(hook.route for hook in hooks), *Views(world, watcher, registry, settings).routes()],
        exception_handlers={HTTPException: answers.no_route, Exception: answers.fault},
        lifespan=_lifespan(ringer, writer, watcher, world.close if close_world else None),
    )
    app.router.redirect_slashes = False  # a webhook is answered, never sent elsewhere
    return app


def _lifespan(
    ringer: Ringer, writer: Writer, watcher: Watcher, close: Callable[[], None] | None
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        """Threads start with the server and end after its last answer: first who stores, then who rings."""
        threads = (writer, ringer, watcher)
        for thread in threads:
            thread.start()
        yield
        for thread in threads:
            await run_in_threadpool(thread.stop)
        if close is not None:
            await run_in_threadpool(close)

    return lifespan

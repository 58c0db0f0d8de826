"""Web processes that end with their test."""

from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.connectors import discover
from pipeline.environment import read
from pipeline.store import pool
from pipeline.store.pool import Conn
from tests.web.served import RecordedHints, Serve, Served, environment, prepare, running, until
from workers.bootstrap import World
from workers.web.app import create
from workers.web.settings import WebSettings


@pytest.fixture
def serve(database_url: str, redis_url: str) -> Iterator[Serve]:
    """Starts web processes that end with the test."""
    stack: list[Any] = []

    def start(*, settings: WebSettings | None = None, cursors: bool = True, children: Any = None, **env: str) -> Served:
        prepare(database_url, cursors=cursors)
        world = World(read(environment(database_url, redis_url, **env), discover()), pool_size=2)
        hints = RecordedHints()
        context = running(create(world, hints, children=children, settings=settings, close_world=True))
        port = context.__enter__()
        stack.append(context)
        served = Served(f"http://127.0.0.1:{port}", port, world, hints)
        until(lambda: "start" not in served.get("/readyz").json()["missing"], "the watcher has looked")
        return served

    yield start
    for context in reversed(stack):
        context.__exit__(None, None, None)


@pytest.fixture
def served(serve: Serve) -> Served:
    """One web process with everything in order."""
    return serve()


@pytest.fixture
def ledger(database_url: str) -> Iterator[Conn]:
    """A connection of the test's own."""
    with pool.connect(database_url) as conn:
        yield conn

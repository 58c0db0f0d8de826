"""A ledger with one case; the clock stands still where a test says so."""

from collections.abc import Callable, Iterator

import pytest

from pipeline.store.pool import Conn, connect
from tests.service.scenes import open_case


@pytest.fixture
def conn(database_url: str) -> Iterator[Conn]:
    """A fresh database in which acme has one case; its thread is link 1."""
    with connect(database_url) as opened:
        open_case(opened)
        yield opened


@pytest.fixture
def another(database_url: str) -> Iterator[Callable[[], Conn]]:
    """More connections to the same database."""
    made: list[Conn] = []

    def make() -> Conn:
        made.append(connect(database_url))
        return made[-1]

    yield make
    for one in made:
        one.close()

"""A ledger with one case."""

from collections.abc import Iterator

import pytest

from pipeline.store.pool import Conn, connect
from tests.service.scenes import open_case


@pytest.fixture
def conn(database_url: str) -> Iterator[Conn]:
    """A fresh database in which acme has one case."""
    with connect(database_url) as opened:
        open_case(opened)
        yield opened

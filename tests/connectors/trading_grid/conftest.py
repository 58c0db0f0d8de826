"""Fixtures: a sandbox of its own for every story."""

from collections.abc import Iterator

import pytest

from tests.connectors.trading_grid.desk import Grid, running_grid


@pytest.fixture
def grid() -> Iterator[Grid]:
    """A fresh Trading Grid sandbox with our client and a partner's."""
    with running_grid() as grid:
        yield grid

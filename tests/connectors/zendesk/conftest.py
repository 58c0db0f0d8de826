"""Fixtures: a running sandbox with the connector in front of it."""

from collections.abc import Iterator

import pytest

from tests.connectors.zendesk.world import Desk, running_desk


@pytest.fixture
def desk() -> Iterator[Desk]:
    """A fresh sandbox on a free port."""
    with running_desk() as desk:
        yield desk

"""Fixtures: a sandbox of its own for every test, alone or with a webhook receiver."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox.zendesk.desk import Desk, Receiver, running_desk, running_receiver


@pytest.fixture
def desk() -> Iterator[Desk]:
    """A fresh sandbox that sends no webhooks."""
    with running_desk() as desk:
        yield desk


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A webhook receiver."""
    with running_receiver() as receiver:
        yield receiver


@pytest.fixture
def hooked_desk(receiver: Receiver) -> Iterator[Desk]:
    """A fresh sandbox whose webhooks go to `receiver`."""
    with running_desk(receiver.url) as desk:
        yield desk

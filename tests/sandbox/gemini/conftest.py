"""Fixtures: a Gemini site of its own for every test, alone or with a webhook receiver."""

from collections.abc import Iterator

import pytest

from tests.sandbox.gemini.help_desk import HelpDesk, running_desk
from tests.sandbox.kit.receiver import Receiver, running_receiver


@pytest.fixture
def desk() -> Iterator[HelpDesk]:
    """A fresh site that sends no webhooks anywhere."""
    with running_desk() as desk:
        yield desk


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A webhook receiver."""
    with running_receiver() as receiver:
        yield receiver


@pytest.fixture
def hooked_desk(receiver: Receiver) -> Iterator[HelpDesk]:
    """A fresh site whose webhooks go to `receiver`."""
    with running_desk(receiver.url) as desk:
        yield desk

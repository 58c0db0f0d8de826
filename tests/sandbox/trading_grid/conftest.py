"""Fixtures: a sandbox of its own for every test, and the callers most stories need."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox.trading_grid.community import Caller, Community, Receiver, running_community, running_receiver


@pytest.fixture
def community() -> Iterator[Community]:
    """A fresh sandbox that sends no webhooks."""
    with running_community() as community:
        yield community


@pytest.fixture
def hub(community: Community) -> Caller:
    """The hub client with all rights."""
    return community.caller("casebridge")


@pytest.fixture
def acme(community: Community) -> Caller:
    """Partner A."""
    return community.caller("acme-partner")


@pytest.fixture
def globex(community: Community) -> Caller:
    """Partner B."""
    return community.caller("globex-partner")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A webhook target."""
    with running_receiver() as receiver:
        yield receiver

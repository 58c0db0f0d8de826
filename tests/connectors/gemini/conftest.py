"""A sandbox site, emptied for each story."""

from collections.abc import Iterator

import pytest
import requests

from sandbox.gemini.app import create
from sandbox.kit.app import Kit
from sandbox.kit.serve import running
from tests.connectors.gemini.desk import Desk


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The address of a site that the stories of one file share."""
    with running(create(Kit.create("gemini"))) as url:
        yield url


@pytest.fixture
def desk(site: str) -> Iterator[Desk]:
    """A desk at the site as it was in the beginning."""
    requests.post(f"{site}/_sandbox/reset", timeout=10).raise_for_status()
    made = Desk(f"{site}/gemini")
    yield made
    made.executor.close()

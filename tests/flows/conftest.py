"""A town for each story: one sandbox process for the whole run, a fresh database and fresh systems for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.wire import require_by_contract
from tests.town import Town, sandbox


@pytest.fixture(scope="session")
def sandbox_urls() -> Iterator[dict[str, str]]:
    """The addresses of this run's three sandboxes."""
    with sandbox() as urls:
        yield urls


@pytest.fixture
def town(sandbox_urls: dict[str, str], database_url: str, tmp_path: Path) -> Iterator[Town]:
    """Three systems with their start data, casebridge's stages over a fresh database, and people who act."""
    made = Town(sandbox_urls, database_url, tmp_path)
    yield made
    made.close()
    require_by_contract(made.people)

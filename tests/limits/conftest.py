"""A real Valkey for the room's tests: scripts and expiry are what limits and tokens stand on."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from pipeline.limits import open_redis
from workers.embedded import open_services


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home: Path = tmp_path_factory.mktemp("limits")
    given = {"DATABASE_URL": "postgresql://not-needed-here"}
    with open_services(home, given, lambda _line: None) as services:
        yield services.redis_url


@pytest.fixture
def redis(valkey_url: str) -> Iterator[Redis]:
    """An empty database of this test alone."""
    client = open_redis(valkey_url)
    client.flushdb()
    yield client
    client.close()

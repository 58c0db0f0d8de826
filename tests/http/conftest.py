"""A scripted server and an executor that calls it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Protocol

import pytest

from pipeline.connector import Account
from pipeline.http import Executor
from tests.http.server import Server, serving


class MakeExecutor(Protocol):
    """`account` members by keyword, the executor's own in `options`."""

    def __call__(self, options: dict[str, Any] | None = None, **account: Any) -> Executor: ...


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def account(server: Server) -> Account:
    return Account("desk", server.url, "/api/v2", allow_private=True, allow_http=True)


@pytest.fixture
def make(account: Account) -> Iterator[MakeExecutor]:
    """Executors that are closed when the test is over."""
    made: list[Executor] = []

    def make(options: dict[str, Any] | None = None, **members: Any) -> Executor:
        made.append(Executor(replace(account, **members), **{"tokens": None, "limiter": None, **(options or {})}))
        return made[-1]

    yield make
    for executor in made:
        executor.close()

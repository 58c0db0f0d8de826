"""A process that dies at the n-th passage of a commit or of a send's boundary, and is dead from then on."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import psycopg
from psycopg.pq import TransactionStatus

from pipeline.store.pool import Conn, dsn


class Killed(BaseException):
    """kill -9, as far as one process can do that to itself: nothing of it is handled, settled or cleaned up."""


@dataclass
class Life:
    """Counts passages; `dies_at` None: never."""

    dies_at: int | None = None
    passed: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def over(self) -> bool:
        return self.dies_at is not None and len(self.passed) >= self.dies_at

    def passes(self, where: str) -> None:
        """A boundary; raises Killed at the fatal one and at every one after it."""
        with self.lock:
            if not self.over:
                self.passed.append(where)
            if self.over:
                raise Killed(where)


class MortalCursor(psycopg.Cursor[Any]):
    """A statement outside of a transaction is a commit of its own."""

    def execute(self, *args: Any, **more: Any) -> Self:
        life: Life = self.connection.life  # type: ignore[attr-defined]  # set by `connect`
        if life.over:
            raise Killed("a dead process asks for nothing")
        super().execute(*args, **more)
        if self.connection.info.transaction_status is TransactionStatus.IDLE:
            life.passes("committed")
        return self


class MortalConnection(psycopg.Connection[Any]):
    """Dies before a commit, when everything of it is lost, or right after it, when nobody has heard of it."""

    life: Life

    @contextmanager
    def transaction(self, *args: Any, **more: Any) -> Iterator[psycopg.Transaction]:
        outermost = self.info.transaction_status is TransactionStatus.IDLE
        with super().transaction(*args, **more) as opened:
            yield opened
            if outermost:
                self.life.passes("before a commit")
        if outermost:
            self.life.passes("after a commit")


def connect(url: str, life: Life) -> Conn:
    """A connection of that process."""
    made = MortalConnection.connect(dsn(url), autocommit=True, cursor_factory=MortalCursor)
    made.life = life
    return made

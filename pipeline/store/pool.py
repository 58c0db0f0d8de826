"""Connections: one pool a process, every session bounded in time and bound to the casebridge schema."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias, TypeVar

import psycopg
from psycopg import Connection, conninfo
from psycopg.errors import DeadlockDetected, LockNotAvailable, SerializationFailure
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool

Conn: TypeAlias = Connection[TupleRow]
T = TypeVar("T")

# What a failed statement says of the work behind it: who stood in the way, which values cannot be stored, or nothing
# at all (the server is away, the pool is empty, the connection broke during a commit).
CLASHES = (DeadlockDetected, SerializationFailure, LockNotAvailable)
REFUSALS = (psycopg.DataError, psycopg.IntegrityError, ValueError)
AWAY = (psycopg.OperationalError, psycopg.InterfaceError)
TRIES = 3
SCHEMA = "casebridge"
# A hung server, a forgotten transaction or a lock held by an operator must never stop a worker for ever
# (reliability.md 2.1); JIT costs more than it gives on statements of a millisecond.
OPTIONS = (
    f"-c search_path={SCHEMA},public -c statement_timeout=15000 -c lock_timeout=5000"
    " -c idle_in_transaction_session_timeout=30000 -c jit=off -c timezone=UTC"
)
KEEPALIVES: dict[str, Any] = {
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "connect_timeout": 5,
}


def dsn(url: str, *, name: str = "casebridge") -> str:
    """The connection string with our session settings; `postgres://` is accepted (Heroku)."""
    return conninfo.make_conninfo(url, options=OPTIONS, application_name=name, **KEEPALIVES)


def connect(url: str, *, name: str = "casebridge", autocommit: bool = True) -> Conn:
    """One connection outside the pool: migrations, the web writer, checks."""
    return psycopg.connect(dsn(url, name=name), autocommit=autocommit)


def open_pool(url: str, *, size: int, name: str = "casebridge") -> ConnectionPool[Conn]:
    """A pool of at most `size` connections, tested before use and renewed every 30 minutes."""
    pool: ConnectionPool[Conn] = ConnectionPool(
        dsn(url, name=name),
        min_size=1,
        max_size=size,
        max_lifetime=1800,
        timeout=10,
        kwargs={"autocommit": True},
        check=ConnectionPool.check_connection,
        open=False,
    )
    pool.open()
    return pool


def again(work: Callable[[], T]) -> T:
    """The result of `work`, which opens its own transaction; run anew where that one clashed with another, thrice."""
    for _ in range(TRIES - 1):
        try:
            return work()
        except CLASHES:
            continue
    return work()


@contextmanager
def read_only(conn: Conn) -> Iterator[Conn]:
    """A transaction that can write nothing and is rolled back: what `explain` works in (decisions D9)."""
    with conn.transaction(force_rollback=True):
        conn.execute("set transaction read only")
        yield conn

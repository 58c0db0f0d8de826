"""Group commit: one thread stores whatever waits in one durable commit, then answers all of it (engine.md 3.1).

No fixed window: if nothing is being committed a signal goes at once, otherwise it joins the next batch.
"""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

import psycopg
from psycopg.errors import DeadlockDetected, SerializationFailure

from pipeline.connector import Headers
from pipeline.store import signals
from pipeline.store.pool import Conn
from pipeline.store.signals import Incoming

log = logging.getLogger(__name__)

WAITING = 2_000
BATCH = 500
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 5.0
STOP_SECONDS = 5.0


@dataclass(frozen=True)
class Unreadable:
    """A rightly signed body that was not understood: kept, and a dead letter at once."""

    source: str
    key: str
    raw: bytes
    headers: Headers
    detail: str


Item: TypeAlias = Incoming | Unreadable
Stored: TypeAlias = "asyncio.Future[bool]"  # whether it is durable; False: unknown or certainly not, so repeat it
Ring: TypeAlias = Callable[[Sequence[str], Sequence[int]], None]  # sources with something to read, new dead letters


class UnavailableError(Exception):
    """Nothing can be stored now: the list is full or the database is away."""


class Writer:
    """One thread, one connection, one bounded list."""

    def __init__(self, connect: Callable[[], Conn], ring: Ring, *, room: int = WAITING) -> None:
        """`ring` is called after a commit and must not block."""
        self._connect, self._ring, self._room = connect, ring, room
        self._waiting: deque[tuple[Item, Stored]] = deque()
        self._ready = threading.Condition()
        self._stopping = False
        self._conn: Conn | None = None
        self._away_until, self._pause = 0.0, FIRST_PAUSE_SECONDS
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Store what waits, then end."""
        with self._ready:
            self._stopping = True
            self._ready.notify()
        self._thread.join(STOP_SECONDS)

    def submit(self, item: Item) -> Stored:
        """Put it on the list of the running event loop. Raises UnavailableError."""
        stored: Stored = asyncio.get_running_loop().create_future()
        with self._ready:
            if self._stopping or len(self._waiting) >= self._room or time.monotonic() < self._away_until:
                raise UnavailableError
            self._waiting.append((item, stored))
            self._ready.notify()
        return stored

    def _run(self) -> None:
        while batch := self._take():
            try:
                self._store(batch)
            except (psycopg.Error, OSError) as error:
                self._lost(batch, error)
            except Exception:  # the thread must outlive whatever a batch holds, or every later sender waits in vain
                log.exception("signals not stored")
                _settle(batch, stored=False)
        if self._conn is not None:
            self._conn.close()

    def _take(self) -> list[tuple[Item, Stored]]:
        with self._ready:
            self._ready.wait_for(lambda: self._waiting or self._stopping)
            count = min(len(self._waiting), BATCH)
            return [self._waiting.popleft() for _ in range(count)]

    def _store(self, batch: list[tuple[Item, Stored]]) -> None:
        if self._conn is None:
            self._conn = self._connect()
        try:
            woken, letters = self._commit(self._conn, [item for item, _ in batch])
        except (
            psycopg.DataError,
            psycopg.IntegrityError,
            ValueError,
        ) as error:  # one of them; the others must not suffer
            self._store_apart(batch, error)
            return
        _settle(batch, stored=True)
        self._pause = FIRST_PAUSE_SECONDS
        self._ring(woken, letters)

    def _store_apart(self, batch: list[tuple[Item, Stored]], error: Exception) -> None:
        if len(batch) > 1:
            for one in batch:
                self._store([one])
            return
        log.error("a signal cannot be stored", extra={"source": batch[0][0].source}, exc_info=error)
        _settle(batch, stored=False)

    def _commit(self, conn: Conn, items: Sequence[Item]) -> tuple[list[str], list[int]]:
        try:
            return _write(conn, items)
        except (DeadlockDetected, SerializationFailure):  # two web processes, the same keys in another order
            return _write(conn, items)

    def _lost(self, batch: list[tuple[Item, Stored]], error: Exception) -> None:
        """A failed COMMIT is unknown, so the answer is 503: the sender repeats, the unique key absorbs."""
        log.warning("signals not stored", extra={"count": len(batch), "error": str(error)})
        if self._conn is not None:
            with suppress(psycopg.Error, OSError):
                self._conn.close()
        self._conn = None
        with self._ready:
            self._away_until = time.monotonic() + self._pause
            self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)
            batch += self._waiting
            self._waiting.clear()
        _settle(batch, stored=False)


def _write(conn: Conn, items: Sequence[Item]) -> tuple[list[str], list[int]]:
    """One commit for all of them; returns the sources to wake and the new dead letters."""
    readable = [item for item in items if isinstance(item, Incoming)]
    unreadable = [item for item in items if isinstance(item, Unreadable)]
    if not unreadable:
        return signals.receive(conn, readable)[1], []
    with conn.transaction():
        found = [signals.bury(conn, it.source, it.key, it.raw, it.headers, detail=it.detail) for it in unreadable]
        woken = signals.receive(conn, readable)[1] if readable else []
    return woken, [letter for letter in found if letter is not None]


def _settle(batch: Sequence[tuple[Item, Stored]], *, stored: bool) -> None:
    """Tell the event loop, in one call for the whole batch."""
    with suppress(RuntimeError):  # the loop is closed: nobody waits any more
        batch[0][1].get_loop().call_soon_threadsafe(_tell, [future for _, future in batch], stored)


def _tell(futures: Sequence[Stored], stored: bool) -> None:
    for future in futures:
        if not future.done():
            future.set_result(stored)

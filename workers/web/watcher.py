"""What the request handlers need to know of the outside, looked at in the background so that no request waits for it.

Once a second: the database, its clock, the active configuration's sources. Every five seconds: what is not ready.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

import psycopg

from pipeline.connector import Source
from pipeline.limits import RedisError
from pipeline.store import migrate, pool, signals
from pipeline.store.pool import Conn
from workers.bootstrap import World
from workers.web.clock import DatabaseClock

log = logging.getLogger(__name__)
CANNOT_LOAD = "cannot be loaded: run `casebridge check`"

LOOK_SECONDS = 1.0
READY_SECONDS = 5.0
STALE_SECONDS = 15.0  # a look that takes longer than this hangs: what it last saw is no longer true
STOP_SECONDS = 2.0

Children = Callable[[], Mapping[str, str]]  # process -> running, restarting, stopped


class Watcher:
    """One thread with its own connection; what it saw is replaced whole, so readers need no lock."""

    def __init__(self, world: World, *, children: Children | None = None) -> None:
        """`children` tells what the supervised processes are doing, where somebody supervises them."""
        self._world, self._children = world, children
        self.clock = DatabaseClock()
        self.sources: Mapping[str, Source] = {}
        self.degraded: Mapping[str, str] = {}
        self._missing: Mapping[str, str] = {"start": "has just begun"}
        self._looked_at = self._judged_at = float("-inf")
        self._conn: Conn | None = None
        self._begun = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(STOP_SECONDS)

    @property
    def missing(self) -> Mapping[str, str]:
        """What keeps this process from being ready, each with what to do; empty: ready."""
        if self._looked_at > 0 and time.monotonic() - self._looked_at > STALE_SECONDS:
            return {"database": "does not answer"}
        return self._missing

    @property
    def has_database(self) -> bool:
        """Whether the database answered lately, so that a request may wait for it."""
        return self._looked_at > 0 and "database" not in self.missing

    def look(self) -> None:
        """Once around. Raises nothing that the outside can cause."""
        try:
            conn = self._connected()
            self.clock.sample(conn)
            self._judge(conn)
        except (psycopg.Error, OSError) as error:
            self._drop(error)
        self._looked_at = time.monotonic()

    def _run(self) -> None:
        while not self._stop.is_set():
            self.look()
            self._stop.wait(LOOK_SECONDS)
        if self._conn is not None:
            self._conn.close()

    def _connected(self) -> Conn:
        if self._conn is None:
            self._conn = pool.connect(self._world.environment.database_url or "", name="casebridge web")
            self._judged_at = float("-inf")
        return self._conn

    def _drop(self, error: Exception) -> None:
        log.warning("the database does not answer", extra={"error": str(error)})
        self._missing = {"database": "does not answer"}
        if self._conn is not None:
            with suppress(psycopg.Error, OSError):
                self._conn.close()
        self._conn = None

    def _judge(self, conn: Conn) -> None:
        ready = not self._missing
        if time.monotonic() - self._judged_at < READY_SECONDS and ready:
            self._configuration()
            return
        missing = _migrations(conn)
        if not missing:
            missing |= self._configuration() | self._cursors(conn) | self._processes()
        self.degraded = self._broker()
        self._missing, self._judged_at = missing, time.monotonic()

    def _configuration(self) -> dict[str, str]:
        """The sources of the active configuration; those of the last good one stay when the newest cannot be loaded."""
        try:
            if not self._begun:
                self._world.first_start()
                self._begun = True
            self.sources = {name: self._world.source(name) for name in self._world.connectors}
        except (psycopg.Error, OSError):
            raise
        except Exception:  # whatever a connector says of a configuration, the watcher must go on
            log.exception("the configuration cannot be loaded")
            return {"configuration": CANNOT_LOAD}
        return {"configuration": CANNOT_LOAD} if self._world.trouble else {}

    def _cursors(self, conn: Conn) -> dict[str, str]:
        lacking = [name for name in self._world.connectors if signals.cursor(conn, name) is None]
        return {f"cursor.{name}": "the first poll has not come through yet" for name in lacking}

    def _processes(self) -> dict[str, str]:
        states = self._children() if self._children else {}
        return {f"process.{name}": state for name, state in states.items() if state != "running"}

    def _broker(self) -> dict[str, str]:
        """Redis down slows delivery to the sweep's pace; what comes in is stored all the same."""
        if self._world.redis is None:
            return {}
        try:
            self._world.redis.ping()
        except RedisError:
            return {"broker": "does not answer; signals are stored and go on when it is back"}
        return {}


def _migrations(conn: Conn) -> dict[str, str]:
    try:
        waiting = migrate.pending(conn)
    except migrate.MigrationError as error:
        log.error("the database's migrations are not ours", extra={"error": str(error)})  # noqa: TRY400 -- no fault here
        return {"migrations": "differ from those of this version: run `casebridge migrate --check`"}
    return {"migrations": f"{len(waiting)} not applied: run `casebridge migrate`"} if waiting else {}

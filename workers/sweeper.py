"""A sweep inside every worker, so that beat is no single point: seldom, jittered, one at a time by an advisory lock."""

import logging
import random
import threading

from celery import signals

from pipeline.store.pool import Conn
from workers.context import hints, made_world, world
from workers.tasks.sweeps import find_due

log = logging.getLogger(__name__)
LOCK = 0x73776565  # 'swee'


@signals.worker_ready.connect
def start(**_: object) -> None:
    """A thread of its own: it must run while every task thread is busy."""
    threading.Thread(target=_run, name="sweeper", daemon=True).start()


@signals.worker_shutting_down.connect
def stop(**_: object) -> None:
    """Drains and the sweeper end at their next turn: warm shutdown must not wait for their full time."""
    if (made := made_world()) is not None:
        made.stop.set()


def _run() -> None:
    seconds = world().environment.sweep_seconds
    while not world().stop.wait(seconds * random.uniform(2, 3)):  # noqa: S311 -- spreads sweeps, no secret
        try:
            sweep_once()
        except Exception as error:  # noqa: BLE001 -- the database may be away for hours; the thread must outlive it
            log.warning("sweep failed", extra={"error": str(error)})


def sweep_once() -> None:
    """Sweep, unless another worker does. Hints follow the commit: before it nobody would find what was woken."""
    with world().connection() as conn, conn.transaction():
        names = find_due(conn) if _alone(conn) else []
    hints().wake(names)


def _alone(conn: Conn) -> bool:
    row = conn.execute("select pg_try_advisory_xact_lock(%s)", (LOCK,)).fetchone()
    return bool(row and row[0])

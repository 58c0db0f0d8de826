"""Keeps the leases of source objects while they wait for a reader or are read: a reading may last longer than one."""

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Self, TypeVar

from pipeline.store import signals
from pipeline.store.pool import AWAY, Conn
from pipeline.store.signals import Opened

log = logging.getLogger(__name__)
PARTS = 4  # a lease is renewed after a quarter of it, so that three renewals may fail
T = TypeVar("T")


class Keeper:
    """Renews what is in hand from a thread of its own; whoever lost an object finds out when it settles."""

    def __init__(
        self, connection: Callable[[], AbstractContextManager[Conn]], opened: Sequence[Opened], lease: timedelta
    ) -> None:
        self._connection, self._lease = connection, lease
        self._hand = {one.claimed.id: one for one in opened}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def done(self, opened: Opened, result: T) -> T:
        """This one is no longer in hand; hands the result of its reading through."""
        self._hand.pop(opened.claimed.id, None)
        return result

    def _run(self) -> None:
        while not self._ended.wait(self._lease.total_seconds() / PARTS):
            try:
                with self._connection() as conn:
                    signals.keep(conn, list(self._hand.values()), lease=self._lease)
            except AWAY as error:
                log.warning("leases not renewed", extra={"error": str(error)})

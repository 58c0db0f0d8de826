"""Hints: after the commit, best effort; what gets lost is sent again by the sweep."""

import logging
from collections.abc import Iterable, Sequence
from typing import Any, cast

from celery import Celery
from kombu.exceptions import KombuError, OperationalError
from kombu.pools import producers

from pipeline.bell import RedisBell
from pipeline.connectors import discover

log = logging.getLogger(__name__)
EXPIRES_SECONDS = 120.0
UNSENT = (OperationalError, KombuError, OSError, TimeoutError)


class Hints:
    """Rings bells and publishes hints: a task's name says its stage, its queue the target; it carries no ids."""

    def __init__(self, app: Celery, bell: RedisBell) -> None:
        self._app, self._bell = app, bell
        transports = app.connection_for_write().connection_errors
        self._away: tuple[type[BaseException], ...] = (*UNSENT, *transports)

    def wake(self, names: Iterable[str]) -> None:
        """There is work: `ingest.<source>`, `transform` or a target's name."""
        for name in names:
            if self._bell.ring(name):
                self.publish(name)

    def publish(self, name: str) -> None:
        """Send the hint itself; a Redis that refuses it is left to the sweep."""
        task, queue, args = route(name)
        try:
            self._app.send_task(task, args=args, queue=queue, expires=EXPIRES_SECONDS, retry=False)
        except self._away as error:
            log.warning("hint not sent", extra={"queue": queue, "error": str(error)})

    def bury(self, letters: Sequence[tuple[str, int]]) -> int:
        """Publish (queue, dead letter id) pairs to the dead queues; returns how many were sent.

        kombu's batch sends them in one round trip, since a sweep that rebuilds a lost queue may have thousands.
        """
        if not letters:
            return 0
        try:
            with (
                producers[self._app.connection_for_write()].acquire(block=True, timeout=5) as producer,
                producer.batch(),
            ):
                for queue, letter in letters:
                    signature = self._app.signature("casebridge.redrive", args=[letter], queue=f"dead.{queue}")
                    signature.apply_async(producer=producer, retry=False)
        except self._away as error:
            log.warning("dead letters not queued", extra={"count": len(letters), "error": str(error)})
            return 0
        return len(letters)

    def depth(self, queue: str) -> int:
        """Messages waiting in a queue; 0 when Redis cannot be asked."""
        try:
            with self._app.connection_for_read() as connection, connection.channel() as channel:
                return int(cast("Any", channel)._size(queue))  # noqa: SLF001 -- kombu has no public name for it
        except self._away:
            return 0

    def empty(self, queue: str) -> None:
        """Drop a queue's messages before it is filled again from its rows."""
        try:
            with self._app.connection_for_write() as connection, connection.channel() as channel:
                cast("Any", channel).queue_purge(queue)
        except self._away as error:
            log.warning("queue not emptied", extra={"queue": queue, "error": str(error)})


def route(name: str) -> tuple[str, str, list[str]]:
    """(task, queue, arguments) of a hint's name."""
    if name == "transform":
        return "casebridge.transform", "transform", []
    if name.startswith("ingest."):
        return f"casebridge.read_{name.removeprefix('ingest.')}", "ingest", []
    if name not in discover():
        raise ValueError(f"found the hint {name!r}, expected transform, ingest.<source> or one of {list(discover())}")
    return f"casebridge.drain_{name}", f"dispatch.{name}", []

"""What becomes due by the sandbox's clock: scans, SLA breaches, overdue requests, blobs that nobody used."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable
from datetime import datetime

_LOOK_EVERY = 0.25


class Timers:
    """A heap of (due, action); looked at on every request and four times a second while the server runs."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._due: list[tuple[datetime, int, Callable[[], None]]] = []
        self._serial = itertools.count()
        self._task: asyncio.Task[None] | None = None

    def at(self, due: datetime, action: Callable[[], None]) -> None:
        """Run `action` when the clock reaches `due`."""
        heapq.heappush(self._due, (due, next(self._serial), action))

    def run_due(self) -> None:
        """Run whatever is due, oldest first."""
        while self._due and self._due[0][0] <= self._now():
            heapq.heappop(self._due)[2]()

    def keep_running(self) -> None:
        """Start the background look within the running event loop, once."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    def clear(self) -> None:
        """Forget everything."""
        self._due.clear()

    async def _run(self) -> None:
        while True:
            self.run_due()
            await asyncio.sleep(_LOOK_EVERY)

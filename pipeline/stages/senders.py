"""Sender threads of one drain, and what each must know of the lane in its hand."""

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Self

from pipeline.errors import LeaseLostError
from pipeline.store.lanes import Held


class InHand:
    """A held lane's lease, checked by its sender as late as the socket's first byte."""

    def __init__(self, held: Held, until: float, margin: float) -> None:
        self.held, self.until, self.margin = held, until, margin
        self.since = time.monotonic()

    def check(self) -> None:
        """Raises LeaseLostError when too little of the lease is left to start a call."""
        if time.monotonic() > self.until - self.margin:
            raise LeaseLostError(f"lane {self.held.id}: the lease has run down")


class Senders:
    """Sender threads, each blocking on its own call; they end with the drain."""

    def __init__(self, count: int) -> None:
        self.jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self.threads = [threading.Thread(target=self._work, name=f"sender-{n}", daemon=True) for n in range(count)]

    def __enter__(self) -> Self:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for _thread in self.threads:
            self.jobs.put(None)

    def submit(self, job: Callable[[], None]) -> None:
        self.jobs.put(job)

    def _work(self) -> None:
        while (job := self.jobs.get()) is not None:
            job()

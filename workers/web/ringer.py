"""Hints from a thread of their own: Redis being slow or down never delays an answer."""

import logging
import threading
from collections.abc import Iterable, Sequence
from typing import Protocol

log = logging.getLogger(__name__)
MOST_LETTERS = 1_000  # beyond them the sweep fills the dead queue from the rows
STOP_SECONDS = 2.0


class Wakes(Protocol):
    """What is needed of workers.hints.Hints."""

    def wake(self, names: Iterable[str]) -> None: ...
    def bury(self, letters: Sequence[tuple[str, int]]) -> int: ...


class Ringer:
    """Collects what is to be rung and rings it once, however often it was asked for meanwhile."""

    def __init__(self, hints: Wakes | None) -> None:
        """Without hints (`--no-broker`) it stays silent."""
        self._hints = hints
        self._names: set[str] = set()
        self._letters: list[int] = []
        self._ready = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="ringer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._ready:
            self._stopping = True
            self._ready.notify()
        self._thread.join(STOP_SECONDS)

    def ring(self, sources: Sequence[str], letters: Sequence[int]) -> None:
        """These sources have something to read, these dead letters are new. Returns at once."""
        if self._hints is None or not (sources or letters):
            return
        with self._ready:
            self._names.update(f"ingest.{source}" for source in sources)
            self._letters += letters[: MOST_LETTERS - len(self._letters)]
            self._ready.notify()

    def _run(self) -> None:
        while (work := self._take()) is not None:
            names, letters = work
            try:
                assert self._hints is not None
                self._hints.wake(names)
                self._hints.bury([("ingest", letter) for letter in letters])
            except Exception:  # a hint may be lost at any time (design 3); the thread must go on
                log.exception("hints not sent")

    def _take(self) -> tuple[list[str], list[int]] | None:
        with self._ready:
            self._ready.wait_for(lambda: self._names or self._letters or self._stopping)
            if not self._names and not self._letters:
                return None
            work = sorted(self._names), list(self._letters)
            self._names.clear()
            self._letters.clear()
            return work

"""One supervised process: how it is started, what is known of its present run, how long to wait before the next."""

import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from workers.process import Process

State = Literal["running", "restarting", "stopped"]


@dataclass(frozen=True)
class Child:
    """One process to keep running."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path | None = None
    stop_signal: int = signal.SIGTERM
    """also what Linux sends it when we are killed"""
    grace_seconds: float = 20.0
    stop_order: int = 0
    """lower ends first; equals end together (workers 0, web 1)"""
    user: str = ""
    """the user to become, as root only"""
    log: Path | None = None
    """its output is appended there instead of being printed"""


@dataclass
class Backoff:
    """How long to wait before a restart: 1, 2, 4 ... 30 s, beginning again after a run of a minute."""

    first: float = 1.0
    most: float = 30.0
    steady_seconds: float = 60.0
    _next: float = field(default=0.0, init=False)

    def delay(self, ran_seconds: float) -> float:
        """The wait after a run of this length."""
        if self._next == 0.0 or ran_seconds >= self.steady_seconds:
            self._next = self.first
        delay, self._next = self._next, min(self._next * 2, self.most)
        return delay


@dataclass
class Watched:
    """A child with what is known of its present run; `popen` is None for an adopted process."""

    child: Child
    backoff: Backoff = field(default_factory=Backoff)
    process: Process | None = None
    popen: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    restart_at: float = 0.0

    @property
    def alive(self) -> bool:
        """Whether the present run goes on; asking also reaps a child that ended."""
        if self.popen is not None:
            return self.popen.poll() is None
        return self.process is not None and self.process.alive

    def how_it_ended(self) -> str:
        """The end of a sentence that begins with its name."""
        code = self.popen.returncode if self.popen else None
        if code is None:
            return "ended"
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

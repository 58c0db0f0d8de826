"""Keeps a list of processes running: restarts what ends, prefixes what they print, stops them in order.

A child's life: started -> running -> (it ends) -> restarting after 1, 2, 4 ... 30 s -> running.
"""

import contextlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from workers.process import Process, identify, spawn, wait_until
from workers.watched import Child, State, Watched

STOP_SECONDS = 24.0  # of the 30 s that `up` has; the rest is for the embedded servers after us
POLL_SECONDS = 0.1
COLOURS = (36, 33, 35, 32, 34, 31)

__all__ = ["Child", "State", "Supervisor"]

Say = Callable[[str], None]


def _nothing(_name: str, _process: Process | None) -> None:
    """Record nowhere."""


class Supervisor:
    """Runs children until told to stop.

    `run()` serves a foreground command: it takes over SIGTERM and SIGINT and blocks. `start()`, `watch()` and
    `stop()` serve a caller that has its own main loop.
    """

    def __init__(
        self,
        children: Sequence[Child],
        *,
        say: Say = print,
        record: Callable[[str, Process | None], None] = _nothing,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`record(name, process)` is called at each start and end, `say` with each line for the reader."""
        self._watched = [Watched(child) for child in children]
        self._say, self._record, self._monotonic, self._sleep = say, record, monotonic, sleep
        self._width = max((len(child.name) for child in children), default=0)
        self._stopping = threading.Event()
        self._killing = threading.Event()
        self._thread: threading.Thread | None = None
        self._relays: list[threading.Thread] = []
        self._saying = threading.Lock()  # lines of several threads must not mix

    def state(self) -> dict[str, State]:
        """What each child is doing; everything "running" means ready."""
        return {it.child.name: self._state_of(it) for it in self._watched}

    def _state_of(self, watched: Watched) -> State:
        if watched.alive:
            return "running"
        return "stopped" if self._stopping.is_set() else "restarting"

    def run(self) -> None:
        """Start all, keep them running until SIGTERM or SIGINT, stop them; a second signal kills them."""
        with self._signals():
            try:
                self.start()
                self._loop()
            finally:
                self.stop()

    def start(self, adopt: Mapping[str, Process] | None = None) -> None:
        """Start every child, or take charge of the running process given for its name."""
        for watched in self._watched:
            process = (adopt or {}).get(watched.child.name)
            if process:
                watched.process, watched.started_at = process, self._monotonic()
                self._record_safely(watched)
            else:
                self._spawn(watched)

    def watch(self) -> None:
        """Restart what ends from a background thread until `stop()`."""
        self._thread = threading.Thread(target=self._loop, name="supervisor", daemon=True)
        self._thread.start()

    def tick(self) -> None:
        """Look once at every child: note what ended, restart what is due."""
        for watched in self._watched:
            if watched.alive:
                continue
            if watched.process is not None:
                self._note_end(watched)
            elif self._monotonic() >= watched.restart_at:
                self._spawn(watched)

    def stop(self) -> None:
        """Stop all, lowest `stop_order` first, within `STOP_SECONDS` in all; what overstays is killed and named."""
        self._stopping.set()
        if self._thread:
            self._thread.join()
        deadline = self._monotonic() + STOP_SECONDS
        for order in sorted({it.child.stop_order for it in self._watched}):
            self._stop_together([it for it in self._watched if it.child.stop_order == order], deadline)
        for relay in self._relays:
            relay.join(timeout=1)  # last words; a grandchild that holds the pipe must not hold us

    def end(self) -> None:
        """Let `run()` come to its end, from any thread."""
        self._stopping.set()

    def _loop(self) -> None:
        while not self._stopping.is_set():
            self.tick()
            self._sleep(POLL_SECONDS)

    def _spawn(self, watched: Watched) -> None:
        child = watched.child
        watched.started_at = self._monotonic()
        try:
            watched.popen = self._open(child)
        except OSError as error:
            self._plan_restart(watched, f"could not be started ({error})")
            return
        watched.process = identify(watched.popen.pid) or Process(watched.popen.pid, "")
        self._record_safely(watched)
        if watched.popen.stdout:
            self._start_relay(child.name, watched.popen)

    def _open(self, child: Child) -> subprocess.Popen[bytes]:
        with contextlib.ExitStack() as stack:
            output = stack.enter_context(child.log.open("ab")) if child.log else subprocess.PIPE
            return spawn(
                child.argv, child.env, cwd=child.cwd, death_signal=child.stop_signal, user=child.user, output=output
            )

    def _note_end(self, watched: Watched) -> None:
        how = watched.how_it_ended()
        watched.process = watched.popen = None
        self._record_safely(watched)
        self._plan_restart(watched, how)

    def _plan_restart(self, watched: Watched, how: str) -> None:
        now = self._monotonic()
        delay = watched.backoff.delay(now - watched.started_at)
        watched.restart_at = now + delay
        self._tell(f"{watched.child.name} {how}; starting it again in {delay:.0f} s")

    def _record_safely(self, watched: Watched) -> None:
        """Keep watching although the record cannot be written."""
        try:
            self._record(watched.child.name, watched.process)
        except Exception as error:  # noqa: BLE001 -- a full disk or a damaged record must not end the supervision
            self._tell(f"{watched.child.name}: its process could not be recorded ({error})")

    def _start_relay(self, name: str, popen: subprocess.Popen[bytes]) -> None:
        relay = threading.Thread(target=self._relay, args=(name, popen), name=f"output of {name}", daemon=True)
        self._relays = [*(it for it in self._relays if it.is_alive()), relay]
        relay.start()

    def _relay(self, name: str, popen: subprocess.Popen[bytes]) -> None:
        """Print a child's lines behind its name until it ends."""
        assert popen.stdout is not None
        prefix = self._prefix(name)
        with popen.stdout as lines:
            for line in lines:
                self._tell(prefix + line.decode("utf-8", errors="replace").rstrip("\r\n"))

    def _tell(self, line: str) -> None:
        """Say a line; when the reader is gone (a closed pipe), go on without."""
        with self._saying, contextlib.suppress(OSError, ValueError):
            self._say(line)

    def _prefix(self, name: str) -> str:
        text = f"{name:<{self._width}} | "
        if not sys.stdout.isatty():
            return text
        names = [it.child.name for it in self._watched]
        return f"\x1b[{COLOURS[names.index(name) % len(COLOURS)]}m{text}\x1b[0m"

    def _stop_together(self, group: Sequence[Watched], deadline: float) -> None:
        for watched in group:
            if watched.alive and watched.process:
                watched.process.signal(watched.child.stop_signal)
        signalled = self._monotonic()
        for watched in group:
            until = min(deadline, signalled + watched.child.grace_seconds)
            self._await_end(watched, max(0.0, until - self._monotonic()))
            self._record_safely(watched)

    def _await_end(self, watched: Watched, seconds: float) -> None:
        def over() -> bool:
            return not watched.alive or self._killing.is_set()

        wait_until(over, seconds, monotonic=self._monotonic, sleep=self._sleep)
        if watched.alive and watched.process:
            self._tell(f"{watched.child.name} is still running; killing it")
            watched.process.kill_group()
            wait_until(lambda: not watched.alive, 5, monotonic=self._monotonic, sleep=self._sleep)
        watched.process = None

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """First SIGTERM or SIGINT: stop; second: kill."""

        def on_signal(_number: int, _frame: object) -> None:
            (self._killing if self._stopping.is_set() else self._stopping).set()

        before = {number: signal.signal(number, on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

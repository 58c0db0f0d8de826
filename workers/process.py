"""Operating-system processes: an identity that survives recycled pids, starting, and stopping."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

HAS_PROC = Path("/proc/self/stat").exists()
CHILD = Path(__file__).with_name("child.py")

# Linux sends the parent-death signal when the *thread* that started the child ends (prctl(2)), so one thread
# starts every child and lives as long as this process.
_starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="starter")


@dataclass(frozen=True)
class Process:
    """A pid with the time it started, in the kernel's own words; together they name one process for ever."""

    pid: int
    started: str

    @property
    def alive(self) -> bool:
        """Whether this very process still runs; a zombie or a recycled pid counts as gone."""
        return self.started != "" and start_time(self.pid) == self.started

    def signal(self, number: int) -> bool:
        """Send a signal if this very process still runs; False when it is gone."""
        if not self.alive:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)
        return True

    def kill_group(self) -> None:
        """SIGKILL the process and, where it leads its group (our children do), everything it started."""
        if not self.alive:
            return
        with contextlib.suppress(ProcessLookupError):
            leads = os.getpgid(self.pid) == self.pid
            (os.killpg if leads else os.kill)(self.pid, signal.SIGKILL)


def identify(pid: int) -> Process | None:
    """The identity of a running pid, None when nothing runs under it."""
    started = start_time(pid)
    return Process(pid, started) if started else None


def this_process() -> Process:
    """The identity of the calling process."""
    return Process(os.getpid(), start_time(os.getpid()))


def start_time(pid: int) -> str:
    """When the process started: boot id and clock ticks on Linux, `ps` elsewhere; "" when it is gone or a zombie."""
    if HAS_PROC:
        return _start_time_from_proc(pid)
    return _start_time_from_ps(pid)


def _start_time_from_proc(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
    fields = stat.rpartition(")")[2].split()  # the name before ")" may hold anything; see proc(5)
    state, ticks = fields[0], fields[19]
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")[:8]
    return "" if state in "ZX" else f"{boot}:{ticks}"


def _start_time_from_ps(pid: int) -> str:
    command = ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, env={"LC_ALL": "C"})  # noqa: S603 -- fixed words and a number
    state, _, started = answer.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else " ".join(started.split())


def with_parent(argv: Sequence[str], death_signal: int, user: str = "") -> list[str]:
    """The command line that runs `argv` as `user`, ending it with `death_signal` when this process ends."""
    return [sys.executable, "-IS", str(CHILD), str(os.getpid()), str(int(death_signal)), user, *argv]


def spawn(
    argv: Sequence[str],
    env: Mapping[str, str],
    *,
    cwd: Path | None = None,
    death_signal: int = signal.SIGTERM,
    user: str = "",
    output: IO[bytes] | int = subprocess.PIPE,
) -> subprocess.Popen[bytes]:
    """Start a command in a session of its own, so that Ctrl-C reaches only us and we choose the order of ending.

    Standard error goes where standard output goes. Raises OSError when it cannot be started.
    """

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 -- the command comes from our own code
            with_parent(argv, death_signal, user),
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    return _starter.submit(start).result()


def wait_until(
    condition: Callable[[], bool],
    seconds: float,
    *,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Look at a condition until it holds; False when `seconds` passed first."""
    deadline = monotonic() + seconds
    while not condition():
        if monotonic() >= deadline:
            return False
        sleep(0.02)
    return True


def stop(process: Process, number: int = signal.SIGTERM, *, seconds: float) -> bool:
    """Signal a process, wait for its end, SIGKILL it when it overstays; True when it went by itself."""
    process.signal(number)
    if wait_until(lambda: not process.alive, seconds):
        return True
    process.kill_group()
    wait_until(lambda: not process.alive, 5)
    return False

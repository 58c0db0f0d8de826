"""The supervisor as a command in the foreground: signals, and what kill -9 leaves."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from workers.process import wait_until
from workers.supervisor import STOP_SECONDS

ROOT = Path(__file__).parents[2]
SECONDS = 20.0
STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)"
TALKATIVE = "import time; print('hello', flush=True); time.sleep(600)"
UP = """
import sys, time
from workers.supervisor import Child, Supervisor
text = sys.argv[1]
children = [Child(name, [sys.executable, "-c", text], {}, grace_seconds=600) for name in ("one", "two")]
Supervisor(children, say=lambda line: print(line, flush=True)).run()
print("stopped", flush=True)
"""


def up(text: str) -> subprocess.Popen[str]:
    """A supervisor in the foreground of a process of its own, with two children."""
    return subprocess.Popen([sys.executable, "-c", UP, text], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def lines_until(running: subprocess.Popen[str], *expected: str) -> None:
    """Read what it prints until all of these lines came."""
    assert running.stdout is not None
    missing = set(expected)
    while missing:
        line = running.stdout.readline()
        assert line, f"ended without saying {missing}"
        missing.discard(line.rstrip("\n"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_all_cleanly(number: int) -> None:
    """SIGTERM or Ctrl-C ends the children and then the command, with exit code 0."""
    with up(TALKATIVE) as running:
        lines_until(running, "one | hello", "two | hello")
        running.send_signal(number)
        lines_until(running, "stopped")
        assert running.wait(SECONDS) == 0


def test_a_second_signal_kills_at_once() -> None:
    """When children do not listen, a second signal need not wait for their grace."""
    with up(STUBBORN) as running:
        lines_until(running, "one | ready", "two | ready")
        running.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            running.wait(0.5)
        running.send_signal(signal.SIGTERM)
        assert running.wait(STOP_SECONDS / 2) == 0
        lines_until(running, "one is still running; killing it", "two is still running; killing it", "stopped")


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")
def test_children_end_with_a_killed_supervisor() -> None:
    """After kill -9 of the supervisor its children end by themselves."""
    with up("import os, time; print(os.getpid(), flush=True); time.sleep(600)") as running:
        assert running.stdout is not None
        pids = [int(running.stdout.readline().split("|")[1]) for _ in range(2)]
        running.kill()
    assert wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), SECONDS)

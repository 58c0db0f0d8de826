"""`casebridge up --sandbox` for real: a case travels, a killed worker comes back, `down` leaves nothing."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.town import ROOT
from workers.demo.people import People
from workers.instance import Instance, purge, stop_instance
from workers.process import Process

READY_SECONDS = 120.0
SECONDS = 60.0
CHILDREN = {"web", "ingest", "transform", "dispatch", "beat", "flower", "sandbox", "postgresql", "redis"}

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(420), pytest.mark.xdist_group("ports")]


class Running:
    """A `casebridge up` in a process of its own."""

    def __init__(self, home: Path, *flags: str) -> None:
        self.home = home
        kept = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "TMPDIR"}}
        self.env = {
            **kept,
            "CASEBRIDGE_HOME": str(home),
            "CASEBRIDGE_SWEEP_SECONDS": "1",
            "CASEBRIDGE_POLL_SECONDS": "2",
        }
        self.said = (home.parent / "said").open("w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "workers", "up", "--sandbox", *flags], cwd=ROOT, env=self.env,
            stdout=subprocess.PIPE, stderr=self.said, text=True,
        )  # fmt: skip

    def casebridge(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Another command in the same home."""
        argv = [sys.executable, "-m", "workers", *words]
        return subprocess.run(argv, cwd=ROOT, env=self.env, capture_output=True, text=True, check=False, timeout=90)

    def status(self) -> Any:
        """`status --json`; {} while there is none."""
        done = self.casebridge("status", "--json")
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def words(self) -> str:
        """What it said so far."""
        return Path(self.said.name).read_text(encoding="utf-8")

    def until(self, condition: Callable[[], Any], seconds: float = SECONDS) -> Any:
        """Wait for something to become true; fails with what was said."""
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < deadline, self.words()[-6000:]
            assert self.process.poll() is None, self.words()[-6000:]
            time.sleep(0.1)
        return found

    def end(self) -> None:
        """Whatever happened, leave nothing behind."""
        stop_instance(self.home, print)
        self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.said.close()
        purge(self.home, print, also=("beat", "documents"))


@contextlib.contextmanager
def running(home: Path, *flags: str) -> Iterator[Running]:
    made = Running(home, *flags)
    try:
        made.until(lambda: "\nready: " in made.words(), READY_SECONDS)
        yield made
    finally:
        made.end()


def people_of(status: Any) -> People:
    addresses = {name.removeprefix("sandbox."): url for name, url in status["addresses"].items()}
    return People({name: addresses[name] for name in ("trading_grid", "gemini", "zendesk")})


def arrived(up: Running, thread: str) -> bool:
    """Whether the thread's case was opened in Gemini, and Trading Grid was told."""
    done = up.casebridge("why", f"trading_grid:thread:{thread}", "--json")
    told = json.loads(done.stdout) if done.returncode == 0 else {"changes": []}
    ends = [one for change in told["changes"] for one in change["deliveries"]]
    return len(ends) >= 3 and {one["reason"] for one in ends} <= {"delivered", "already_so"}


def processes(status: Any) -> dict[str, int]:
    return {name: it["pid"] for name, it in status["processes"].items() if it["alive"]}


def test_a_case_travels_and_a_killed_worker_comes_back(tmp_path: Path) -> None:
    """One machine, one command: everything that a partner, an operator and an accident do to it."""
    with running(tmp_path / "home") as up:
        status = up.status()
        people = people_of(status)
        before = processes(status)
        assert before.keys() == CHILDREN
        thread = str(people.open_thread("acme", "Short", "3 of 5 came", po_number="PO-77")["thread_id"])
        up.until(lambda: arrived(up, thread))

        os.kill(before["dispatch"], signal.SIGKILL)
        up.until(lambda: processes(up.status()).get("dispatch", before["dispatch"]) != before["dispatch"])
        assert {name: pid for name, pid in processes(up.status()).items() if name != "dispatch"} == {
            name: pid for name, pid in before.items() if name != "dispatch"
        }
        assert "dispatch was ended by SIGKILL; starting it again in 1 s" in up.words()
        second = str(people.open_thread("globex", "Late", "not yet here", po_number="PO-78")["thread_id"])
        up.until(lambda: arrived(up, second))

        again = up.casebridge("up", "--sandbox")
        assert (again.returncode, "casebridge down" in again.stderr) == (1, True)
        known = everything(up.home)
        down = up.casebridge("down")
        assert (down.returncode, up.process.wait(30)) == (0, 0)
        assert not [it for it in known if it.alive]
        assert up.casebridge("status").returncode == 1


def test_without_a_broker_a_case_travels_too(tmp_path: Path) -> None:
    """No Redis, no Celery: web and one process for all stages."""
    with running(tmp_path / "home", "--no-broker") as up:
        status = up.status()
        assert processes(status).keys() == {"web", "stages", "sandbox", "postgresql"}
        thread = str(people_of(status).open_thread("acme", "Short", "3 of 5 came", po_number="PO-79")["thread_id"])
        up.until(lambda: arrived(up, thread))
        up.process.send_signal(signal.SIGTERM)
        assert up.process.wait(30) == 0


def everything(home: Path) -> list[Process]:
    return Instance(home).read().everything

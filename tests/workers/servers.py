"""What the tests of the embedded servers share: homes, a second process, real clients."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import redis

from workers.instance import Instance, purge, stop_instance
from workers.process import Process, identify

ROOT = Path(__file__).parents[2]
SECONDS = 20.0

OPEN_AND_WAIT = """
import sys, time
from pathlib import Path
from workers import process
from workers.embedded import open_services
if len(sys.argv) > 2:
    process.CHILD = Path(sys.argv[2])
with open_services(Path(sys.argv[1]), {}, lambda line: print(line, flush=True)):
    print("open", flush=True)
    time.sleep(600)
"""


@contextlib.contextmanager
def fresh_home(folder: Path) -> Iterator[Path]:
    """A home, taken down and purged afterwards (as root its data lie outside the test's folder)."""
    yield folder
    stop_instance(folder, print)
    purge(folder, print)


@contextlib.contextmanager
def another_process(home: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A process that holds the servers of a home open, and what it said until then."""
    command = [sys.executable, "-c", OPEN_AND_WAIT, str(home), *more]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        said: list[str] = []
        for line in running.stdout:
            said.append(line.strip())
            if said[-1] == "open":
                break
        assert "open" in said
        try:
            yield running, said
        finally:
            running.kill()


def ping(url: str) -> bool:
    """Whether a real client gets an answer."""
    with redis.Redis.from_url(url) as client:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False


def answers(url: str) -> bool:
    """Whether a real client gets a row."""
    try:
        with psycopg.connect(url) as connection:
            return connection.execute("select 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def server_processes(home: Path) -> list[Process]:
    """The servers' processes as recorded."""
    return [it.process for it in Instance(home).read().servers.values() if it.process]


def with_descendants(leaders: list[Process]) -> set[Process]:
    """These processes with all that they started, by Linux's process table."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    family = {it.pid for it in leaders}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return {it for it in map(identify, family) if it}

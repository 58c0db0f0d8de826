"""A whole deployment on this machine: sandbox, web, Celery workers, beat; processes that can be killed."""

import contextlib
import os
import signal
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from redis import Redis

from pipeline.connectors import discover
from pipeline.store.pool import connect
from tests.contracts.wire import require_by_contract
from tests.town import CONFIG, sandbox
from workers.cli.launch import fleet
from workers.demo.environment import sandbox_environment
from workers.demo.people import People
from workers.instance import Instance, claim
from workers.process import Process
from workers.supervisor import Supervisor


class Deployment:
    """The running processes, and what a story does to them."""

    def __init__(self, urls: dict[str, str], env: dict[str, str], instance: Instance, web_port: int, app: str) -> None:
        self.people = People(urls)
        self.env, self.web_port, self.instance = env, web_port, instance
        self.pids: dict[str, int] = {}
        self.lines: list[str] = []
        listed = fleet.with_broker(env, instance.home, web=web_port, flower=free_port(), targets=discover())
        running = [
            replace(child, argv=[app if word == "workers.app" else word for word in child.argv])
            for child in listed
            if child.name != "flower"
        ]
        self.supervisor = Supervisor(running, say=self.lines.append, record=self._record)

    def _record(self, name: str, process: Process | None) -> None:
        self.instance.record_process(name, process)
        if process is not None:
            self.pids[name] = process.pid

    def kill(self, name: str) -> None:
        """SIGKILL one process; the supervisor starts it again."""
        os.kill(self.pids[name], signal.SIGKILL)

    def flush_redis(self) -> None:
        """Redis forgets everything."""
        with Redis.from_url(self.env["REDIS_URL"]) as redis:
            redis.flushall()

    def ready(self) -> bool:
        """Whether web says that all is up."""
        with contextlib.suppress(OSError):
            url = f"http://127.0.0.1:{self.web_port}/readyz"
            with urllib.request.urlopen(url, timeout=5) as answer:
                return bool(answer.status == 200)
        return False

    def unfinished(self) -> list[tuple[str, int]]:
        """What the ledger still has to do; used to know when to look, never as the proof."""
        queries = {
            "signals": "select count(*) from signal where state = 'open'",
            "changes": "select count(*) from change where state = 'open'",
            "lanes": "select count(*) from lane where head < tail",
        }
        with connect(self.env["DATABASE_URL"]) as conn:
            counts = {name: conn.execute(query.encode()).fetchone() for name, query in queries.items()}
        return [(name, row[0]) for name, row in counts.items() if row and row[0]]


def wait_for(what: Callable[[], bool], *, seconds: float, why: Callable[[], str]) -> None:
    """Poll until it holds; fails with `why` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds:.0f} s: {why()}")
        time.sleep(0.2)


def free_port() -> int:
    """A port that is free right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def deployed(
    home: Path, database_url: str, redis_url: str, *, app: str = "workers.app", **extra: str
) -> Iterator[Deployment]:
    """Everything running and ready; everything stopped afterwards. `app` names another Celery application module."""
    port = free_port()
    with sandbox(hooks_to=f"http://127.0.0.1:{port}") as urls, claim(home / "deployment", print) as instance:
        env = {
            **os.environ,
            **sandbox_environment(urls),
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "CASEBRIDGE_HOME": str(instance.home),
            "CASEBRIDGE_CONFIG": str(CONFIG),
            "CASEBRIDGE_LEASE_SECONDS": "2",
            "CASEBRIDGE_RETRY_SCALE": "0.02",
            "CASEBRIDGE_POLL_SECONDS": "2",
            "CASEBRIDGE_SWEEP_SECONDS": "1",
            **extra,
        }
        made = Deployment(urls, env, instance, port, app)
        made.people.switch("zendesk", "zendesk", {"export_lag_seconds": 1, "per_ticket_limit": False})
        made.supervisor.start()
        made.supervisor.watch()
        try:
            wait_for(made.ready, seconds=60, why=lambda: "\n".join(["not ready", *made.lines[-40:]]))
            yield made
            require_by_contract(made.people)
        finally:
            made.supervisor.stop()

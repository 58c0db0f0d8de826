"""A town for stories: the three sandboxes, casebridge's stages in-process, and people who act."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pipeline.configuration import load
from pipeline.connectors import discover
from pipeline.environment import read
from pipeline.store import config_versions
from workers.bootstrap import World
from workers.demo.environment import sandbox_environment
from workers.demo.people import Ids, People
from workers.inprocess import Ran, run_until_quiet

ROOT = Path(__file__).resolve().parents[1]
OURS = ("client:casebridge", "api:casebridge", "api:9001")  # casebridge's accounts at the three systems
CONFIG = ROOT / "casebridge.sandbox.yaml"


@contextlib.contextmanager
def sandbox(journal: Path | None = None, hooks_to: str | None = None) -> Iterator[dict[str, str]]:
    """The three servers in a process of their own; yields their addresses."""
    argv = [sys.executable, "-m", "sandbox", "--die-with-parent"]
    for name in ("trading-grid", "gemini", "zendesk"):
        argv += [f"--{name}-port", "0"]
    if journal is not None:
        argv += ["--journal", str(journal)]
    if hooks_to is not None:
        argv += ["--hooks-to", hooks_to]
    process = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(10)


class Town:
    """Acts as people do, runs the stages until nothing is due, and reads what happened from the systems' journals."""

    def __init__(self, urls: dict[str, str], database_url: str, home: Path) -> None:
        env = {
            **sandbox_environment(urls),
            "DATABASE_URL": database_url,
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "CASEBRIDGE_HOME": str(home),
            "CASEBRIDGE_CONFIG": str(CONFIG),
            "CASEBRIDGE_LEASE_SECONDS": "2",
            "CASEBRIDGE_RETRY_SCALE": "0.001",
            "CASEBRIDGE_POLL_SECONDS": "3600",
            "CASEBRIDGE_SENDERS": "4",
            "PATH": os.environ.get("PATH", ""),
        }
        self.people = People(urls)
        self.offset = 0.0
        self.people.reset()
        self.people.switch("zendesk", "zendesk", {"export_lag_seconds": 0})
        self.world = World(read(env, discover()), broker=False, pool_size=10)
        self.configure(lambda text: text.replace("status_settle_seconds: 1", "status_settle_seconds: 0"))
        self.world.first_start()
        self.run()

    def configure(self, change: Callable[[str], str]) -> None:
        """Apply the sandbox configuration with a change to its text."""
        text = change(CONFIG.read_text(encoding="utf-8"))
        load(text, discover())
        with self.world.connection() as conn:
            config_versions.apply(conn, text, actor="test")
        self.world.look_again()

    def run(self) -> Ran:
        """Poll every source, then work until nothing is due; what people do next happens seconds later."""
        with self.world.connection() as conn:
            conn.execute("update source_object set due = casebridge.now() where object = '*' and nonce is null")
        ran = run_until_quiet(self.world)
        self.later(2)
        return ran

    def later(self, seconds: float) -> None:
        """Move the systems' clocks on; stamps of whole seconds then tell one act from the next."""
        self.offset += seconds
        for system in self.people.urls:
            self.people.switch(system, "clock", {"offset_seconds": self.offset})

    def effects(self, system: str, effect: str = "", **facts: Any) -> list[Ids]:
        """The journal's entries of one system, by effect and facts."""
        found = [entry for entry in self.people.journal(system) if not effect or entry["effect"] == effect]
        return [entry for entry in found if all(entry.get(name) == value for name, value in facts.items())]

    def by_us(self, system: str, effect: str = "", **facts: Any) -> list[Ids]:
        """What casebridge itself did at a system."""
        found = self.effects(system, effect, **facts)
        return [entry for entry in found if str(entry["by"]) in OURS]

    def dead(self) -> list[tuple[str, str]]:
        """(reason, detail) of the dead letters that wait."""
        with self.world.connection() as conn:
            rows = conn.execute("select reason, detail from dead_letter where state = 'dead' order by id").fetchall()
        return [(row[0], row[1]) for row in rows]

    def rows(self, statement: str) -> list[Any]:
        """What the ledger holds, for failure messages and set-up; stories assert on effects."""
        with self.world.connection() as conn:
            return conn.execute(statement.encode()).fetchall()

    def close(self) -> None:
        self.world.close()

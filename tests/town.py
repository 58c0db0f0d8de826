"""A town for stories: the three sandboxes, casebridge's stages in-process, and people who act."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from psycopg import conninfo

from pipeline.configuration import load
from pipeline.connectors import discover
from pipeline.environment import read
from pipeline.store import config_versions, dead_letters
from workers.bootstrap import World
from workers.demo.environment import sandbox_environment
from workers.demo.people import Ids, People
from workers.inprocess import Ran, run_until_quiet

ROOT = Path(__file__).resolve().parents[1]
OURS = ("client:casebridge", "api:casebridge", "api:9001")  # casebridge's accounts at the three systems
CONFIG = ROOT / "casebridge.sandbox.yaml"
CLOCK = """
create table casebridge.clock (ahead interval not null);
insert into casebridge.clock values ('0 seconds');
create or replace function casebridge.now() returns timestamptz
    language sql stable as $$ select clock_timestamp() + ahead from casebridge.clock $$;
"""  # decisions D15: the database's only clock is one that a test can move


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
        if process.stdout is not None:
            process.stdout.close()


class Town:
    """Acts as people do, runs the stages until nothing is due, and reads what happened from the systems' journals."""

    def __init__(self, urls: dict[str, str], database_url: str, home: Path) -> None:
        env = {
            **sandbox_environment(urls),
            "DATABASE_URL": _as_url(database_url),
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
        with self.world.connection() as conn:
            conn.execute(CLOCK)
        self.configure(lambda text: text)
        self.world.first_start()
        self.run()

    def configure(self, change: Callable[[str], str]) -> None:
        """Apply the sandbox configuration with a change to its text; statuses do not settle unless that says so."""
        text = CONFIG.read_text(encoding="utf-8")
        text = change(text.replace("status_settle_seconds: 1", "status_settle_seconds: 0"))
        load(text, discover())
        with self.world.connection() as conn:
            config_versions.apply(conn, text, actor="test")
        self.world.look_again()

    def run(self, *sources: str) -> Ran:
        """Poll every source (or those named), then work until nothing is due; what comes next is seconds later."""
        polled = list(sources or self.world.connectors)
        with self.world.connection() as conn:
            conn.execute(
                "update source_object set due = casebridge.now()"
                " where object = '*' and nonce is null and source = any(%s)",
                [polled],
            )
        ran = run_until_quiet(self.world)
        self.later(2)
        return ran

    def later(self, seconds: float) -> None:
        """Move all clocks on, the database's too; stamps of whole seconds then tell one act from the next."""
        self.offset += seconds
        for system in self.people.urls:
            self.people.switch(system, "clock", {"offset_seconds": self.offset})
        with self.world.connection() as conn:
            conn.execute("update casebridge.clock set ahead = make_interval(secs => %s)", [self.offset])

    def clock_forward(self, seconds: float) -> Ran:
        """So much time passes; whatever became due in it is done."""
        self.later(seconds)
        return self.run()

    def fault(self, system: str, route: str, fault: str, **settings: Any) -> None:
        """A rule of the sandbox: which route fails, how, and with `times` how often."""
        self.people.switch(system, "faults", {"route": route, "fault": fault, **settings}, "POST")

    def mend(self, system: str) -> None:
        """All faults of a system end."""
        self.people.switch(system, "faults", None, "DELETE")

    def said_on_the_wire(self, system: str) -> str:
        """Everything that was sent to a system's API, as one text."""
        return json.dumps([
            (entry["path"], entry["query"], entry.get("request_body"), entry.get("request_body_b64"))
            for entry in self.people.look(system, "wire")["entries"]
        ])  # fmt: skip

    def requeue(self, reason: str) -> None:
        """An operator gives every dead letter of a reason another turn."""
        with self.world.connection() as conn, conn.transaction():
            for letter in dead_letters.listed(conn, reason=reason):
                dead_letters.requeue(conn, letter.id, actor="test", note="mended")

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


def _as_url(conn: str) -> str:
    """The same connection as a URL, the only form that the environment takes."""
    if "://" in conn:
        return conn
    parts = conninfo.conninfo_to_dict(conn)
    user, name = quote(str(parts.pop("user", ""))), quote(str(parts.pop("dbname", "")))
    return f"postgresql://{user}@/{name}?{urlencode({key: str(value) for key, value in parts.items()})}"

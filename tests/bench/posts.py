"""One round: posts in, comments at two targets out; wall time, CPU, messages, commits and statements an event."""

import os
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from redis import Redis

from pipeline.store.migrate import migrate
from pipeline.store.pool import connect
from tests.acceptance.deployment import Deployment, deployed, wait_for
from workers.embedded import Services

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Round:
    """`events` are posts; each becomes two deliveries. CPU is of web, workers, PostgreSQL and Redis."""

    events: float
    seconds: float
    cpu_seconds_per_1000: float
    celery_messages_per_event: float
    commits_per_event: float
    statements_per_event: float

    def __str__(self) -> str:
        return (
            f"{self.events:.0f} events in {self.seconds:.1f} s = {self.events / self.seconds:.0f} events/s"
            f" ({2 * self.events / self.seconds:.0f} deliveries/s), {self.cpu_seconds_per_1000:.2f} CPU-s per 1,000,"
            f" {self.celery_messages_per_event:.3f} Celery messages, {self.commits_per_event:.2f} commits,"
            f" {self.statements_per_event:.2f} statements an event"
        )


def measure_posts(home: Path, services: Services, posts: int, cases: int) -> Round:
    """A fresh database and deployment; `cases` cases bound to thread, item and ticket, then the posts.

    PostgreSQL logs every statement of this database, since that is how they are counted; it costs a few per cent.
    """
    name = f"bench_{uuid.uuid4().hex[:10]}"
    with psycopg.connect(services.database_url, autocommit=True) as conn:
        conn.execute(f"create database {name}".encode())
        conn.execute(f"alter database {name} set log_min_duration_statement = 0".encode())
    url = urlsplit(services.database_url)._replace(path=f"/{name}").geturl()
    with connect(url) as conn:
        migrate(conn)
    with deployed(home, url, services.redis_url, CASEBRIDGE_LEASE_SECONDS="60", CASEBRIDGE_POLL_SECONDS="60") as town:
        threads = _bound_cases(town, cases)
        return _posts(town, threads, posts, home / "log" / "postgresql.log")


def _bound_cases(town: Deployment, cases: int) -> list[str]:
    """Each a partner's thread with its item, joined by a ticket of the same purchase order."""
    threads = []
    for n in range(cases):
        made = town.people.open_thread(
            "acme", f"Case {n}", "first", exception_type="short_shipment", po_number=f"PO-{n}"
        )
        threads.append(str(made["thread_id"]))
    wait_for(lambda: not town.unfinished(), seconds=120, why=lambda: f"cases: {town.unfinished()}")
    for n in range(cases):
        fields = {"field_360002": "short_shipment", "field_360003": f"PO-{n}"}
        ticket = town.people.open_ticket(500, f"Case {n}", "from the customer", **fields)["ticket_id"]
        town.people.escalate(ticket)
    wait_for(lambda: len(_binds(town)) >= cases, seconds=180, why=lambda: f"tickets: {len(_binds(town))}")
    wait_for(lambda: not town.unfinished(), seconds=120, why=lambda: f"tickets: {town.unfinished()}")
    return threads


def _binds(town: Deployment) -> list[object]:
    return [e for e in town.people.journal("zendesk") if e["effect"] == "comment_added" and e["by"] == "api:9001"]


def _posts(town: Deployment, threads: list[str], posts: int, log: Path) -> Round:
    marks = {system: len(town.people.journal(system)) for system in ("gemini", "zendesk")}
    before, started = _counters(town, log), time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: town.people.post("acme", threads[n % len(threads)], f"post {n}"), range(posts)))
    for system, mark in marks.items():
        wait_for(
            lambda system=system, mark=mark: len(town.people.journal(system, mark)) >= posts,  # type: ignore[misc]
            seconds=300,
            why=lambda system=system: f"{system} did not get all: {town.unfinished()}",  # type: ignore[misc]
        )
    seconds = time.monotonic() - started
    after = _counters(town, log)
    each = {name: (after[name] - before[name]) / posts for name in after}
    return Round(posts, seconds, each["cpu"] * 1000, each["messages"], each["commits"], each["statements"])


def _counters(town: Deployment, log: Path) -> dict[str, float]:
    with connect(town.env["DATABASE_URL"]) as conn:
        conn.execute("select pg_stat_force_next_flush()")
        row = conn.execute("select xact_commit from pg_stat_database where datname = current_database()").fetchone()
        servers = conn.execute("select pid from pg_stat_activity where datname = current_database()").fetchall()
    with Redis.from_url(town.env["REDIS_URL"]) as redis:
        stats = redis.info("commandstats")
        redis_pid = int(redis.info("server")["process_id"])
    messages = stats.get("cmdstat_hset", {}).get("calls", 0)  # kombu notes each message it hands out as unacked
    pids = [*town.pids.values(), *(pid for (pid,) in servers), redis_pid]
    assert row is not None
    return {
        "cpu": sum(map(_cpu, pids)),
        "messages": float(messages),
        "commits": float(row[0]),
        "statements": float(_statements(log)),
    }


def _statements(log: Path) -> int:
    """Statements that PostgreSQL executed, from its own log."""
    with log.open(encoding="utf-8", errors="replace") as lines:
        return sum("duration: " in line and (" execute " in line or " statement: " in line) for line in lines)


def _cpu(pid: int) -> float:
    """User and system seconds of one process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS

"""Measures the receivers: `python tests/web/bench_hooks.py` (needs nothing running; prints, asserts nothing).

Signals a second over 16 kept-alive connections from another process, and the time of one at a time.
"""

import http.client
import multiprocessing
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from pipeline.store import pool
from pipeline.store.migrate import migrate
from tests.web.served import environment, is_ready, prepare, ticket, until, zendesk_headers
from workers.embedded import open_services
from workers.instance import purge, stop_instance

SECONDS = 10.0
LOADS = (("warm", 0, 4), ("one at a time", 10**9, 1), ("16 at once", 10**10, 16))  # name, first ticket, connections


def post(connection: http.client.HTTPConnection, number: int) -> float:
    """Seconds that one signal took."""
    body = ticket(number)
    headers = zendesk_headers(body)
    started = time.perf_counter()
    connection.request("POST", "/hooks/zendesk", body, headers)
    answer = connection.getresponse()
    answer.read()
    if answer.status != 202:
        raise SystemExit(f"found {answer.status}, expected 202")
    return time.perf_counter() - started


def burst(port: int, first: int, until_at: float, taken: list[float]) -> None:
    """One connection's share."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    while time.time() < until_at:
        first += 1
        taken.append(post(connection, first))


def load(port: int, offset: int, connections: int, seconds: float) -> list[float]:
    """All connections of one sending process; returns the times, sorted."""
    taken: list[float] = []
    end = time.time() + seconds
    threads = [
        threading.Thread(target=burst, args=(port, offset + n * 1_000_000, end, taken)) for n in range(connections)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(taken)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def report(name: str, taken: list[float], seconds: float, cpu: float) -> None:
    """One line."""
    p50, p99 = taken[len(taken) // 2] * 1000, taken[len(taken) * 99 // 100] * 1000
    print(f"{name}: {len(taken) / seconds:.0f}/s, p50 {p50:.1f} ms, p99 {p99:.1f} ms,"  # noqa: T201 -- its purpose
          f" {cpu / len(taken) * 1e6:.0f} us of CPU each")  # fmt: skip


def main() -> None:
    """Servers, a web process, two loads."""
    home = Path(tempfile.mkdtemp())
    with open_services(home, {}, print) as services, socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
        probe.close()
        with pool.connect(services.database_url) as conn:
            migrate(conn)
        prepare(services.database_url)
        env = {**os.environ, **environment(services.database_url, services.redis_url), "PYTHONPATH": str(Path.cwd())}
        env["DATABASE_URL"] = services.database_url
        web = subprocess.Popen([sys.executable, "-m", "workers.web", "--port", str(port)], env=env)
        try:
            until(lambda: is_ready(port), "the process is ready")
            with multiprocessing.get_context("spawn").Pool(1) as sender:
                for name, offset, connections in (
                    ("warm", 0, 4),
                    ("one at a time", 10**9, 1),
                    ("16 at once", 10**10, 16),
                ):
                    before = cpu_seconds(web.pid)
                    taken = sender.apply(load, (port, offset, connections, SECONDS))
                    report(name, taken, SECONDS, cpu_seconds(web.pid) - before)
            with pool.connect(services.database_url) as conn:
                print(conn.execute("select count(*) from signal").fetchone(), os.getloadavg())  # noqa: T201
        finally:
            web.terminate()
            web.wait(20)
    stop_instance(home)
    purge(home)


if __name__ == "__main__":
    main()

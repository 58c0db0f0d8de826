"""The claim's plan with a great many lanes waiting: an index scan, and what it costs (engine.md trap 1)."""

import statistics
import time
import uuid
from datetime import timedelta
from urllib.parse import urlsplit

import psycopg

from pipeline.store import lanes
from pipeline.store.migrate import migrate
from pipeline.store.pool import connect
from workers.embedded import Services

FILL = """
insert into partner_case (partner, case_key) select 'p' || n %% 300, 'k' || n from generate_series(1, %(n)s) n;
insert into lane (target, case_id, partner, tail, due)
    select 'gemini', id, partner, 1, casebridge.now() - interval '1 hour' + id * interval '1 ms' from partner_case;
insert into delivery (lane_id, seq, case_id, flow, kind, name, operation, key, mark)
    select id, 1, case_id, 'B', 'comment', 'B.say',
           '{"kind":"comment","link_id":1,"text":{"body":"x"},"author":{"side":"hub"}}', gen_random_uuid(), 'MARK'
    from lane;
"""


def measure_claim(services: Services, waiting: int) -> str:
    """Fill, analyze, look at the plan, time twenty claims of 64; returns the lines to print."""
    name = f"bench_{uuid.uuid4().hex[:10]}"
    with psycopg.connect(services.database_url, autocommit=True) as conn:
        conn.execute(f"create database {name}".encode())
    with connect(urlsplit(services.database_url)._replace(path=f"/{name}").geturl()) as conn:
        migrate(conn)
        conn.execute("set statement_timeout = 0")
        for statement in FILL.split(";")[:-1]:
            conn.execute(statement.encode(), {"n": waiting} if "%(n)s" in statement else None)
        conn.execute("analyze")
        lease = timedelta(seconds=60)
        claim = lanes.SQL["claim"].replace("{limit}", "64").encode()
        params = {"target": "gemini", "owner": "bench", "lease": lease}
        plan = "\n".join(row[0] for row in conn.execute(b"explain " + claim, params).fetchall())
        times = []
        for _ in range(20):
            started = time.perf_counter()
            held = lanes.claim(conn, "gemini", owner="bench", lease=lease, room=64)
            times.append((time.perf_counter() - started) * 1000)
            assert len(held) == 64
    scan = "index scan on lane_due" if "using lane_due" in plan and "Seq Scan on lane" not in plan else "NO INDEX SCAN"
    return f"claim of 64 at {waiting:,} waiting lanes: median {statistics.median(times):.2f} ms, {scan}"

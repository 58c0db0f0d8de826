"""PostgreSQL away, the process killed, bytes that nobody foresaw: never a 200 that is not true, never a 500."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import conninfo, sql

from pipeline.store.pool import Conn
from tests.web.served import (
    GEMINI_TOKEN,
    Served,
    count,
    environment,
    is_ready,
    prepare,
    ticket,
    trading_grid_headers,
    until,
    zendesk_headers,
)
from workers.embedded import Services

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def away(services: Services, database_url: str) -> Iterator[None]:
    """The database ends all sessions and takes none, as in a fail-over."""
    name = str(conninfo.conninfo_to_dict(database_url)["dbname"])
    with psycopg.connect(services.database_url, autocommit=True) as conn:
        allow = sql.SQL("alter database {} allow_connections {}")
        conn.execute(allow.format(sql.Identifier(name), sql.SQL("false")))
        conn.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,))
        try:
            yield
        finally:
            conn.execute(allow.format(sql.Identifier(name), sql.SQL("true")))


def test_database_away(services: Services, database_url: str, served: Served) -> None:
    """Without a database senders are asked to repeat; when it is back the repeat is stored, by the same process."""
    body = ticket(1)
    headers = zendesk_headers(body)
    assert served.post("/hooks/zendesk", body, headers).status_code == 202
    lost = ticket(2)
    with away(services, database_url):
        for _ in range(5):
            answer = served.post("/hooks/zendesk", lost, zendesk_headers(lost))
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
        until(lambda: served.get("/readyz").status_code == 503, "it says that it is not ready")
        assert served.get("/readyz").json()["missing"] == {"database": "does not answer"}
        assert served.get("/healthz").status_code == 200
        assert served.get("/metrics").status_code == 503
        assert "cannot be asked" in served.get("/").text
    until(lambda: served.post("/hooks/zendesk", lost, zendesk_headers(lost)).status_code == 202, "it is stored")
    until(lambda: served.get("/readyz").status_code == 200, "it is ready again")
    with psycopg.connect(database_url) as conn:
        rows = conn.execute("select object from casebridge.signal order by id").fetchall()
    assert rows == [("ticket:1",), ("ticket:2",)]


def test_batch_with_one_bad(served: Served, ledger: Conn) -> None:
    """A row that the database refuses fails alone; what came in with it is stored."""
    ledger.execute("alter table signal add constraint no_thirteen check (object <> 'ticket:13')")
    bodies = [ticket(number) for number in range(10, 17)]
    answers = [served.post("/hooks/zendesk", body, zendesk_headers(body)).status_code for body in bodies]
    assert answers == [202, 202, 202, 503, 202, 202, 202]


@contextmanager
def process(when: str, port: int, env: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """A web process of its own, ready to be posted to; gone with the block."""
    argv = [sys.executable, str(Path(__file__).with_name("crash.py")), when, str(port)]
    with subprocess.Popen(argv, env={**os.environ, "PYTHONPATH": str(ROOT), **env}) as started:
        try:
            until(lambda: is_ready(port) or started.poll() is not None, "the process is ready")
            yield started
        finally:
            started.kill()


@pytest.mark.parametrize(("when", "rows"), [("after", 1), ("before", 0)])
def test_killed_around_the_commit(database_url: str, redis_url: str, ledger: Conn, when: str, rows: int) -> None:
    """Killed before the commit nothing was promised; killed after it the sender's repeat is the same signal."""
    prepare(database_url)
    env = environment(database_url, redis_url)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    url, body = f"http://127.0.0.1:{port}/hooks/zendesk", ticket(4)
    with process(when, port, env) as first:
        with pytest.raises(requests.ConnectionError):
            requests.post(url, body, headers=zendesk_headers(body), timeout=15)
        assert first.wait(10) == -signal.SIGKILL
    assert count(ledger, "signal") == rows
    with process("never", port, env) as second:
        assert requests.post(url, body, headers=zendesk_headers(body), timeout=15).status_code == 202
        assert count(ledger, "signal") == 1
        second.terminate()
        assert second.wait(20) == 0


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["id", "ticket_id", "type", "Issue", "Id"]), inner),
    max_leaves=10,
)
bodies = st.one_of(
    st.binary(max_size=3000),
    st.sampled_from([
        b"[" * 10_000, b'{"a":' * 10_000, b'{"ticket_id": NaN}', b'{"ticket_id": ' + b"9" * 5000 + b"}",
        b'{"Issue": {"Id": 1e999}}', b'{"Issue": {"Id": 1}, "Issue": null}', b"\xef\xbb\xbf{}", "{}".encode("utf-16"),
        b'{"id": "\\u0000", "ticket_id": "1"}', b'{"id": "\\ud800", "ticket_id": "2"}', b'"\\ud800"', b"null", b"",
        b'{"type": "\\u0000"}', b'{"$id": "1", "Issue": {"$ref": "1"}}',
    ]),
    VALUES.map(lambda value: json.dumps(value).encode()),
)  # fmt: skip


@given(body=bodies, target=st.sampled_from(["zendesk", "trading-grid", f"gemini/{GEMINI_TOKEN}"]))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes(served: Served, target: str, body: bytes) -> None:
    """Whatever stands in a rightly signed body, it is kept: always 202, never 500."""
    headers = {**zendesk_headers(body), **trading_grid_headers(body, message=f"msg_{hash(body)}")}
    assert served.post(f"/hooks/{target}", body, headers).status_code == 202


@given(
    headers=st.dictionaries(
        st.sampled_from(["X-Zendesk-Webhook-Signature", "X-Zendesk-Webhook-Signature-Timestamp", "webhook-id",
                         "webhook-timestamp", "webhook-signature", "Content-Type", "Authorization"]),
        st.binary(max_size=200).map(lambda raw: bytes(it for it in raw if it >= 32 and it != 127).strip()),
    )
)  # fmt: skip
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_headers(served: Served, headers: dict[str, bytes]) -> None:
    """No header that HTTP allows makes anything but 401 of an unsigned body."""
    for target in ("zendesk", "trading-grid"):
        answer = requests.post(f"{served.url}/hooks/{target}", data=b"{}", headers=headers, timeout=15)
        assert answer.status_code == 401

"""A real web process in a thread, and what senders send: real sockets, real PostgreSQL, recorded hints."""

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString
from urllib.parse import quote, urlencode

import requests
import uvicorn
from psycopg import conninfo, sql

from pipeline.connectors import discover
from pipeline.store import config_versions, pool, signals
from pipeline.store.pool import Conn
from workers.bootstrap import World
from workers.demo.environment import sandbox_environment
from workers.web.server import configuration

DEADLINE_SECONDS = 60.0
ZENDESK_SECRET = "sandbox-zendesk-webhook-secret"
GEMINI_TOKEN = "sandbox-wake-up-token"
TRADING_GRID_KEY = b"sandbox-trading-grid-webhook-secret"
CONFIGURATION = """
version: 1
partners: [{key: acme, trading_grid: prt_acme, zendesk: {organization: "500"}}]
gemini: {project: 12, types: {case: Investigation}, groups: {internal: 4, partner: 5}, statuses: {Assigned: assigned},
         allow_private: true, allow_http: true}
zendesk: {allow_private: true, allow_http: true}
trading_grid: {allow_private: true, allow_http: true}
"""
SYSTEMS = {name: f"http://127.0.0.1:9/{name}" for name in ("trading_grid", "gemini", "zendesk")}


@dataclass
class RecordedHints:
    """Hints that are written down; `broken` makes them fail as nothing should."""

    woken: list[str] = field(default_factory=list)
    letters: list[tuple[str, int]] = field(default_factory=list)
    broken: bool = False

    def wake(self, names: Iterable[str]) -> None:
        if self.broken:
            raise RuntimeError("a broker gone mad")
        self.woken += names

    def bury(self, letters: Sequence[tuple[str, int]]) -> int:
        self.letters += letters
        return len(letters)


@dataclass(frozen=True)
class Served:
    """A running web process."""

    url: str
    port: int
    world: World
    hints: RecordedHints

    def post(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> requests.Response:
        return requests.post(self.url + path, data=body, headers=headers, timeout=15)

    def get(self, path: str, **options: Any) -> requests.Response:
        return requests.get(self.url + path, timeout=15, **options)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=15)


Serve = Callable[..., Served]


def environment(database_url: str, redis_url: str, **more: str) -> dict[str, str]:
    """A complete environment over the sandbox's secrets."""
    given = {
        "DATABASE_URL": as_url(database_url),
        "REDIS_URL": redis_url,
        "CASEBRIDGE_REDIS_PREFIX": f"web{time.time_ns()}:",
    }
    return {**sandbox_environment(SYSTEMS), **given, **more}


def as_url(database_url: str) -> str:
    """The address in the one spelling that the environment takes."""
    parts = {name: str(value) for name, value in conninfo.conninfo_to_dict(database_url).items()}
    user, name = parts.pop("user", ""), parts.pop("dbname", "")
    return f"postgresql://{quote(user)}@/{quote(name)}?{urlencode(parts)}"


def until(condition: Callable[[], Any], what: str) -> Any:
    """The first true value; fails after a deadline, since real threads take real time."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.01)
    raise AssertionError(f"not within {DEADLINE_SECONDS} s: {what}")


@contextmanager
def running(app: Any) -> Iterator[int]:
    """The application behind uvicorn with the product's own settings; yields its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(configuration("127.0.0.1", 0, app))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        until(lambda: server.started, "the server starts")
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(DEADLINE_SECONDS)
        listener.close()


def is_ready(port: int) -> bool:
    """Whether a process of its own serves at this port and has all it needs."""
    with suppress(requests.RequestException):
        return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200
    return False


def prepare(database_url: str, *, cursors: bool = True) -> None:
    """An active configuration and, unless asked otherwise, cursors as after the first polls."""
    with pool.connect(database_url) as conn:
        config_versions.apply(conn, CONFIGURATION, actor="test")
        for name in discover() if cursors else ():
            signals.move_cursor(conn, name, {})


def ticket(number: int = 7, **more: Any) -> bytes:
    """A trigger's own body about a ticket."""
    return json.dumps({"ticket_id": str(number), "id": f"event-{number}", **more}).encode()


def zendesk_headers(body: bytes, *, secret: str = ZENDESK_SECRET, at: datetime | None = None) -> dict[str, str]:
    """A right signature over a body, made as Zendesk makes it."""
    stamp = (at or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
    digest = hmac.new(secret.encode(), stamp.encode() + body, hashlib.sha256).digest()
    return {
        "X-Zendesk-Webhook-Signature": base64.b64encode(digest).decode(),
        "X-Zendesk-Webhook-Signature-Timestamp": stamp,
    }


def trading_grid_headers(
    body: bytes, *, key: bytes = TRADING_GRID_KEY, age: timedelta = timedelta(), message: str = "msg_1"
) -> dict[str, str]:
    """A right signature over a body, made as Standard Webhooks makes it."""
    stamp = str(int((datetime.now(UTC) - age).timestamp()))
    digest = hmac.new(key, f"{message}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": message,
        "webhook-timestamp": stamp,
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }


def count(conn: Conn, table: str, where: LiteralString = "true") -> int:
    """Rows of a table."""
    query = sql.SQL("select count(*) from {} where ").format(sql.Identifier(table)) + sql.SQL(where)
    row = conn.execute(query).fetchone()
    assert row is not None
    return int(row[0])

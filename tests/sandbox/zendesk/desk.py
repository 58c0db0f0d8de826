"""A running Zendesk sandbox as tests see it: an API client, the side doors, and a webhook receiver."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

from sandbox.kit.app import Kit
from sandbox.kit.serve import running
from sandbox.zendesk.app import create

JsonObject = dict[str, Any]
CLIENT = {"grant_type": "client_credentials", "client_id": "casebridge", "client_secret": "sandbox-zendesk-secret"}


class Desk:
    """One sandbox with a signed-in API client."""

    def __init__(self, url: str, kit: Kit) -> None:
        self.url, self.kit = url, kit
        self.session = requests.Session()
        self.session.trust_env = False
        self.token = str(self.login().json()["access_token"])
        self.session.headers["authorization"] = f"Bearer {self.token}"

    def login(self, **changed: Any) -> requests.Response:
        """Ask for an access token."""
        return self.session.post(f"{self.url}/oauth/tokens", json={**CLIENT, "scope": "read write", **changed})

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        """An API request; `path` is below /api/v2."""
        return self.session.request(method, f"{self.url}/api/v2{path}", json=body, **options)

    def create(self, body: str = "first", **ticket: Any) -> JsonObject:
        """A new ticket with an internal first comment."""
        wanted = {"subject": "x", "comment": {"body": body, "public": False}, **ticket}
        answer = self.call("POST", "/tickets", {"ticket": wanted})
        assert answer.status_code == 201, answer.text
        return dict(answer.json()["ticket"])

    def update(self, ticket_id: int, **ticket: Any) -> requests.Response:
        """Change a ticket."""
        return self.call("PUT", f"/tickets/{ticket_id}", {"ticket": ticket})

    def say(self, ticket_id: int, **comment: Any) -> JsonObject:
        """Add a comment and give it back as it is listed."""
        audit = self.update(ticket_id, comment=comment).json()["audit"]
        number = next(event["id"] for event in audit["events"] if event["type"] == "Comment")
        return next(item for item in self.comments(ticket_id) if item["id"] == number)

    def comments(self, ticket_id: int, **query: str) -> list[JsonObject]:
        """The ticket's comments, oldest first."""
        return list(self.call("GET", f"/tickets/{ticket_id}/comments", params=query).json()["comments"])

    def show(self, ticket_id: int) -> JsonObject:
        """One ticket."""
        return dict(self.call("GET", f"/tickets/{ticket_id}").json()["ticket"])

    def settings(self, **changed: Any) -> requests.Response:
        """Change live settings."""
        return self.session.put(f"{self.url}/_sandbox/zendesk", json=changed)

    def pass_time(self, seconds: float) -> None:
        """Move the sandbox's clock to `seconds` after real time."""
        self.session.put(f"{self.url}/_sandbox/clock", json={"offset_seconds": seconds})

    def effects(self, effect: str) -> list[JsonObject]:
        """The journal's entries of one kind."""
        return [entry for entry in self.kit.journal.entries() if entry["effect"] == effect]

    def form(self, path: str, **fields: Any) -> requests.Response:
        """Send a person page's form and ask for the ids."""
        return self.session.post(f"{self.url}{path}", data=fields, headers={"accept": "application/json"})


@contextmanager
def running_desk(hooks_to: str | None = None) -> Iterator[Desk]:
    """A sandbox on a free port."""
    kit = Kit.create("zendesk", hooks_to=hooks_to)
    with running(create(kit)) as url:
        desk = Desk(url, kit)
        try:
            yield desk
        finally:
            desk.session.close()
    kit.close()


@dataclass
class Receiver:
    """A web server that keeps every delivery and answers from a script, then 202."""

    url: str = ""
    script: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    deliveries: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def wait(self, enough: Callable[[Sequence[tuple[dict[str, str], bytes]]], bool]) -> None:
        """Return when `enough` says so; fails after ten seconds."""
        deadline = time.monotonic() + 10
        while not enough(self.deliveries):
            assert time.monotonic() < deadline, f"only {len(self.deliveries)} deliveries came"
            time.sleep(0.01)


@contextmanager
def running_receiver() -> Iterator[Receiver]:
    """A receiver on a free port."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            receiver.deliveries.append(({name.lower(): value for name, value in self.headers.items()}, body))
            status, headers = receiver.script.pop(0) if receiver.script else (202, {})
            self.send_response(status)
            for name, value in {**headers, "content-length": "0"}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base class's name
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

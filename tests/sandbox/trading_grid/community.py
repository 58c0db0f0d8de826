"""A running Trading Grid sandbox and its callers; every answer they get is checked against the contract."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import monotonic, sleep
from typing import Any

import requests

from sandbox.kit.app import Kit
from sandbox.kit.serve import running
from sandbox.trading_grid.app import create
from tests.contracts.validate import Contract

API = "/active-community/v1"
SECRETS = {
    "casebridge": ("tnt_sandbox", "sandbox-trading-grid-secret"),
    "casebridge-narrow": ("tnt_sandbox", "sandbox-narrow-secret"),
    "acme-partner": ("tnt_sandbox", "sandbox-acme-secret"),
    "globex-partner": ("tnt_sandbox", "sandbox-globex-secret"),
    "casebridge-other": ("tnt_other", "sandbox-other-secret"),
    "umbra-partner": ("tnt_other", "sandbox-umbra-secret"),
}
_keys = itertools.count(1)


class Caller:
    """One client of the API; `checked` off takes answers that break the contract on purpose."""

    def __init__(self, url: str, client: str, scope: str | None = None, *, checked: bool = True) -> None:
        self.url, self.checked = url, checked
        self._session = requests.Session()
        self._session.trust_env = False
        tenant, secret = SECRETS[client]
        form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
        token = self._session.post(f"{url}/tenants/{tenant}/oauth2/token", data=form, auth=(client, secret))
        Contract.trading_grid().check_answer("POST", f"/tenants/{tenant}/oauth2/token", token.status_code, token.json())
        self._session.headers["Authorization"] = f"Bearer {token.json()['access_token']}"

    def call(
        self, method: str, path: str, body: Any = None, *, key: str | None = None, match: Any = None, **more: Any
    ) -> requests.Response:
        """One request; POST gets a fresh Idempotency-Key unless `key` is given ("" for none)."""
        headers = dict(more.pop("headers", {}))
        if method == "POST" and key != "":
            headers["Idempotency-Key"] = key or f"test-key-{next(_keys)}"
        if match is not None:
            headers["If-Match"] = match if isinstance(match, str) else f'"r{match["revision"]}"'
        if body is not None:
            kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
            headers.setdefault("Content-Type", kind)
            more["data"] = json.dumps(body)
        answer = self._session.request(method, self.url + API + path, headers=headers, timeout=30, **more)
        if self.checked:
            self._check(method, path, answer)
        return answer

    def _check(self, method: str, path: str, answer: requests.Response) -> None:
        is_json = "json" in answer.headers.get("Content-Type", "")
        body = answer.json() if answer.content and is_json else None
        if body is not None:
            Contract.trading_grid().check_answer(method, path.partition("?")[0], answer.status_code, body)
        assert answer.headers["X-Trace-Id"]
        assert answer.headers["Vary"] == "Authorization"

    def get(self, path: str, status: int = 200, **more: Any) -> Any:
        """The body of a GET that answers `status`."""
        return _body(self.call("GET", path, **more), status)

    def post(self, path: str, body: Any, status: int = 201, **more: Any) -> Any:
        """The body of a POST that answers `status`."""
        return _body(self.call("POST", path, body, **more), status)

    def put(self, path: str, body: Any, status: int = 200) -> Any:
        """The body of a PUT that answers `status`."""
        return _body(self.call("PUT", path, body), status)

    def patch(self, path: str, body: Any, status: int = 200, **more: Any) -> Any:
        """The body of a PATCH that answers `status`."""
        return _body(self.call("PATCH", path, body, **more), status)

    def thread(self, partner: str = "prt_acme", **more: Any) -> Any:
        """A new partner-visible exception thread."""
        body = {"partner_id": partner, "type": "exception", "title": "Short shipment", "visibility": "partner"}
        return self.post("/threads", body | more)

    def say(self, thread: Any, text: str, visibility: str = "partner", status: int = 201, **more: Any) -> Any:
        """A new post on a thread."""
        body = {"kind": "message", "visibility": visibility, "body": {"format": "plain", "text": text}}
        return self.post(f"/threads/{thread['id']}/posts", body | more, status)

    def move(self, thread: Any, to_state: str, status: int = 200, **more: Any) -> Any:
        """A transition from what the thread is now."""
        now = self.get(f"/threads/{thread['id']}")
        return self.post(f"/threads/{thread['id']}/transitions", {"to_state": to_state} | more, status, match=now)

    def document(self, partner: str = "prt_acme", name: str = "pod.pdf", status: int = 201, **more: Any) -> Any:
        """A new document over fresh bytes."""
        blob = self.blob(name, b"%PDF-1.7 " + name.encode())
        body = {
            "name": name, "partner_id": partner, "document_class": "proof_of_delivery",
            "classification": "partner_confidential",
            "renditions": [{"rendition_type": "primary", "source": "FILE_ID", "blob_id": blob["id"]}],
        }  # fmt: skip
        return self.post("/documents", body | more, status)

    def blob(self, name: str, content: bytes) -> Any:
        """Uploaded bytes."""
        return _body(self.call("POST", "/files/fromStream", files={"file": (name, content)}), 201)

    def events(self, after: str = "earliest", **more: Any) -> list[Any]:
        """All events after a cursor, page by page."""
        found: list[Any] = []
        while True:
            page = self.get("/events", params={"after": after, **more})
            found += page.get("_embedded", {}).get("collection", [])
            after = page["page"]["next_cursor"]
            if not page["page"]["has_more"]:
                return found


def _body(answer: requests.Response, status: int) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


@dataclass
class Community:
    """A fresh sandbox."""

    url: str
    kit: Kit

    def caller(self, client: str, scope: str | None = None, *, checked: bool = True) -> Caller:
        """A client with a token."""
        return Caller(self.url, client, scope, checked=checked)

    def switch(self, **settings: Any) -> Any:
        """Set switches of the sandbox."""
        answer = requests.put(f"{self.url}/_sandbox/trading_grid", json=settings, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def later(self, seconds: float) -> None:
        """Move the sandbox's clock on."""
        self.kit.clock.set(offset_seconds=seconds)

    def effects(self, name: str) -> list[dict[str, Any]]:
        """The journal's entries of one effect."""
        return [entry for entry in self.kit.journal.entries() if entry["effect"] == name]


@contextmanager
def running_community(hooks_to: str | None = None) -> Iterator[Community]:
    """A sandbox on a free port."""
    kit = Kit.create("trading_grid", hooks_to=hooks_to)
    with running(create(kit)) as url:
        yield Community(url, kit)


@dataclass
class Receiver:
    """A webhook target that keeps what it gets; `statuses` are answered in turn, then 204."""

    url: str = ""
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    def wait(self, count: int) -> list[tuple[str, dict[str, str], bytes]]:
        """The first `count` deliveries; fails when they do not come within 10 seconds."""
        deadline = monotonic() + 10
        while len(self.got) < count:
            assert monotonic() < deadline, f"{len(self.got)} of {count} deliveries came"
            sleep(0.01)  # a real server in another thread: polled with a deadline
        return self.got[:count]


@contextmanager
def running_receiver() -> Iterator[Receiver]:
    """A receiver on a free port."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.statuses.pop(0) if receiver.statuses else 204
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            receiver.got.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    worker = Thread(target=server.serve_forever, daemon=True)
    worker.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()

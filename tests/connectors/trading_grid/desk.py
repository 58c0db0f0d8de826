"""What the connector's tests share: payloads, a delivery to plan, scripted answers, and a running sandbox."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.request import Request as HttpRequest
from urllib.request import urlopen

from pipeline.answers import judge_by_status
from pipeline.config import Config, Partner
from pipeline.connector import Link, Pending, Signal, Work
from pipeline.connectors.trading_grid import CONNECTOR, TradingGridSource, TradingGridTarget
from pipeline.connectors.trading_grid.settings import Section
from pipeline.domain.identity import delivery_key, idem_key, mark_of
from pipeline.errors import PermanentError, TransientError
from pipeline.http.executor import Executor
from pipeline.plan import Answer, Plan, Request, Verdict
from pipeline.stages.dispatch import Delivered, dispatch
from pipeline.tokens import Tokens
from sandbox.kit.app import Kit
from sandbox.kit.serve import running
from sandbox.trading_grid.app import create
from schemas.content import Author, Format, Side, Text, Visibility
from schemas.operation import AnyOperation, Comment

PAYLOADS = Path(__file__).parent / "payloads"
SECRET = "whsec_dGhlLWN1cnJlbnQtc2VjcmV0LTAx"
PREVIOUS = "whsec_dGhlLXNlY3JldC1iZWZvcmUtMDA="
ENV = {
    "TRADING_GRID_URL": "https://grid.example",
    "TRADING_GRID_TENANT": "11111111-2222-4333-8444-555555555555",
    "TRADING_GRID_CLIENT_ID": "casebridge",
    "TRADING_GRID_CLIENT_SECRET": "client-secret",
    "TRADING_GRID_WEBHOOK_SECRET": SECRET,
    "TRADING_GRID_WEBHOOK_SECRET_PREVIOUS": PREVIOUS,
}
HELLO_SHA256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
ACME = Partner("acme", "Acme Logistics", {"trading_grid": "prt_acme"})
THREAD = Link(1, "trading_grid", "thread", "thr_905")
ITEM = Link(2, "gemini", "item", "389", url="https://gemini.example/workspace/0/item/389")
PLANNED = Link(3, "trading_grid", "thread", None)
COLLEAGUE = Author(Side.HUB, "7", "Jo Hidden")


def payload(name: str) -> dict[str, Any]:
    """A recorded body, fresh for every caller."""
    return cast("dict[str, Any]", json.loads((PAYLOADS / f"{name}.json").read_text()))


def config(**section: Any) -> Config:
    """A configuration with one partner and the given members of the section."""
    return Config(partners=(ACME,), sections={"trading_grid": Section().load(section)})


def partner_text(body: str, form: Format = Format.PLAIN) -> Text:
    return Text(body, form, Visibility.PARTNER)


def work(operation: AnyOperation, *, number: int = 1, links: tuple[Link, ...] = (), **options: Any) -> Work:
    """A delivery of this operation; `number` tells deliveries apart."""
    key = delivery_key("test", number)
    known = {link.id: link for link in (THREAD, ITEM, PLANNED, *links)}
    given = {"config": config(), "partner": ACME, **options}
    return Work(operation, number, idem_key(key, 1), mark_of(key), known, **given)


def answer(status: int, body: Any = None, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"content-type": "application/json", **named}, json.dumps(body).encode())


@dataclass
class Scripted:
    """An Http whose answers are written down by path; what is not is gone. Raises as the executor does."""

    answers: dict[str, Any]
    asked: list[str] = field(default_factory=list)

    def get(self, request: Request) -> Answer:
        query = "&".join(f"{name}={value}" for name, value in request.query)
        full = f"{request.path}?{query}" if query else request.path
        self.asked.append(full)
        found = self.answers.get(full, self.answers.get(request.path, answer(404, {"code": "not_found"})))
        made = found if isinstance(found, Answer) else answer(200, found)
        outcome = judge_by_status(request, made)
        if outcome.verdict is Verdict.DONE:
            return made
        if outcome.verdict is Verdict.RETRY:
            raise TransientError(outcome.detail, retry_after=outcome.retry_after_seconds)
        raise PermanentError(outcome.reason, outcome.detail)


def signal(event: Mapping[str, Any]) -> Signal:
    """An event as the poll stores it."""
    return Signal(event["id"], f"thread:{event['thread_id']}", json.dumps(event).encode(), event["sequence"])


def pending(*events: Mapping[str, Any], known: Mapping[str, Any] | None = None) -> Pending:
    return Pending("thread:thr_905", tuple(signal(event) for event in events), known or {})


class Documents:
    """A document store with one document."""

    def open(self, sha256: str) -> list[bytes]:
        assert sha256 == HELLO_SHA256
        return [b"he", b"llo"]


@dataclass
class Grid:
    """A running sandbox, our hub client, and a partner's client of the same API."""

    url: str
    kit: Kit
    hub: Executor
    acme: Executor
    source: TradingGridSource
    target: TradingGridTarget
    config: Config
    calls: int = 0

    def as_acme(self, method: str, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
        """One call by a person of the partner."""
        return self._call(self.acme, method, path, body, **headers)

    def as_hub(self, method: str, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
        """One call by our client, outside any delivery."""
        return self._call(self.hub, method, path, body, **headers)

    def _call(self, who: Executor, method: str, path: str, body: Any, **headers: str) -> dict[str, Any]:
        self.calls += 1
        given = (("Idempotency-Key", f"person-{self.calls:06}"), *headers.items())
        request = Request("call", method, path, headers=given, body=body, reads=method == "GET")
        sent = who.run(Plan("trading_grid", (request,)), judge=judge_by_status)
        assert sent.outcome.verdict is Verdict.DONE, sent.outcome
        made = sent.answers["call"]
        return cast("dict[str, Any]", made.json) if made.body else {}

    def open_thread(self, title: str = "Short shipment") -> str:
        """A thread that the partner opens; its id."""
        body = {"partner_id": "prt_acme", "type": "exception", "title": title, "description": "12 of 20 cartons.",
                "visibility": "partner", "exception_type": "short_shipment"}  # fmt: skip
        return str(self.as_acme("POST", "/threads", body)["id"])

    def say(self, thread_id: str, text: str) -> str:
        """A post by the partner; its id."""
        body = {"kind": "message", "visibility": "partner", "body": {"format": "plain", "text": text}}
        return str(self.as_acme("POST", f"/threads/{thread_id}/posts", body)["id"])

    def switch(self, **switches: Any) -> None:
        """Set switches of the sandbox (`expire_cursors`, `surprises`, `legacy_errors`, ...)."""
        address = f"{self.url}/_sandbox/trading_grid"
        wanted = HttpRequest(address, json.dumps(switches).encode(), method="PUT")  # noqa: S310 -- the sandbox's own
        with urlopen(wanted, timeout=10) as done:  # noqa: S310 -- the sandbox's own
            assert done.status == 200

    def posts(self, thread_id: str, who: Executor | None = None) -> list[dict[str, Any]]:
        body = self._call(who or self.hub, "GET", f"/threads/{thread_id}/posts", None)
        return list(body.get("_embedded", {}).get("collection", ()))

    def deliver(
        self,
        operation: AnyOperation,
        *,
        number: int = 1,
        look: bool = False,
        **options: Any,
    ) -> Delivered:
        """One attempt, as the dispatch stage makes it."""
        key = delivery_key("test", number)
        return dispatch(
            work(operation, number=number, **{"config": self.config, **options}),
            target=self.target,
            sender=self.hub,
            must_look=look,
            before_send=lambda: None,
            still_cleared=lambda: None,
            key_of=lambda again: idem_key(key, 1 + again),
        )


@contextmanager
def running_grid(**section: Any) -> Iterator[Grid]:
    """A fresh sandbox on a free port."""
    settings = config(allow_private=True, allow_http=True, **section)
    kit = Kit.create("trading_grid")
    with running(create(kit)) as url:
        env = {**ENV, "TRADING_GRID_URL": url, "TRADING_GRID_TENANT": "tnt_sandbox",
               "TRADING_GRID_CLIENT_SECRET": "sandbox-trading-grid-secret"}  # fmt: skip
        person = {**env, "TRADING_GRID_CLIENT_ID": "acme-partner", "TRADING_GRID_CLIENT_SECRET": "sandbox-acme-secret"}
        tokens = Tokens(None, "test")
        accounts = [CONNECTOR.account(one, settings) for one in (env, person)]
        hub, acme = (Executor(account, tokens=tokens, limiter=None, store=Documents()) for account in accounts)
        try:
            source, target = CONNECTOR.source(env, settings), CONNECTOR.target(env, settings)
            yield Grid(url, kit, hub, acme, source, target, settings)
        finally:
            hub.close()
            acme.close()


def on(thread_id: str) -> dict[str, Any]:
    """The links of a delivery whose link 1 is this thread."""
    return {"links": (Link(1, "trading_grid", "thread", thread_id), ITEM)}


def say(text: str, origin: str = "gemini:item:389#12") -> Comment:
    return Comment(link_id=1, text=partner_text(text), author=COLLEAGUE, origin=origin)

"""What the tests of Zendesk's connector share: configuration, works, a scripted Http, the running sandbox."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.answers import judge_by_status
from pipeline.config import Config, Partner
from pipeline.connector import Link, Pending, Reading, Signal, Work
from pipeline.connectors.zendesk import CONNECTOR
from pipeline.connectors.zendesk.plan import ZendeskTarget
from pipeline.connectors.zendesk.read import ZendeskSource
from pipeline.errors import AuthError, PermanentError, TransientError
from pipeline.http import Executor, Sent
from pipeline.plan import Answer, Plan, Receipt, Request, Verdict
from pipeline.tokens import Tokens
from sandbox.kit.app import Kit
from sandbox.kit.serve import running
from sandbox.zendesk.app import create
from schemas.content import Author, Format, Side, Text, Visibility
from schemas.operation import AnyOperation

PAYLOADS = Path(__file__).parent / "payloads"
SECTION: dict[str, Any] = {
    "fields": {
        "partner": 360001, "exception_type": 360002, "po_number": 360003, "claim_number": 360004,
        "partner_description": 360005, "corrected_quantity": 360006, "invoice_number": 360007,
    },
    "update_fields": {"quantity_correction": "corrected_quantity"},
    "allow_private": True,
    "allow_http": True,
}  # fmt: skip
ENV = {
    "ZENDESK_URL": "https://desk.example",
    "ZENDESK_CLIENT_ID": "casebridge",
    "ZENDESK_CLIENT_SECRET": "sandbox-zendesk-secret",
    "ZENDESK_WEBHOOK_SECRET": "sandbox-zendesk-webhook-secret",
}
ACME = Partner("acme", "Acme Logistics", {"trading_grid": "prt_acme", "zendesk": {"organization": "500"}})
BOB = Author(Side.PARTNER, "usr_1", "Bob")
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
MARK = "ABCD2345"


def payload(name: str) -> Any:
    """A recorded shape: payloads/<name>.json."""
    return json.loads((PAYLOADS / f"{name}.json").read_text())


def make_config(**changed: Any) -> Config:
    """The configuration with the section's values changed; `user_id` is set, so no test asks for it."""
    section = CONNECTOR.section().load({"user_id": 9001, **SECTION, **changed})
    return Config(partners=(ACME,), sections={"zendesk": dict(section)})


def make_work(operation: AnyOperation, *, ticket: str | None = "35", **changed: Any) -> Work:
    """A delivery to ticket 35 of partner Acme; link 1 is the ticket, link 2 its thread."""
    links = {
        1: Link(1, "zendesk", "ticket", ticket, url=f"https://desk.example/agent/tickets/{ticket}"),
        2: Link(2, "trading_grid", "thread", "thr_1", url="https://community.example/threads/thr_1"),
    }
    values: dict[str, Any] = {
        "operation": operation, "delivery_id": 7, "idem_key": "6c7b2c1e-0000-5000-8000-000000000001", "mark": MARK,
        "links": links, "config": make_config(), "partner": ACME,
    }  # fmt: skip
    return Work(**{**values, **changed})


def make_target(**changed: Any) -> ZendeskTarget:
    """The writing half under a configuration."""
    return CONNECTOR.target(ENV, make_config(**changed))


def make_source(**changed: Any) -> ZendeskSource:
    """The reading half under a configuration."""
    return CONNECTOR.source(ENV, make_config(**changed))


def words(body: str, form: Format = Format.PLAIN) -> Text:
    """A partner's text as it arrives at Zendesk: internal there."""
    return Text(body, form, Visibility.INTERNAL)


def answer(body: Any, status: int = 200, **headers: str) -> Answer:
    """An answer as the executor hands it on."""
    return Answer(status, headers, json.dumps(body).encode())


@dataclass
class ScriptedHttp:
    """Answers by path (longest match first), raises like the executor for all but success, and keeps what was asked."""

    script: Mapping[str, Any]
    asked: list[Request] = field(default_factory=list)

    def get(self, request: Request) -> Answer:
        """The scripted answer of the request's path; 404 for a path that the script does not hold."""
        self.asked.append(request)
        found: Any = self.script.get(request.path, answer({"error": "RecordNotFound"}, 404))
        if isinstance(found, list):
            found = found.pop(0)
        given = found if isinstance(found, Answer) else answer(found)
        outcome = judge_by_status(request, given)
        if outcome.verdict is Verdict.DONE:
            return given
        if outcome.verdict is Verdict.AUTH:
            raise AuthError(outcome.detail)
        if outcome.verdict is Verdict.RETRY:
            raise TransientError(outcome.detail, retry_after=outcome.retry_after_seconds)
        raise PermanentError(outcome.reason, outcome.detail)


def pending(ticket: str = "35", known: Mapping[str, Any] | None = None, raw: bytes = b"{}") -> Pending:
    """One ticket waiting to be read."""
    return Pending(f"ticket:{ticket}", (Signal("s1", f"ticket:{ticket}", raw),), known or {})


@dataclass
class Desk:
    """The running sandbox with the connector in front of it."""

    url: str
    kit: Kit
    executor: Executor
    source: ZendeskSource
    target: ZendeskTarget

    def read(self, ticket: str, known: Mapping[str, Any] | None = None, raw: bytes = b"{}") -> Reading:
        """What the source tells of a ticket."""
        return self.source.read(pending(ticket, known, raw), self.executor)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One request of casebridge's own user, judged by status alone."""
        request = Request("call", method, path, body=body, reads=method == "GET")
        sent = self.executor.run(Plan("zendesk", (request,)), judge=judge_by_status)
        assert sent.outcome.verdict is Verdict.DONE, sent.outcome
        return sent.answers["call"].json if sent.answers["call"].body else None

    def deliver(self, work: Work, learned: Mapping[str, Any] | None = None) -> tuple[Receipt | None, Sent]:
        """One round: facts, plan, send, receipt; on AGAIN another round with what was learned."""
        facts_plan = self.target.facts(work)
        judge = self.judge_for(work)
        answers = self.executor.run(facts_plan, judge=judge).answers if facts_plan else {}
        facts = {step: given.json for step, given in answers.items()}
        plan = self.target.plan(work, {**facts, **(learned or {})})
        sent = self.executor.run(plan, judge=judge)
        if sent.outcome.verdict is Verdict.AGAIN:
            return self.deliver(work, {**(learned or {}), **sent.outcome.learned})
        done = sent.outcome.verdict in (Verdict.DONE, Verdict.ALREADY)
        return (self.target.receipt(work, sent.answers) if done else None), sent

    def look_up(self, work: Work) -> Receipt | None:
        """The receipt of an earlier attempt, if it left one."""
        return self.target.found(work, self.executor.run(self.target.find(work), judge=self.judge_for(work)).answers)

    def judge_for(self, work: Work) -> Callable[[Request, Answer], Any]:
        """The target's judgement bound to a delivery."""
        return lambda request, given: self.target.judge(work, request, given)

    def comments(self, ticket: object) -> list[dict[str, Any]]:
        """The ticket's comments, oldest first."""
        return list(self.call("GET", f"/tickets/{ticket}/comments")["comments"])

    def ticket(self, number: object) -> dict[str, Any]:
        """The ticket as it stands."""
        return dict(self.call("GET", f"/tickets/{number}")["ticket"])


@contextmanager
def running_desk(section: Mapping[str, Any] | None = None) -> Iterator[Desk]:
    """The sandbox on a free port, and the connector configured for it."""
    kit = Kit.create("zendesk", hooks_to=None)
    config = make_config(**(section or {}))
    with running(create(kit)) as url:
        env = {**ENV, "ZENDESK_URL": url}
        tokens = Tokens(None, "a secret key of the tests")
        executor = Executor(CONNECTOR.account(env, config), tokens=tokens, limiter=None)
        yield Desk(url, kit, executor, CONNECTOR.source(env, config), CONNECTOR.target(env, config))
        executor.close()
    kit.close()


def effects(desk: Desk, kind: str) -> Sequence[Mapping[str, Any]]:
    """What the sandbox noted down of one kind."""
    return [entry for entry in desk.kit.journal.entries() if entry["effect"] == kind]

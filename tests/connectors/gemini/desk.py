"""Gemini's connector at work: its plans sent to the sandbox, every request and answer checked against the contract."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import requests

from pipeline.config import Config, Partner
from pipeline.connector import Link, Pending, Reading, Signal, Work
from pipeline.connectors.gemini import CONNECTOR
from pipeline.http import Executor
from pipeline.plan import Answer, Merge, Outcome, Plan, Receipt, Request, Stored, Verdict
from schemas.content import Format, Reference, Text, Visibility
from schemas.operation import AnyOperation, Create
from tests.contracts.validate import Contract

ACME = Partner("acme", "Acme Logistics", {"trading_grid": "prt_acme"})
SECTION: dict[str, Any] = {
    "project": 12,
    "types": {"case": "Investigation", "task": "Task"},
    "groups": {"internal": 4, "partner": 5},
    "escalation_priority": "High",
    "priorities": {"low": "Low", "normal": "Medium", "high": "High", "urgent": "High"},
    "fields": {"PublicResolution": 31, "EvidenceRequested": 32, "EvidenceDue": 33, "ExternalReference": 36},
    "statuses": {
        "Unassigned": "received", "Assigned": "assigned", "In Progress": "in_progress",
        "Awaiting Partner": "awaiting_partner:input", "Awaiting Approval": "awaiting_approval",
        "Resolved": "resolved", "Closed": "closed",
    },
    "roles": {"waive": ["anna"]},
    "allow_private": True,
    "allow_http": True,
}  # fmt: skip


PARTNER_TEXT = Text("<p>Two cartons <script>x()</script>short</p>", Format.HTML, Visibility.PARTNER)
ORIGIN = "trading_grid:thread:thr_1"
WELL = (Verdict.DONE, Verdict.ALREADY)


def config_of(**changes: Any) -> Config:
    """A configuration whose section went through the connector's own schema."""
    section: Any = CONNECTOR.section().load({**SECTION, **changes})
    return Config(partners=(ACME,), sections={"gemini": section})


def env_of(url: str) -> dict[str, str]:
    """The environment for a site at `url`."""
    return {
        "GEMINI_URL": url,
        "GEMINI_USERNAME": "casebridge",
        "GEMINI_API_KEY": "sandbox-gemini-key",
        "GEMINI_WEBHOOK_TOKEN": "sandbox-wake-up-token",
    }


def work_of(operation: AnyOperation, item: str | None = "389", config: Config | None = None, **changes: Any) -> Work:
    """A delivery on link 1, an item; link 2 is the thread that it mirrors."""
    links = {1: Link(1, "gemini", "item", item), 2: Link(2, "trading_grid", "thread", "thr_1")}
    members: dict[str, Any] = {"mark": "ABCD2345", "links": links, "config": config or config_of(), "partner": ACME}
    return Work(operation, 7, "6f0b7c86-6d55-5a4e-9a51-0f6a1f2f6c1e", **{**members, **changes})


def creation(**changes: Any) -> Create:
    """A thread that a partner opened."""
    members: dict[str, Any] = {
        "link_id": 1, "object_kind": "item", "title": Text("Short shipment", visibility=Visibility.PARTNER),
        "body": PARTNER_TEXT, "partner": "acme", "partner_name": "Acme Logistics", "priority": "high", "type": "case",
        "references": (Reference("purchase_order", "PO-77", "2"),), "origin": ORIGIN,
        "origin_url": "https://grid.example/threads/thr_1",
        "details": {"partner": {"tier": "gold"}, "post_count": 3, "dispute": {"amount": "12.50", "currency": "EUR"}},
    }  # fmt: skip
    return Create(**{**members, **changes})


def check_request(request: Request) -> None:
    """The request as the contract sees it: merged bodies stand for a whole item, stored bytes for their base64."""
    body = request.body
    if isinstance(body, Merge):
        body = {"Id": 389, "ProjectId": 12, "Title": "a title", **body.changes}
    if isinstance(body, dict):
        body = {name: "aGk=" if isinstance(value, Stored) else value for name, value in body.items()}
    slots = {"{{project.BaseEntity.TemplateId}}": 7, "{{item.Project.TemplateId}}": 7, "{{create.BaseEntity.Id}}": 390}
    Contract.gemini().check(Request(request.step, request.method, request.path, request.query, body=body), slots)


@dataclass
class Documents:
    """A document store with one document, whatever its hash."""

    content: bytes = b""

    def open(self, sha256: str) -> list[bytes]:
        """The bytes under any name."""
        del sha256
        return [self.content]


@dataclass
class Delivered:
    """How a delivery ended, with the plan that was sent."""

    outcome: Outcome
    plan: Plan
    receipt: Receipt | None


@dataclass(frozen=True)
class CheckedHttp:
    """What readers call: each request is held against the contract, then sent."""

    executor: Executor

    def get(self, request: Request) -> Answer:
        """The site's answer."""
        check_request(request)
        return self.executor.get(request)


@dataclass
class Desk:
    """One sandbox site, our account at it, and people who act on its pages."""

    url: str  # of the site, with its virtual directory
    config: Config = field(default_factory=config_of)
    documents: Documents = field(default_factory=Documents)

    def __post_init__(self) -> None:
        account = CONNECTOR.account(env_of(self.url), self.config)
        self.executor = Executor(account, tokens=None, limiter=None, store=self.documents)
        self.http = CheckedHttp(self.executor)
        self.source = CONNECTOR.source(env_of(self.url), self.config)
        self.target = CONNECTOR.target(env_of(self.url), self.config)

    def deliver(self, operation: AnyOperation, item: str | None = None, **changes: Any) -> Delivered:
        """Facts, plan, send, receipt, as a delivery's first attempt does; AGAIN plans once more."""
        work = work_of(operation, item, self.config, **changes)
        learned: dict[str, Any] = {}
        for _ in range(3):
            reads = self._checked(self.target.facts(work))
            read = self.executor.run(reads, judge=partial(self.target.judge, work))
            if read.outcome.verdict not in WELL:
                return Delivered(read.outcome, reads, None)
            plan = self.target.plan(work, {step: a.json for step, a in read.answers.items()} | learned)
            sent = self.executor.run(self._checked(plan), judge=partial(self.target.judge, work), known={})
            if sent.outcome.verdict is not Verdict.AGAIN:
                break
            learned |= dict(sent.outcome.learned)
        done = sent.outcome.verdict is Verdict.DONE
        return Delivered(sent.outcome, plan, self.target.receipt(work, sent.answers) if done and plan else None)

    def find(self, operation: AnyOperation, item: str | None = None, **changes: Any) -> Receipt | None:
        """The look-up before a repeat."""
        work = work_of(operation, item, self.config, **changes)
        plan = self.target.find(work)
        assert plan is not None
        sent = self.executor.run(self._checked(plan), judge=partial(self.target.judge, work))
        assert sent.outcome.verdict is Verdict.DONE, sent.outcome
        return self.target.found(work, sent.answers)

    def read(self, item: str, known: Mapping[str, Any] | None = None) -> Reading:
        """What is new on an item."""
        pending = Pending(f"item:{item}", (Signal("k", f"item:{item}"),), known or {})
        return self.source.read(pending, self.http)

    def person(self, path: str, **form: str) -> None:
        """Somebody fills in a form of the site's pages."""
        answer = requests.post(f"{self.url}/person/items/{path}", data={"as": "anna", **form}, timeout=10)
        assert answer.status_code == 200, answer.text

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """A call past the connector, to look or to set the stage."""
        auth = ("casebridge", "sandbox-gemini-key")
        answer = requests.request(method, f"{self.url}/api{path}", json=body, auth=auth, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def switch(self, **switches: Any) -> None:
        """Turn the site's switches."""
        root = self.url.removesuffix("/gemini")
        requests.put(f"{root}/_sandbox/gemini", json=switches, timeout=10).raise_for_status()

    def fault(self, **rule: Any) -> None:
        """Make calls fail."""
        root = self.url.removesuffix("/gemini")
        requests.post(f"{root}/_sandbox/faults", json=rule, timeout=10).raise_for_status()

    def _checked(self, plan: Plan) -> Plan:
        for request in plan.requests:
            check_request(request)
        return plan


class Script:
    """An Http that answers from a table of `METHOD path` -> (status, JSON value), and remembers what was asked."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers = answers
        self.asked: list[Request] = []

    def get(self, request: Request) -> Answer:
        """The next answer: a list of answers is used up one by one."""
        self.asked.append(request)
        scripted = self.answers[f"{request.method} {request.path}"]
        if callable(scripted):
            scripted = scripted(request)
        if isinstance(scripted, Answer):
            return scripted
        return Answer(200, {"content-type": "application/json"}, json.dumps(scripted).encode())


def opened(desk: Desk) -> str:
    """The number of a new item of ours."""
    receipt = desk.deliver(creation()).receipt
    assert receipt is not None
    assert receipt.bound is not None
    return receipt.bound.external_id

# ruff: noqa: ARG002 -- fakes keep the signatures of the Protocols that they stand for
"""Kill -9 at any point (reliability.md 4.1): one scenario, killed at its first boundary, ... at its last.

A thread with three posts goes to two targets that have no idempotency keys. Judged by the targets' effect logs alone.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pipeline.config import Config, Partner
from pipeline.connector import Connector, Facts, Pending, Reading, Signal, Work
from pipeline.flow import Flow, Opening, Planned, Situation, Step
from pipeline.plan import Answer, Answers, Outcome, Plan, Receipt, Request, Verdict
from pipeline.stages.courier import Courier
from pipeline.stages.drain import Drain, Sizes
from pipeline.stages.ingest import Reader, ingest
from pipeline.stages.transform import transform
from pipeline.store import changes, lanes, signals
from pipeline.store.pool import Conn
from pipeline.store.pool import connect as connect_plainly
from schemas.change import Change, ChangeKind, ObjectRef
from schemas.content import Text
from schemas.operation import Comment, Create
from tests.stages.drains import Bell
from tests.stages.mortal import Killed, Life, connect
from tests.stages.routes import change

TARGETS = {"gemini": "item", "zendesk": "ticket"}
SAID = ["opened", "one", "two", "three"]
DONE = Outcome(Verdict.DONE)
CONFIG = Config(partners=(Partner("acme"),))


def opens(found: Change, _: Config) -> Iterable[Opening]:
    """Each thread is a case of its own."""
    return [Opening("acme", str(found.ref))] if found.kind is ChangeKind.OPENED else []


def route(situation: Situation) -> Iterable[Step]:
    """An item and a ticket for the thread; each post at both."""
    found = situation.change
    for number, (target, kind) in enumerate(TARGETS.items(), 1):
        if situation.opened:
            made = Create(link_id=-number, object_kind=kind, title=Text("opened"), partner="acme")
            yield Step("T", f"create_{target}", target, made, plans=Planned(-number, target, kind))
        if found.kind is ChangeKind.SAID and found.text is not None:
            for link in situation.case.current(target):
                said = Comment(link_id=link.id, text=found.text, author=found.author)
                yield Step("T", f"said_{target}", target, said)


FLOW = Flow("T", "Test", "trading_grid", route, opens)


class Source:
    """Threads that hold all four changes from the first reading on."""

    def read(self, pending: Pending, http: Any) -> Reading:
        thread = ObjectRef("trading_grid", *pending.object.split(":"))
        kinds = [ChangeKind.OPENED, *[ChangeKind.SAID] * 3]
        found = [
            change(f"{thread.external_id}/{name}", kind, ref=thread) for name, kind in zip(SAID, kinds, strict=True)
        ]
        return Reading(tuple(found), {})


@dataclass
class Target:
    """A system without idempotency keys: whatever arrives has its effect, and its marks can be looked up."""

    system: str
    log: list[tuple[str, str]] = field(default_factory=list)  # (mark, words)
    looks: bool = True

    def facts(self, work: Work) -> Plan:
        return Plan(self.system)

    def plan(self, work: Work, facts: Facts) -> Plan:
        operation = work.operation
        words = operation.text.body.rpartition("/")[2] if isinstance(operation, Comment) else "opened"
        return Plan(self.system, (Request("write", "POST", "/", body={"mark": work.mark, "words": words}),))

    def find(self, work: Work) -> Plan:
        return Plan(self.system, (Request("marks", "GET", "/", reads=True),))

    def found(self, work: Work, answers: Answers) -> Receipt | None:
        return self._receipt(work) if self.looks and work.mark in answers["marks"].json else None

    def judge(self, work: Work, request: Request, answer: Answer) -> Outcome:
        return DONE

    def receipt(self, work: Work, answers: Answers) -> Receipt:
        return self._receipt(work)

    def _receipt(self, work: Work) -> Receipt:
        made = isinstance(work.operation, Create)
        bound = ObjectRef(self.system, TARGETS[self.system], f"{self.system}-{work.mark}") if made else None
        return Receipt(parts=(("comment", work.mark),), bound=bound)


@dataclass
class Sender:
    """The wire to a target, in a process that may die before the request arrives or before its answer does."""

    target: Target
    life: Life

    def run(self, plan: Plan, *, judge: Callable[..., Outcome], before_send: Callable[[], None] | None = None) -> Any:
        answers: dict[str, Answer] = {}
        for request in plan.requests:
            if before_send is not None:
                before_send()
            self.life.passes("before a send")
            if not request.reads:
                self.target.log.append((request.body["mark"], request.body["words"]))
            self.life.passes("after a send")
            answers[request.step] = Answer(
                200, {}, str([mark for mark, _ in self.target.log]).replace("'", '"').encode()
            )
        return SimpleNamespace(answers=cast("Mapping[str, Answer]", answers), outcome=DONE, exchanges=())


def live(url: str, targets: dict[str, Target], life: Life) -> None:
    """One process: reads, routes and drains until nothing is due."""

    @contextmanager
    def connection() -> Iterator[Conn]:
        with connect(url, life) as opened:
            yield opened

    reader = Reader("trading_grid", cast("Any", Source()), cast("Any", None), cast("Any", None), connection, "test")
    with connect(url, life) as conn:
        while signals.due_sources(conn) or changes.is_waiting(conn) or any(lanes.is_due(conn, one) for one in targets):
            ingest(reader, run_seconds=0.001, readers=1)
            transform(conn, flows=[FLOW], config=CONFIG, config_version=None)
            for target in targets.values():
                drain(conn, target, life)


def drain(conn: Conn, target: Target, life: Life) -> None:
    """The real courier and the real drain over a scripted wire."""
    connector = cast("Connector", SimpleNamespace(name=target.system, partner_facing=False))
    courier = Courier(connector, target, Sender(target, life), CONFIG)
    sizes = Sizes(senders=2, linger_seconds=0.0)
    Drain(conn, target.system, prepare=courier.prepare, bell=Bell(), owner="test", sizes=sizes).run()


def die_and_rise(url: str, number: int, *, looks: bool = True) -> tuple[bool, dict[str, list[str]]]:
    """The scenario with a death at this passage, then a second process; (whether it died, words at each target)."""
    targets = {name: Target(name, looks=looks) for name in TARGETS}
    with connect_plainly(url) as conn:
        thread = f"thread:thr_{looks}_{number}"
        signals.receive(conn, [signals.Incoming("trading_grid", Signal(thread, thread), {})])
    life = Life(dies_at=number)
    try:
        live(url, targets, life)
    except Killed:
        with connect_plainly(url) as conn:  # the leases of the dead process run out
            conn.execute("update lane set due = casebridge.now() where nonce is not null")
            conn.execute("update source_object set due = casebridge.now() where nonce is not null")
            lanes.wake_stranded(conn)
        live(url, targets, Life())
    return life.over, {name: [words for _, words in target.log] for name, target in targets.items()}


@pytest.mark.timeout(120)
def test_killed_at_any_point_nothing_is_lost_doubled_or_out_of_order(database_url: str) -> None:
    """Given a death at the n-th boundary, for every n, when a second process takes over, then all arrives once."""
    number, died = 0, True
    while died:
        number += 1
        died, said = die_and_rise(database_url, number)
        assert said == {"gemini": SAID, "zendesk": SAID}, f"killed at passage {number}"
    assert number > 40


@pytest.mark.timeout(120)
def test_without_the_look_up_some_of_these_deaths_would_double(database_url: str) -> None:
    """The same deaths, the look-up's answer ignored: the check above can fail."""
    number, died, doubled = 0, True, 0
    while died and not doubled:
        number += 1
        died, said = die_and_rise(database_url, number, looks=False)
        doubled += any(len(words) > len(SAID) for words in said.values())
    assert doubled

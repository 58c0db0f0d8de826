# ruff: noqa: ARG002 -- fakes keep the signatures of the Protocols that they stand for
"""The courier: what a held lane needs to be sent, and what must not be sent any more."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pipeline.config import Config, Partner
from pipeline.connector import Connector, Facts, Link, Work
from pipeline.domain.reason import Reason
from pipeline.errors import LeaseLostError, TransientError
from pipeline.plan import Answer, Answers, Outcome, Plan, Receipt, Request, Verdict
from pipeline.stages.courier import Courier, numbered, successor
from pipeline.stages.settling import Finished, settlement
from pipeline.store.pool import Conn
from schemas.content import Author, Side, Text, Visibility
from schemas.operation import Comment, State
from tests.service.scenes import append, claim, make
from tests.stages.drains import in_case, run, states
from tests.stages.routes import change, read

SHOWN = Comment(link_id=1, text=Text("hello", visibility=Visibility.PARTNER), author=Author(Side.HUB))


@dataclass
class Target:
    """Writes one request for each delivery; remembers the work that it was asked for."""

    works: list[Work] = field(default_factory=list)
    error: BaseException | None = None

    def facts(self, work: Work) -> Plan:
        return Plan("gemini")

    def plan(self, work: Work, facts: Facts) -> Plan:
        self.works.append(work)
        if self.error is not None:
            raise self.error
        return Plan("gemini", (Request("write", "POST", "/"),))

    def find(self, work: Work) -> Plan | None:
        return Plan("gemini")

    def found(self, work: Work, answers: Answers) -> Receipt | None:
        return None

    def judge(self, work: Work, request: Request, answer: Answer) -> Outcome:
        return Outcome(Verdict.DONE)

    def receipt(self, work: Work, answers: Answers) -> Receipt:
        return Receipt()

    def run(self, plan: Plan, *, judge: Any, before_send: Callable[[], None] | None = None) -> Any:
        if before_send is not None:
            before_send()
        return SimpleNamespace(answers={}, outcome=Outcome(Verdict.DONE), exchanges=())


def courier(target: Target, *, partner_facing: bool = False, recheck: Any = None, **settings: Any) -> Courier:
    """A courier of Gemini; `recheck` answers for Trading Grid."""
    connector = cast("Connector", SimpleNamespace(name="gemini", partner_facing=partner_facing))
    config = Config(partners=(Partner("acme", settings=settings),))
    source = cast("Any", SimpleNamespace(recheck=recheck))
    sources = {"trading_grid": (source, cast("Any", None))} if recheck is not None else {}
    return Courier(connector, target, target, config, sources)


def delivered(conn: Conn, made: Courier) -> Finished:
    """The one lane that is due, delivered on this thread."""
    held = claim(conn)
    with conn.transaction():
        deliver = made.prepare(conn, held)
    return deliver(held[0], lambda: None)


def test_an_operation_that_cannot_be_read_stops_itself_alone(conn: Conn) -> None:
    """Written by another version: a dead letter, and the target goes on."""
    append(conn, make("odd"))
    in_case(conn, "other", "plain")
    conn.execute("update delivery set operation = '{\"kind\":\"dance\"}' where name = 'T.odd'")
    out = run(conn, courier(Target()))
    assert (out.delivered, out.dead) == (1, 1)
    assert states(conn) == [("odd", "dead", "unreadable"), ("plain", "done", None)]


def test_a_writers_fault_is_a_dead_letter(conn: Conn) -> None:
    """A writer that meets what it did not foresee stops its delivery, not the drain."""
    append(conn, make("one"))
    out = run(conn, courier(Target(error=KeyError("status"))))
    assert out.dead == 1
    assert states(conn) == [("one", "dead", "unreadable")]


def test_a_lost_lease_is_handed_back_as_such(conn: Conn) -> None:
    """No outcome: nothing was sent under that lease."""
    append(conn, make("one"))
    held = claim(conn)
    with conn.transaction():
        deliver = courier(Target()).prepare(conn, held)

    def lost() -> None:
        raise LeaseLostError("run down")

    assert deliver(held[0], lost).lost


@pytest.mark.parametrize(("setting", "blocks"), [("block", True), ("go_on", False)])
def test_a_partner_may_have_comments_wait_for_a_dead_one(conn: Conn, setting: str, blocks: bool) -> None:
    """The setting `comments` of decisions D6."""
    append(conn, make("one"))
    finished = delivered(conn, courier(Target(error=KeyError("x")), comments=setting))
    assert settlement(finished, keep=False).blocks is blocks


@pytest.mark.parametrize("side", [Side.HUB, Side.PARTNER])
@pytest.mark.parametrize("still", [True, False])
def test_words_of_ours_are_checked_again_before_partners_see_them(conn: Conn, side: Side, still: bool) -> None:
    """A minute later the source is asked; what partners themselves said needs no check (decisions D9)."""
    append(conn, change_of(conn, side))
    finished = delivered(conn, courier(Target(), partner_facing=True, recheck=lambda *_: still))
    assert finished.delivered is not None
    refused = side is Side.HUB and not still
    assert finished.delivered.outcome.reason is (Reason.VISIBILITY if refused else Reason.DELIVERED)


def test_a_source_that_cannot_be_asked_holds_the_delivery_alone(conn: Conn) -> None:
    """Never sent unchecked; no attempt is burnt, and the target is not blocked for it."""
    append(conn, change_of(conn, Side.HUB))

    def away(*_: Any) -> bool:
        raise TransientError("no answer")

    made = courier(Target(), partner_facing=True, recheck=away)
    out = run(conn, made)
    assert (out.retried, made.target.works) == (1, [])  # type: ignore[attr-defined]  # the fake above
    assert conn.execute("select waits, tries from lane where target = 'gemini'").fetchone() == ("source_unreachable", 0)
    assert conn.execute("select count(*) from target where blocked_until is not null").fetchone() == (0,)


def change_of(conn: Conn, side: Side) -> Any:
    """A partner-facing comment whose change was read a minute ago."""
    read(conn, change("c1", author=Author(side)))
    conn.execute("update change set read_at = read_at - interval '1 minute'")
    return make("one", operation=SHOWN, change=1)


def test_what_is_sent_late_says_so(conn: Conn) -> None:
    """A delivery that was requeued after others went ahead (promise P3)."""
    append(conn, make("one"))
    conn.execute("update delivery set redo = 1")
    target = Target()
    delivered(conn, courier(target))
    assert target.works[0].late
    assert target.works[0].mark == conn.execute("select mark from delivery").fetchone()[0]  # type: ignore[index]


def test_a_replaced_object_leads_to_its_successor() -> None:
    """However often it was replaced; a ring in the ledger does not hang anybody."""
    links = {n: Link(n, "zendesk", "ticket", str(n), replaced_by=n + 1 if n < 3 else None) for n in (1, 2, 3)}
    assert successor(links[1], links).id == 3
    ring = {1: Link(1, "z", "t", "1", replaced_by=2), 2: Link(2, "z", "t", "2", replaced_by=1)}
    assert successor(ring[1], ring).id in {1, 2}


def test_the_case_number_is_filled_in_when_it_is_known() -> None:
    """Before that its slot stands there, as `explain` shows it."""
    note = Text("Your number is {{number}}.", visibility=Visibility.PARTNER)
    told = State(link_id=1, state="received", public_note=note, details={"number_of": 2})
    known = numbered(told, {2: Link(2, "gemini", "item", "7", facts={"key": "CB-7"})})
    planned = numbered(told, {2: Link(2, "gemini", "item", None, "planned")})
    assert [one.public_note.body for one in (known, planned)] == [  # type: ignore[union-attr]  # both are states
        "Your number is CB-7.",
        "Your number is {{gemini.item}}.",
    ]

# ruff: noqa: ARG002 -- fakes keep the signatures of the Protocols that they stand for
"""Drains over a real ledger with scripted senders, and a bell that remembers what was asked of it."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pipeline.domain.reason import Reason
from pipeline.plan import Outcome, Receipt, Verdict
from pipeline.stages.dispatch import Delivered
from pipeline.stages.drain import Deliver, Drain, Drained, Sizes
from pipeline.stages.settling import Finished
from pipeline.store import deliveries
from pipeline.store.deliveries import NewDelivery
from pipeline.store.lanes import DECODE, Held
from pipeline.store.pool import Conn
from schemas.operation import Comment
from tests.service.scenes import make

DONE = Outcome(Verdict.DONE, Reason.DELIVERED)
Check = Callable[[], None]
QUICK: dict[str, Any] = {"senders": 4, "linger_seconds": 0.0, "run_seconds": 5.0}


@dataclass
class Bell:
    """Remembers calls; rings as often as it is told to."""

    calls: list[str] = field(default_factory=list)
    rings: int = 0

    def listen(self, name: str, seconds: float) -> bool:
        self.calls.append("listen")
        self.rings -= 1
        return self.rings >= 0

    def refresh(self, name: str) -> None:
        self.calls.append("refresh")

    def leave(self, name: str) -> None:
        self.calls.append("leave")

    def help(self, name: str) -> bool:
        self.calls.append("help")
        return True


def delivered(outcome: Outcome = DONE, receipt: Receipt | None = None) -> Delivered:
    """How an attempt went; one that arrived leaves a receipt."""
    if receipt is None and outcome.verdict is Verdict.DONE:
        receipt = Receipt()
    return Delivered(outcome, receipt, (), looked=False, rounds=1, ms=1.0)


@dataclass
class Target:
    """A target that answers each delivery, by its name, as scripted; what is not scripted arrives."""

    script: dict[str, Any] = field(default_factory=dict)
    sent: list[str] = field(default_factory=list)
    looked: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def prepare(self, conn: Conn, ready: Sequence[Held]) -> Deliver:
        return self.deliver

    def deliver(self, held: Held, check: Check) -> Finished:
        if held.state != "queued":
            return Finished(held, "gemini", None)
        check()
        name = said(held)
        with self.lock:
            self.sent.append(name)
            if held.must_look:
                self.looked.append(name)
        answer = self.script.get(name, DONE)
        if callable(answer):
            answer = answer(held, check)
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(answer, Finished):
            return answer
        return Finished(held, "gemini", answer if isinstance(answer, Delivered) else delivered(answer))


def said(held: Held) -> str:
    """The text of a comment's delivery, which is its name in these tests."""
    operation = DECODE(held.operation)
    return operation.text.body if isinstance(operation, Comment) else type(operation).__name__


def drain(conn: Conn, target: Any, *, name: str = "gemini", bell: Bell | None = None, **sizes: Any) -> Drain:
    """A drain of one target, quick to end."""
    return Drain(
        conn, name, prepare=target.prepare, bell=bell or Bell(), owner="test", sizes=Sizes(**{**QUICK, **sizes})
    )


def run(conn: Conn, target: Any, **how: Any) -> Drained:
    """Drain it once."""
    return drain(conn, target, **how).run()


def in_case(conn: Conn, case: str, *names: str) -> int:
    """A further case of acme with these comments waiting at Gemini; returns its id."""
    opened = "insert into partner_case (partner, case_key) values ('acme', %s) returning id"
    row = conn.execute(opened, [case]).fetchone()
    assert row is not None
    with conn.transaction():
        new: list[NewDelivery] = [replace(make(name), case_id=row[0]) for name in names]
        deliveries.append(conn, new, config_version=None)
    return int(row[0])


def states(conn: Conn) -> list[tuple[str, str, str | None]]:
    """(name, state, reason) of all deliveries; done ones are 'done'."""
    rows = conn.execute(
        "select d.name, case when d.state = 'queued' and d.seq <= l.head then 'done' else d.state end, d.reason"
        " from delivery d join lane l on l.id = d.lane_id order by d.id"
    ).fetchall()
    return [(name.removeprefix("T."), state, reason) for name, state, reason in rows]

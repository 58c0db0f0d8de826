"""Ledgers in the states that operators meet, made by the store's own functions."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec

from pipeline.connector import Signal
from pipeline.domain.reason import Reason
from pipeline.domain.states import DeliveryState
from pipeline.store import deliveries, lanes, settlements, signals
from pipeline.store.deliveries import NewDelivery
from pipeline.store.lanes import Held
from pipeline.store.pool import Conn
from pipeline.store.settlements import Attempt, Settlement
from schemas.change import Change, ChangeKind, ObjectRef, Snapshot
from schemas.content import Author, Side, Text
from schemas.operation import AnyOperation, Comment, Create

LEASE = timedelta(seconds=60)
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
THREAD = ObjectRef("trading_grid", "thread", "thr_1")


def open_case(conn: Conn) -> None:
    """One case of acme with its thread bound; both have the number 1."""
    conn.execute("insert into partner_case (partner, case_key) values ('acme', 'k')")
    conn.execute(
        "insert into link (case_id, system, kind, external_id, state)"
        " values (1, 'trading_grid', 'thread', 'thr_1', 'bound')"
    )


def receive(conn: Conn, key: str = "evt_1", *, name: str = "thread:thr_1", raw: bytes = b"{}") -> None:
    """A webhook of Trading Grid about the thread."""
    headers = {"webhook-id": key, "authorization": "Bearer top-secret"}
    signals.receive(conn, [signals.Incoming("trading_grid", Signal(key, name, raw), headers)])


def read(conn: Conn, *external: str, known: dict[str, Any] | None = None) -> None:
    """The thread is read and holds these new posts."""
    opened = signals.claim(conn, "trading_grid", owner="me", lease=LEASE, limit=10)[0]
    changes = [
        Change(one, ChangeKind.SAID, NOON, Author(Side.PARTNER), Snapshot(THREAD), Text("words")) for one in external
    ]
    with conn.transaction():
        signals.settle_object(conn, opened, changes, known or {})


def make(name: str, *, target: str = "gemini", change: int | None = None, **more: Any) -> NewDelivery:
    """A delivery of the case: a comment unless `operation` is given; `needs` are other NewDelivery."""
    operation: AnyOperation = more.pop("operation", None) or Comment(
        link_id=1, text=Text(name), author=Author(Side.HUB)
    )
    keys = tuple(need.key for need in more.pop("needs", ()))
    settle = more.pop("settle", 0.0)
    return NewDelivery(target, 1, "acme", change, "T", f"T.{name}", operation, uuid4(), keys, settle)  # type: ignore[arg-type]  # without a change in the ledger it has none


def create(name: str = "create", *, target: str = "gemini", change: int | None = None) -> NewDelivery:
    """A delivery that blocks its lane when it dies."""
    operation = Create(link_id=1, object_kind="item", title=Text("t"), partner="acme")
    return make(name, target=target, change=change, operation=operation)


def append(conn: Conn, *new: NewDelivery) -> set[str]:
    """Into their lanes; returns the targets to ring."""
    with conn.transaction():
        return deliveries.append(conn, new, config_version=None)


def claim(conn: Conn, target: str = "gemini") -> list[Held]:
    """Everything that is due there."""
    return lanes.claim(conn, target, owner="me", lease=LEASE, room=64)


def settle(conn: Conn, held: Held, reason: Reason = Reason.DELIVERED, verdict: str = "done", **how: Any) -> None:
    """How an attempt ended; `how` as in Settlement. Wakes what waited for it."""
    exchange = {"step": "post", "method": "POST", "url": "https://gemini.example/api", "status": 200}
    attempt = Attempt(
        verdict, reason, how.pop("detail", ""), 1.0, looked=False, exchanges=msgspec.json.encode([exchange])
    )
    how.setdefault("done", verdict in {"done", "already"})
    with conn.transaction():
        settled = settlements.settle(
            conn, [Settlement(held, attempt, queue=how.pop("queue", "gemini"), **how)], lease=LEASE
        )
        lanes.wake(conn, settled.cases)


def kill(conn: Conn, held: Held, reason: Reason, *, blocks: bool, queue: str = "gemini") -> None:
    """The delivery dies; a lane that it does not block goes on."""
    settle(
        conn, held, reason, "dead", done=not blocks, blocks=blocks, state=DeliveryState.DEAD, queue=queue,
        dead_detail="404 no such item", waits=reason.value if blocks else None,
    )  # fmt: skip


def deliver_all(conn: Conn, target: str = "gemini") -> list[int]:
    """Everything that is due at a target arrives; the ids in the order in which it was taken."""
    sent: list[int] = []
    while due := claim(conn, target):
        for held in due:
            sent.append(held.delivery_id)
            settle(conn, held, queue=target)
    return sent

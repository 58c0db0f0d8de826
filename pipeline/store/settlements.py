"""Settlements: how several lanes ended this time, in one commit and behind the fence, with all that they left."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from pipeline.domain.reason import Reason
from pipeline.domain.states import DeliveryState, LinkState
from pipeline.plan import Receipt
from pipeline.store import sql
from pipeline.store.lanes import DECODE, Held
from pipeline.store.pool import Conn

SQL = sql.load("lanes")


@dataclass(frozen=True)
class Attempt:
    """What is recorded of one attempt; `exchanges` is masked JSON."""

    verdict: str
    reason: Reason
    detail: str
    ms: float
    looked: bool
    exchanges: bytes = b"[]"
    hash: str | None = None
    writes: int = 0  # how many left, whatever came of them


@dataclass(frozen=True)
class Settlement:
    """How one lane's delivery ended this time.

    done: the head moves on. keep: hold the lane for its next delivery. burn: the attempt counts.
    blocks: the lane stops until a person comes. wait_seconds: when not done, how long until the next attempt.
    """

    held: Held
    attempt: Attempt | None
    done: bool
    keep: bool = False
    burn: bool = True
    blocks: bool = False
    wait_seconds: float = 0.0
    waits: str | None = None
    state: DeliveryState | None = None  # None: it stays queued (done by the counter, or waiting)
    receipt: Receipt | None = None
    plan_rev: int = 1
    origin: str = ""
    dead_detail: str = ""
    queue: str = ""

    @property
    def dead(self) -> bool:
        return self.state is DeliveryState.DEAD


@dataclass
class Settled:
    """What a settle did: lanes still held, their next deliveries, dead letters written, cases to wake."""

    kept: list[Held] = field(default_factory=list)
    lost: list[int] = field(default_factory=list)
    dead_letters: list[int] = field(default_factory=list)
    cases: set[int] = field(default_factory=set)


def settle(conn: Conn, settlements: Sequence[Settlement], *, lease: timedelta) -> Settled:
    """Write the outcomes of several lanes in the caller's transaction; lanes that lost their fence write nothing."""
    out = Settled()
    if not settlements:
        return out
    rows = _settle_lanes(conn, settlements, lease)
    kept = [s for s in settlements if s.held.id in rows]
    out.lost = [s.held.id for s in settlements if s.held.id not in rows]
    _record(conn, kept)
    _bind(conn, kept)
    out.dead_letters = _bury(conn, [s for s in kept if s.dead])
    out.cases = {s.held.case_id for s in kept if s.done}
    going = {lane: head + 1 for lane, (nonce, head, tail) in rows.items() if nonce is not None and tail > head}
    if going:
        out.kept = _next(conn, going)
    return out


def _settle_lanes(
    conn: Conn, settlements: Sequence[Settlement], lease: timedelta
) -> dict[int, tuple[int | None, int, int]]:
    params: dict[str, Any] = {
        "lease": lease,
        "lane": [s.held.id for s in settlements],
        "nonce": [s.held.nonce for s in settlements],
        "done": [int(s.done) for s in settlements],
        "keep": [s.keep for s in settlements],
        "burn": [s.burn for s in settlements],
        "blocked": [s.blocks for s in settlements],
        "wait": [float(s.wait_seconds) for s in settlements],
        "waits": [s.waits for s in settlements],
    }
    rows = conn.execute(SQL["settle"], params, prepare=True).fetchall()
    return {lane: (nonce, head, tail) for lane, nonce, head, _, tail in rows}


def _next(conn: Conn, going: dict[int, int]) -> list[Held]:
    with conn.cursor(row_factory=class_row(Held)) as cur:
        cur.execute(SQL["next_deliveries"], {"lane": list(going), "seq": list(going.values())}, prepare=True)
        return cur.fetchall()


def _record(conn: Conn, kept: Sequence[Settlement]) -> None:
    tried = [(s, s.attempt) for s in kept if s.attempt is not None]
    if tried:
        conn.execute(
            SQL["attempts"],
            {
                "delivery": [s.held.delivery_id for s, _ in tried],
                "n": [s.held.tries for s, _ in tried],
                "ms": [a.ms for _, a in tried],
                "verdict": [a.verdict for _, a in tried],
                "reason": [a.reason.value for _, a in tried],
                "detail": [a.detail for _, a in tried],
                "looked": [a.looked for _, a in tried],
                "nonce": [s.held.nonce for s, _ in tried],
                "exchanges": [a.exchanges for _, a in tried],
                "writes": [a.writes for _, a in tried],
            },
            binary=True,
        )
    final = [(s, a) for s, a in tried if s.done or s.dead]
    if final:
        conn.execute(
            SQL["audit"],
            {
                "action": ["dead" if s.dead else "delivered" for s, _ in final],
                "delivery": [s.held.delivery_id for s, _ in final],
                "case": [s.held.case_id for s, _ in final],
                "reason": [a.reason.value for _, a in final],
                "hash": [a.hash for _, a in final],
            },
        )
    ended = [s for s in kept if s.state is not None]
    if ended:
        conn.execute(
            SQL["end_delivery"],
            {
                "delivery": [s.held.delivery_id for s in ended],
                "state": [s.state.value for s in ended if s.state],
                "reason": [s.attempt.reason.value if s.attempt else None for s in ended],
            },
        )
    revised = [s for s in kept if s.plan_rev > s.held.plan_rev]
    if revised:
        params = {"delivery": [s.held.delivery_id for s in revised], "rev": [s.plan_rev for s in revised]}
        conn.execute(SQL["revise"], params)


def _bind(conn: Conn, kept: Sequence[Settlement]) -> None:
    parts = [
        (s.held, s.origin, kind, external) for s in kept if s.receipt is not None for kind, external in s.receipt.parts
    ]
    if parts:
        conn.execute(
            SQL["parts"],
            {
                "system": [s.queue for s in kept if s.receipt for _ in s.receipt.parts],
                "kind": [kind for _, _, kind, _ in parts],
                "external": [external for _, _, _, external in parts],
                "delivery": [held.delivery_id for held, _, _, _ in parts],
                "case": [held.case_id for held, _, _, _ in parts],
                "origin": [origin for _, origin, _, _ in parts],
            },
        )
    for s in kept:
        if s.receipt is not None and (s.receipt.bound or s.receipt.facts or s.receipt.closed_link_ids):
            _bind_links(conn, DECODE(s.held.operation).link_id, s.receipt)


def _bind_links(conn: Conn, link_id: int, receipt: Receipt) -> None:
    facts = Jsonb(dict(receipt.facts))
    if receipt.bound is None:
        if receipt.closed_link_ids:
            conn.execute(SQL["bury"], {"links": list(receipt.closed_link_ids)})
        if receipt.facts:
            conn.execute(SQL["remember"], {"link": link_id, "facts": facts, "url": receipt.url})
        return
    params = {"external": receipt.bound.external_id, "url": receipt.url, "facts": facts}
    if not receipt.closed_link_ids:
        conn.execute(SQL["bind"], params | {"link": link_id})
    for old in receipt.closed_link_ids:
        conn.execute(SQL["succeed"], params | {"link": old, "state": LinkState.CLOSED.value})


def _bury(conn: Conn, dead: Sequence[Settlement]) -> list[int]:
    if not dead:
        return []
    rows = conn.execute(
        SQL["dead_letters"],
        {
            "queue": [s.queue for s in dead],
            "delivery": [s.held.delivery_id for s in dead],
            "case": [s.held.case_id for s in dead],
            "partner": [s.held.partner for s in dead],
            "reason": [s.attempt.reason.value if s.attempt else Reason.REJECTED.value for s in dead],
            "detail": [s.dead_detail for s in dead],
        },
    ).fetchall()
    return [row[0] for row in rows]

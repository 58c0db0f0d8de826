"""Lanes: claim, renew, release, wake. The protocol of engine.md 3.3, one function a statement.

Three counters are a lane's whole state: `head < seq <= intent` may have happened, `seq > intent` certainly not.
Every write after the claim carries the nonce; a lane that a settle does not return is somebody else's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from psycopg.rows import class_row

from pipeline.connector import Limit
from pipeline.store import sql
from pipeline.store.pool import Conn
from schemas.operation import AnyOperation

SQL = sql.load("lanes")
SIZES = (16, 32, 48, 64)  # claim limits: few texts, so that each keeps its prepared plan
DECODE = msgspec.json.Decoder(AnyOperation).decode
ENCODE = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Held:
    """A lane in hand with its next delivery. `known` >= seq: an earlier attempt may have happened."""

    id: int
    nonce: int
    head: int
    known: int
    tries: int
    case_id: int
    partner: str
    delivery_id: int
    seq: int
    operation: bytes
    change_id: int | None
    key: UUID
    redo: int
    mark: str
    plan_rev: int
    state: str
    flow: str
    created_at: datetime
    needs: list[int]
    early: float | None  # seconds until the delivery may be sent; null or 0 = now
    kind: str

    @property
    def must_look(self) -> bool:
        """Whether this delivery may have happened already, so that it is looked up before it is repeated."""
        return self.seq <= self.known or self.redo > 0 or self.plan_rev > 1


def claim(conn: Conn, target: str, *, owner: str, lease: timedelta, room: int) -> list[Held]:
    """Take up to `room` due lanes (rounded down to a prepared size); durable, since the claim is the intent."""
    limit = max((size for size in SIZES if size <= room), default=SIZES[0])
    statement = SQL["claim"].replace("{limit}", str(limit))
    with conn.cursor(row_factory=class_row(Held)) as cur:
        cur.execute(statement.encode(), {"target": target, "owner": owner, "lease": lease}, prepare=True)
        return cur.fetchall()


def release(conn: Conn, lanes: Iterable[tuple[Held, float, str]]) -> None:
    """Give lanes back untouched: (lane, seconds until due, why). `waiting_for` leaves it asleep until woken."""
    rows = list(lanes)
    if rows:
        conn.execute(
            SQL["release"],
            {
                "lane": [held.id for held, _, _ in rows],
                "nonce": [held.nonce for held, _, _ in rows],
                "wait": [wait for _, wait, _ in rows],
                "waits": [why for _, _, why in rows],
                "fresh": [held.known < held.seq for held, _, _ in rows],
            },
        )


def renew(conn: Conn, lanes: Sequence[tuple[int, int]], *, lease: timedelta) -> set[int]:
    """Extend the leases of (lane, nonce) pairs; only the ids that come back were ours to extend (trap 5)."""
    params = {"lane": [lane for lane, _ in lanes], "nonce": [nonce for _, nonce in lanes], "lease": lease}
    with conn.transaction():
        conn.execute("set local synchronous_commit = off")
        return {row[0] for row in conn.execute(SQL["renew"], params).fetchall()}


def unmet(conn: Conn, deliveries: Sequence[int]) -> set[int]:
    """Those of the deliveries that still need another one."""
    if not deliveries:
        return set()
    return {row[0] for row in conn.execute(SQL["unmet"], {"ids": list(deliveries)}).fetchall()}


def wake(conn: Conn, cases: Iterable[int]) -> set[str]:
    """Make lanes due whose need was met by what just settled; returns the targets to ring."""
    ids = list(cases)
    return {row[0] for row in conn.execute(SQL["wake"], {"cases": ids}).fetchall()} if ids else set()


def wake_stranded(conn: Conn) -> set[str]:
    """The sweep's net under `wake`, over all cases."""
    return {row[0] for row in conn.execute(SQL["stranded"]).fetchall()}


def is_due(conn: Conn, target: str) -> bool:
    """Whether the target has work that may be claimed right now."""
    return conn.execute(SQL["due"], {"target": target}).fetchone() is not None


def used_up(conn: Conn, lanes: Sequence[int], limit: Limit) -> dict[int, float]:
    """Lane -> seconds until the oldest write to its object falls out of the limit, where that is used up."""
    if not lanes:
        return {}
    params = {"lanes": list(lanes), "amount": limit.amount, "seconds": float(limit.seconds)}
    rows = conn.execute(SQL["recent_writes"], params).fetchall()
    return {lane: max(seconds, 0.0) for lane, writes, seconds in rows if writes >= limit.amount}

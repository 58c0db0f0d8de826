"""Appending deliveries to lanes under the lanes' row locks: sequence numbers are given here and never change."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from pipeline.domain.identity import mark_of
from pipeline.domain.lanes import ABSOLUTE, echo_digest, supersedes
from pipeline.domain.states import DeliveryState
from pipeline.store import sql
from pipeline.store.pool import Conn
from schemas.operation import AnyOperation, kind_of

SQL = sql.load("changes")
ENCODE = msgspec.json.Encoder().encode
DECODE = msgspec.json.Decoder(AnyOperation).decode


@dataclass(frozen=True)
class NewDelivery:
    """One delivery to append; `needs` are keys of deliveries of the same routing, `settle` seconds to wait first."""

    target: str
    case_id: int
    partner: str
    change_id: int
    flow: str
    name: str
    operation: AnyOperation
    key: UUID
    needs: tuple[UUID, ...] = ()
    settle_seconds: float = 0.0


@dataclass
class _Lane:
    id: int
    head: int
    tail: int
    partner: str
    first_asleep: bool = False


def append(conn: Conn, deliveries: Sequence[NewDelivery], *, config_version: int | None) -> set[str]:
    """Append in the given order; returns the targets that may have work now."""
    fresh = _without_known(conn, deliveries)
    if not fresh:
        return set()
    lanes = _lock_lanes(conn, fresh)
    firsts = _supersede(conn, fresh, lanes)
    ids = [row[0] for row in conn.execute(SQL["delivery_ids"], {"n": len(fresh)}).fetchall()]
    id_of = dict(zip((d.key for d in fresh), ids, strict=True))
    columns: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    for id_, delivery in zip(ids, fresh, strict=True):
        lane = lanes[delivery.case_id, delivery.target]
        lane.tail += 1
        if lane.tail == lane.head + 1:
            lane.first_asleep = any(key in id_of for key in delivery.needs)
        _add_row(columns, id_, lane, delivery, id_of, firsts.get(id(delivery)), state=_state(delivery, fresh))
    conn.execute(SQL["append"], columns | {"config": config_version})
    conn.execute(
        SQL["raise_tail"],
        {
            "lane": [lane.id for lane in lanes.values()],
            "tail": [lane.tail for lane in lanes.values()],
            "asleep": [lane.first_asleep for lane in lanes.values()],
            "partner": [lane.partner for lane in lanes.values()],
        },
    )
    return {delivery.target for delivery in fresh}


_COLUMNS = (
    "id", "lane", "seq", "case", "change", "flow", "kind", "name", "link", "operation", "needs", "settle", "first",
    "key", "mark", "echo", "state",
)  # fmt: skip


def _add_row(
    columns: dict[str, list[Any]],
    id_: int,
    lane: _Lane,
    delivery: NewDelivery,
    id_of: dict[UUID, int],
    first: datetime | None,
    *,
    state: DeliveryState,
) -> None:
    operation = delivery.operation
    needs = ",".join(str(id_of[key]) for key in delivery.needs if key in id_of)
    values = (
        id_, lane.id, lane.tail, delivery.case_id, delivery.change_id, delivery.flow, kind_of(operation).value,
        delivery.name, operation.link_id or None, ENCODE(operation), needs or None, delivery.settle_seconds, first,
        delivery.key, mark_of(delivery.key), echo_digest(operation), state.value,
    )  # fmt: skip
    for name, value in zip(_COLUMNS, values, strict=True):
        columns[name].append(value)


def _state(delivery: NewDelivery, batch: Sequence[NewDelivery]) -> DeliveryState:
    """Superseded at once when a later delivery of the same batch sets the same value."""
    if kind_of(delivery.operation) not in ABSOLUTE:
        return DeliveryState.QUEUED
    later = batch[batch.index(delivery) + 1 :]
    same_lane = (d for d in later if (d.case_id, d.target) == (delivery.case_id, delivery.target))
    superseded = any(supersedes(d.operation, delivery.operation) for d in same_lane)
    return DeliveryState.SUPERSEDED if superseded else DeliveryState.QUEUED


def without_superseded(deliveries: Sequence[NewDelivery]) -> list[NewDelivery]:
    """Those of a batch that a later one of it does not make needless."""
    return [one for one in deliveries if _state(one, deliveries) is DeliveryState.QUEUED]


def _without_known(conn: Conn, deliveries: Sequence[NewDelivery]) -> list[NewDelivery]:
    known = {row[0] for row in conn.execute(SQL["known_keys"], {"keys": [d.key for d in deliveries]}).fetchall()}
    return list({d.key: d for d in deliveries if d.key not in known}.values())


def _lock_lanes(conn: Conn, deliveries: Sequence[NewDelivery]) -> dict[tuple[int, str], _Lane]:
    """Lane rows of all (case, target) pairs, locked in the order of their ids so that nobody deadlocks."""
    partners = {(d.case_id, d.target): d.partner for d in deliveries}
    pairs = sorted(partners)
    params = {"case": [case for case, _ in pairs], "target": [target for _, target in pairs]}
    conn.execute(SQL["make_lanes"], params | {"partner": [partners[pair] for pair in pairs]})
    rows = conn.execute(SQL["lock_lanes"], params).fetchall()
    return {(case, target): _Lane(id_, head, tail, partners[case, target]) for id_, target, case, head, tail in rows}


def _supersede(
    conn: Conn, deliveries: Sequence[NewDelivery], lanes: dict[tuple[int, str], _Lane]
) -> dict[int, datetime]:
    """End waiting values that a newer one makes needless; the newer one keeps the first one's time (D20)."""
    newer = [d for d in deliveries if kind_of(d.operation) in ABSOLUTE]
    if not newer:
        return {}
    params = {"lanes": [lane.id for lane in lanes.values()], "kinds": [kind.value for kind in ABSOLUTE]}
    waiting = [(i, lane, DECODE(bytes(op)), at) for i, lane, op, at in conn.execute(SQL["waiting_values"], params)]
    ended: set[int] = set()
    firsts: dict[int, datetime] = {}
    for delivery in newer:
        lane = lanes[delivery.case_id, delivery.target]
        old = [
            row for row in waiting
            if row[1] == lane.id and row[0] not in ended and supersedes(delivery.operation, row[2])
        ]  # fmt: skip
        ended |= {row[0] for row in old}
        times = [row[3] for row in old if row[3] is not None]
        if times:
            firsts[id(delivery)] = min(times)
    if ended:
        conn.execute(SQL["supersede"], {"ids": sorted(ended)})
    return firsts

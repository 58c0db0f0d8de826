"""The deliveries of a routed change: what waits as it will be sent, what has ended as it was sent."""

from dataclasses import dataclass, replace
from uuid import UUID

import msgspec

from pipeline.connector import Link, Work
from pipeline.domain.identity import idem_key
from pipeline.domain.states import DeliveryState
from pipeline.service import standing
from pipeline.service.foretell import ShownDelivery, ShownRequest, Surroundings, foretell, foretold
from pipeline.stages.courier import numbered, origin_of, successor
from pipeline.store import changes, trace, works
from pipeline.store.pool import Conn
from pipeline.store.trace import DeliveryRow
from pipeline.store.works import Parts
from schemas.operation import AnyOperation

READS = frozenset({"GET", "HEAD"})


class _Exchange(msgspec.Struct):
    """What the record of an attempt keeps of one request; its answer is of no use here."""

    step: str
    method: str
    url: str
    request_headers: dict[str, str] = {}
    request_body: str = ""
    sent: bool = True


DECODE = msgspec.json.Decoder(list[_Exchange]).decode


@dataclass(frozen=True)
class _Stored:
    """One delivery with all that its plan is made of, and the requests of its last attempt."""

    row: DeliveryRow
    operation: AnyOperation
    key: UUID
    links: dict[int, Link]
    parts: Parts
    sent: tuple[_Exchange, ...]

    @property
    def waits(self) -> bool:
        return self.row.state == DeliveryState.QUEUED and self.row.seq > self.row.head


def stored_deliveries(world: Surroundings, change_id: int, *, offline: bool) -> tuple[ShownDelivery, ...]:
    """Each with its standing. A dead or delivered one is shown by its record, which is masked and may have expired."""
    with world.connection() as conn:
        rows = trace.deliveries(conn, trace.deliveries_of_changes(conn, [change_id]))
        recipes = works.recipes(conn, [row.id for row in rows])
        found = [_stored(conn, row, *recipes[row.id]) for row in rows]
    names = {row.id: row.name for row in rows}
    return tuple(_shown(world, one, names, offline=offline) for one in found)


def _stored(conn: Conn, row: DeliveryRow, operation: AnyOperation, key: UUID) -> _Stored:
    links = foretold({link.id: link for _, link in changes.links_of_cases(conn, [row.case_id])})
    parts = works.parts(conn, row.target, [(row.case_id, origin_of(operation))])
    attempts = trace.attempts(conn, row.id)
    sent = DECODE(bytes(attempts[-1]["exchanges"])) if attempts else []
    return _Stored(row, operation, key, links, parts, tuple(one for one in sent if one.sent))


def _shown(world: Surroundings, one: _Stored, names: dict[int, str], *, offline: bool) -> ShownDelivery:
    row, stands = one.row, standing.of_delivery(one.row)
    needs = tuple(names[need] for need in row.unmet if need in names)
    state = f"{stands.reason.value}{f': {stands.detail}' if stands.detail else ''}"
    blank = ShownDelivery(row.flow, row.name, row.target, row.kind, needs, mark=row.mark, state=state)
    if one.waits:
        return foretell(world, blank, _work(world, one), offline=offline)
    reads = tuple(_request(it) for it in one.sent if it.method in READS)
    writes = tuple(_request(it) for it in one.sent if it.method not in READS)
    return replace(blank, reads=reads, writes=writes, nothing="" if writes else state, sent=True)


def _work(world: Surroundings, one: _Stored) -> Work:
    row, origin = one.row, origin_of(one.operation)
    links = {id_: successor(link, one.links) for id_, link in one.links.items()}
    return Work(
        operation=numbered(one.operation, links),
        delivery_id=row.id,
        idem_key=idem_key(one.key, row.plan_rev),
        mark=row.mark,
        links=links,
        config=world.config,
        partner=world.config.partner(row.partner),
        parts={origin: one.parts.get((row.case_id, origin), ())} if origin else {},
        late=row.redo > 0,
        since=row.created_at,
    )


def _request(one: _Exchange) -> ShownRequest:
    return ShownRequest(one.step, one.method, one.url, one.request_headers, one.request_body)

"""Operation listEvents: the feed by opaque cursor, with a long poll of at most 30 seconds."""

from __future__ import annotations

import time
from collections.abc import Callable

from sandbox.trading_grid.events import Event, Lane
from sandbox.trading_grid.gateway import Answer, Call
from sandbox.trading_grid.objects import Json
from sandbox.trading_grid.paging import seal, unseal
from sandbox.trading_grid.problems import Problem
from sandbox.trading_grid.views import event_view
from sandbox.trading_grid.visibility import admits

_PURPOSE = "events"


async def list_events(call: Call) -> Answer:
    """Events after the cursor, oldest first; raises 410 cursor_expired with the earliest cursor."""
    call.grid.expire_events()
    lane = call.tenant.feed.lane(call.who.partner_id)
    position = _position(call, lane)
    admitted = _admitted(call)
    deadline = time.monotonic() + call.query["wait"]
    while True:
        found, position = lane.page(position, call.query["limit"], admitted)
        left = deadline - time.monotonic()
        if found or left <= 0 or not await call.tenant.feed.changed(left):
            return _page(call, lane, found, position)


def _position(call: Call, lane: Lane) -> int:
    after = call.query["after"]
    if after == "latest":
        return lane.end
    if after == "earliest":
        return lane.start
    epoch, position = unseal(call.who, _PURPOSE, after)
    # Before a reset, or older than the feed reaches back. A cursor at the very start of it is still good.
    if epoch != call.grid.epoch or not lane.start <= position <= lane.end:
        raise Problem("cursor_expired", earliest_cursor=_cursor(call, lane.start))
    assert isinstance(position, int)
    return position


def _admitted(call: Call) -> Callable[[Event], bool]:
    query, who, tenant = call.query, call.who, call.tenant
    wanted = tuple(kind.strip() for kind in query["types"].split(",")) if query["types"] else ()
    exact = frozenset(wanted)
    prefixes = tuple(kind[:-1] for kind in wanted if kind.endswith(".*"))

    def admitted(event: Event) -> bool:
        if wanted and event.type not in exact and not event.type.startswith(prefixes or ("\0",)):
            return False
        if query["partner_id"] is not None and event.partner_id != query["partner_id"]:
            return False
        if query["exclude_own"] and event.actor.client_id is not None and event.actor.client_id == who.client_id:
            return False
        return admits(tenant, who, event)

    return admitted


def _cursor(call: Call, position: int) -> str:
    return seal(call.who, _PURPOSE, [call.grid.epoch, position])


def _page(call: Call, lane: Lane, found: list[Event], position: int) -> Answer:
    cursor = _cursor(call, position)
    body: Json = {
        "_links": {"next": {"href": f"{call.request.url.path}?after={cursor}"}},
        "page": {"has_more": position < lane.end, "next_cursor": cursor},
    }
    collection = [event_view(call.who, call.tenant, event) for event in found]
    if call.grid.switches.surprises and collection:
        collection.append({**collection[-1], "id": f"{collection[-1]['id']}x", "type": "galaxy.collided"})
    if collection:
        body["_embedded"] = {"collection": collection}
    return Answer(200, body)

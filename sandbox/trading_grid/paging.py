"""Opaque cursors, bound to the principal and the filter they were made with, and HAL pages cut by them (rule I7)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Iterable
from typing import Any, TypeVar
from urllib.parse import urlencode

from sandbox.trading_grid.gateway import Answer, Call
from sandbox.trading_grid.objects import Entity, Json
from sandbox.trading_grid.principals import Principal
from sandbox.trading_grid.problems import Problem

EntityT = TypeVar("EntityT", bound=Entity)
_SECRET = b"sandbox-cursor-seal"
_PAGE_ONLY = ("cursor", "items-per-page", "include-total")


def seal(who: Principal, purpose: str, value: list[Any]) -> str:
    """A cursor that only `who` can use, only for `purpose`."""
    payload = base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
    return f"c_{payload}.{_mac(who, purpose, payload)}"


def unseal(who: Principal, purpose: str, cursor: str) -> list[Any]:
    """The value in a cursor; raises 400 invalid_cursor for a foreign or broken one."""
    payload, _, mac = cursor.removeprefix("c_").partition(".")
    if not hmac.compare_digest(_mac(who, purpose, payload).encode(), mac.encode()):
        raise Problem("invalid_cursor")
    try:
        value = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (binascii.Error, ValueError):
        raise Problem("invalid_cursor") from None
    assert isinstance(value, list)
    return value


def _mac(who: Principal, purpose: str, payload: str) -> str:
    return hmac.new(_SECRET, f"{who.key}|{purpose}|{payload}".encode(), hashlib.sha256).hexdigest()[:16]


def _filter(call: Call) -> str:
    chosen = {name: str(value) for name, value in call.query.items() if name not in _PAGE_ONLY and value}
    return f"{call.request.url.path}?{json.dumps(chosen, sort_keys=True)}"


def page(
    call: Call, found: Iterable[EntityT], view: Callable[[EntityT], Json], *, sortby: str = "create_time asc"
) -> Answer:
    """One page of what was found (already filtered by visibility, so that totals tell nothing else).

    Keyset paging by (time, creation order): stable while objects are added.
    """
    member, _, direction = sortby.partition(" ")

    def key(entity: EntityT) -> tuple[str, int]:
        if member == "create_time":
            return "", entity.ordinal
        time = entity.partner_update_time if call.who.is_partner else entity.update_time
        return time.isoformat(timespec="milliseconds"), entity.ordinal

    ordered = sorted(found, key=key, reverse=direction == "desc")
    rest, purpose = ordered, _filter(call)
    if call.query["cursor"] is not None:
        time, ordinal = unseal(call.who, purpose, call.query["cursor"])
        last = (time, ordinal)
        rest = [entity for entity in ordered if (key(entity) < last if direction == "desc" else key(entity) > last)]
    size = call.query["items-per-page"]
    shown, more = rest[:size], len(rest) > size
    cursor = seal(call.who, purpose, list(key(shown[-1]))) if more else None
    total = len(ordered) if call.query["include-total"] else None
    return Answer(200, envelope(call, [view(entity) for entity in shown], size, cursor, total))


def envelope(call: Call, collection: list[Json], size: int, cursor: str | None, total: int | None) -> Json:
    """The HAL page; `_embedded` is absent when it is empty, as in OpenText CMS."""
    path = call.request.url.path
    links = {"self": {"href": f"{path}?{call.request.url.query}".rstrip("?")}}
    if cursor is not None:
        kept = [(name, value) for name, value in call.request.query_params.multi_items() if name != "cursor"]
        links["next"] = {"href": f"{path}?{urlencode([*kept, ('cursor', cursor)])}"}
    body: Json = {
        "_links": links,
        "page": {"items_per_page": size, "has_more": cursor is not None, "next_cursor": cursor},
    }
    if collection:
        body["_embedded"] = {"collection": collection}
    if total is not None:
        body["total"] = total
    return body

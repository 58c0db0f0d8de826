"""items, items/filtered, items/originator, history and dependencies."""

from __future__ import annotations

from typing import Any

from sandbox.gemini.changes.items import create_item, replace_item
from sandbox.gemini.door import Call, Encoded, Handler, encoded_list
from sandbox.gemini.dto import audit_dto, item_json
from sandbox.gemini.errors import RefusedError
from sandbox.gemini.model import Item
from sandbox.gemini.search import found
from sandbox.gemini.site import may_read


def _shown(call: Call, item: Item) -> Encoded:
    return Encoded(item_json(call.site, item, call.user))


def _create(call: Call) -> Encoded:
    return _shown(call, create_item(call.site, call.actor, call.record()))


def _replace(call: Call) -> Encoded:
    return _shown(call, replace_item(call.site, call.actor, call.record()))


def _get(call: Call) -> Encoded:
    return _shown(call, call.item())


def _filtered(call: Call) -> Encoded:
    return encoded_list([item_json(call.site, item, call.user) for item in found(call.site, call.user, call.record())])


def _originated(call: Call) -> list[Item]:
    if not call.site.settings.originator_lookup:
        raise RefusedError(404, "No HTTP resource was found that matches the request URI")
    items = call.site.originated(call.number("kind"), call.request.path_params["mark"])
    return [item for item in items if may_read(call.user, item.fields["Visibility"])]


def _last_originated(call: Call) -> Encoded | None:
    items = _originated(call)
    return _shown(call, max(items, key=lambda item: item.id)) if items else None


def _all_originated(call: Call) -> Encoded:
    return encoded_list([_shown(call, item) for item in _originated(call)])


def _history(call: Call) -> list[dict[str, Any]]:
    item = call.item()
    return [audit_dto(item, audit) for audit in item.history]


def _children(call: Call) -> Encoded:
    children = [call.site.items[number] for number in call.item().children]
    return encoded_list([_shown(call, child) for child in children if may_read(call.user, child.fields["Visibility"])])


TABLE: list[tuple[str, dict[str, Handler]]] = [
    ("/items/filtered", {"POST": _filtered}),
    ("/items/originator/{kind:int}/name/{mark:path}", {"GET": _last_originated}),
    ("/items/originator/all/{kind:int}/name/{mark:path}", {"GET": _all_originated}),
    ("/items/{item_id:int}", {"GET": _get}),
    ("/items", {"POST": _create, "PUT": _replace}),
    ("/items/{item_id:int}/history", {"GET": _history}),
    ("/items/{item_id:int}/dependencies", {"GET": _children}),
]

"""items/{id}/watchers and items/{id}/links."""

from __future__ import annotations

from typing import Any

from sandbox.gemini import data
from sandbox.gemini.changes.relations import follow, link
from sandbox.gemini.door import Call, Handler
from sandbox.gemini.dto import link_dto, watcher_dtos

Json = dict[str, Any]


def _followers(call: Call) -> list[Json]:
    return watcher_dtos(call.site, call.item())


def _follow(call: Call) -> list[Json]:
    item = call.item()
    follow(call.site, call.actor, item, call.number("user_id"), on=True)
    return watcher_dtos(call.site, item)


def _unfollow(call: Call) -> list[Json]:
    item = call.item()
    follow(call.site, call.actor, item, call.number("user_id"), on=False)
    return watcher_dtos(call.site, item)


def _links(call: Call) -> list[Json]:
    return [link_dto(made) for made in call.item().links]


def _link(call: Call) -> Json:
    return link_dto(link(call.site, call.actor, call.item(), call.record()))


def _link_types(call: Call) -> list[Json]:  # noqa: ARG001 -- the list is the same for everybody
    return [{"Id": number, "Label": label} for number, label in data.LINK_TYPES.items()]


TABLE: list[tuple[str, dict[str, Handler]]] = [
    ("/items/{item_id:int}/watchers", {"GET": _followers}),
    ("/items/{item_id:int}/watchers/{user_id:int}", {"POST": _follow, "DELETE": _unfollow}),
    ("/items/{item_id:int}/links", {"GET": _links, "POST": _link}),
    ("/linktype", {"GET": _link_types}),
]

"""items/{id}/comments."""

from __future__ import annotations

from sandbox.gemini.changes.comments import add_comment, edit_comment, remove_comment, visible_comment
from sandbox.gemini.door import Call, Encoded, Handler, encoded_list
from sandbox.gemini.dto import comment_json
from sandbox.gemini.site import readable_comments


def _list(call: Call) -> Encoded:
    item = call.item()
    return encoded_list([comment_json(call.site, item, comment) for comment in readable_comments(item, call.user)])


def _add(call: Call) -> Encoded:
    item = call.item()
    return Encoded(comment_json(call.site, item, add_comment(call.site, call.actor, item, call.record())))


def _edit(call: Call) -> Encoded:
    item = call.item()
    return Encoded(comment_json(call.site, item, edit_comment(call.site, call.actor, item, call.record())))


def _get(call: Call) -> Encoded:
    item = call.item()
    return Encoded(comment_json(call.site, item, visible_comment(item, call.number("comment_id"), call.user)))


def _remove(call: Call) -> None:
    remove_comment(call.site, call.actor, call.item(), call.number("comment_id"))


TABLE: list[tuple[str, dict[str, Handler]]] = [
    ("/items/{item_id:int}/comments", {"GET": _list, "POST": _add, "PUT": _edit}),
    ("/items/{item_id:int}/comments/{comment_id:int}", {"GET": _get, "DELETE": _remove}),
]

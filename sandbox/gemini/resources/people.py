"""users and groups."""

from __future__ import annotations

from typing import Any

from sandbox.gemini import data
from sandbox.gemini.door import Call, Handler
from sandbox.gemini.dto import user_dto
from sandbox.gemini.errors import RefusedError

Json = dict[str, Any]


def _users(call: Call) -> list[Json]:
    return [user_dto(user) for user in call.site.users.values()]


def _user(call: Call) -> Json:
    user = call.site.users.get(call.number("user_id"))
    if user is None:
        raise RefusedError(404, f"There is no user {call.number('user_id')}")
    return user_dto(user)


def _by_name(call: Call) -> Json | None:
    if call.user.id == 0:
        return user_dto(call.user)
    user = call.site.by_username.get(call.request.path_params["username"])
    return user_dto(user) if user else None


def _group(number: int) -> Json:
    return {"Id": number, "Name": data.GROUPS[number], "Description": "", "Active": True}


def _groups(call: Call) -> list[Json]:  # noqa: ARG001 -- the list is the same for everybody
    return [_group(number) for number in data.GROUPS]


def _one_group(call: Call) -> Json:
    if call.number("group_id") not in data.GROUPS:
        raise RefusedError(404, f"There is no group {call.number('group_id')}")
    return _group(call.number("group_id"))


TABLE: list[tuple[str, dict[str, Handler]]] = [
    ("/users", {"GET": _users}),
    ("/users/active", {"GET": _users}),
    ("/users/active/count", {"GET": lambda call: len(call.site.users)}),
    ("/users/{user_id:int}", {"GET": _user}),
    ("/users/username/{username}", {"GET": _by_name}),
    ("/groups", {"GET": _groups}),
    ("/groups/{group_id:int}", {"GET": _one_group}),
]

"""Query parameters: what each list takes, checked; an unknown one is refused (response BadRequest)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from starlette.datastructures import QueryParams

from sandbox.trading_grid import vocabulary as words
from sandbox.trading_grid.problems import Problem

Parameter = tuple[Callable[[list[str]], Any], Any]
"""How the values given are read, and what holds when none is given; REQUIRED refuses the latter."""
REQUIRED = object()


def _one(values: list[str]) -> str:
    if len(values) != 1:
        raise ValueError("must be given once")
    return values[0]


def _text(maximum: int) -> Callable[[list[str]], str]:
    def read(values: list[str]) -> str:
        value = _one(values)
        if len(value) > maximum:
            raise ValueError(f"must have at most {maximum} characters")
        return value

    return read


def _word(*allowed: str) -> Callable[[list[str]], str]:
    def read(values: list[str]) -> str:
        value = _one(values)
        if value not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return value

    return read


def _words(*allowed: str) -> Callable[[list[str]], list[str]]:
    def read(values: list[str]) -> list[str]:
        return [_word(*allowed)([value]) for value in values]

    return read


def _number(minimum: int, maximum: int) -> Callable[[list[str]], int]:
    def read(values: list[str]) -> int:
        value = int(_one(values))
        if not minimum <= value <= maximum:
            raise ValueError(f"must be {minimum} to {maximum}")
        return value

    return read


def _flag(values: list[str]) -> bool:
    return _word("true", "false")(values) == "true"


def _moment(values: list[str]) -> datetime:
    value = datetime.fromisoformat(_one(values))
    if value.tzinfo is None:
        raise ValueError("must carry an offset")
    return value


def parse(known: Mapping[str, Parameter], given: QueryParams) -> dict[str, Any]:
    """The parameters by name with defaults filled in; raises 400 invalid_request."""
    for name in given:
        if name not in known:
            raise Problem("invalid_request", f"unknown query parameter {name}")
    parsed: dict[str, Any] = {}
    for name, (read, default) in known.items():
        values = given.getlist(name)
        if not values and default is REQUIRED:
            raise Problem("invalid_request", f"query parameter {name} is required")
        try:
            parsed[name] = read(values) if values else default
        except ValueError as error:
            raise Problem("invalid_request", f"query parameter {name} {error}") from None
    return parsed


_ID = _text(64)
_SORTS = ("create_time asc", "create_time desc", "update_time asc", "update_time desc")
PARTNER_STATES = ("invited", "registered", "onboarding", "testing", "active", "suspended", "inactive", "terminated",
                  "rejected")  # fmt: skip

PAGE: dict[str, Parameter] = {
    "items-per-page": (_number(1, 200), 50),
    "cursor": (_text(512), None),
    "include-total": (_flag, False),
}
SORT: dict[str, Parameter] = {"sortby": (_word(*_SORTS), "create_time desc")}
PARTNER: dict[str, Parameter] = {"partner_id": (_ID, None)}
UPDATED: dict[str, Parameter] = {"updated-after": (_moment, None)}
EXTERNAL: dict[str, Parameter] = {"external_system": (_text(100), None), "external_id": (_text(128), None)}

PARTNERS = PAGE | SORT | UPDATED | EXTERNAL | {"state": (_word(*PARTNER_STATES), None)}
LOOKUP: dict[str, Parameter] = {
    "scheme": (_word(*words.IDENTIFIER_SCHEMES), REQUIRED),
    "value": (_text(80), REQUIRED),
    "qualifier": (_text(4), None),
    "usage": (_word("production", "test"), None),
}
GROUPS = PAGE | PARTNER | {"kind": (_word("team", "audience"), None), "topic": (_word(*words.EXCEPTION_TYPES), None)}
WORKSPACES = PAGE | PARTNER | UPDATED
THREADS = PAGE | SORT | PARTNER | UPDATED | EXTERNAL | {
    "type": (_word(*words.THREAD_TYPES), None),
    "state": (_words(*words.TRANSITIONS), ()),
    "unresolved-since": (_moment, None),
    "reference_type": (_word(*words.REFERENCE_TYPES), None),
    "reference_value": (_text(80), None),
}  # fmt: skip
POSTS = PAGE | {
    "kind": (_words(*words.POST_KINDS, "system"), ()),
    "visibility": (_word(*words.VISIBILITIES), None),
}
CASES = PAGE | PARTNER | UPDATED | EXTERNAL
REQUIREMENTS = PAGE | {"blocked": (_flag, None)}
EVENTS = PARTNER | {
    "after": (_text(512), REQUIRED),
    "limit": (_number(1, 500), 100),
    "wait": (_number(0, 30), 0),
    "types": (_text(2000), None),
    "exclude_own": (_flag, False),
}

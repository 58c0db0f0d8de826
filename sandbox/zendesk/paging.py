"""Lists in pages: cursor paging when `page[size]` is sent, else offset paging with its hard end (sheet 2.6)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from .data import JsonObject
from .endpoint import Call
from .errors import bad_request

LARGEST = 100
OFFSET_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of one page and the envelope keys beside them."""

    rows: list[JsonObject]
    envelope: JsonObject


def paged(call: Call, rows: Sequence[JsonObject], *, descending: bool = False) -> Page:
    """One page of rows that are in ascending order of `id`; raises ApiError 400 for a bad cursor or depth."""
    if "page[size]" in call.request.query_params or "page[after]" in call.request.query_params:
        return _by_cursor(call, rows, descending)
    return _by_offset(call, rows, descending)


def _by_cursor(call: Call, rows: Sequence[JsonObject], descending: bool) -> Page:
    size = _size(call, "page[size]")
    after, before = _position(call.query("page[after]")), _position(call.query("page[before]"))
    low, high = _bounds(rows, after, before, descending)
    from_end = descending == (before is None)
    start, stop = (max(low, high - size), high) if from_end else (low, min(high, low + size))
    page = list(rows[start:stop])
    if descending:
        page.reverse()
    first = _cursor(page[0]) if page else None
    last = _cursor(page[-1]) if page else None
    more = (stop - start) < (high - low)
    return Page(
        page,
        {
            "meta": {"has_more": more, "after_cursor": last, "before_cursor": first},
            "links": {
                "prev": first and _link(call, {"page[before]": first}, drop="page[after]"),
                "next": last and _link(call, {"page[after]": last}, drop="page[before]"),
            },
        },
    )


def _bounds(rows: Sequence[JsonObject], after: int | None, before: int | None, descending: bool) -> tuple[int, int]:
    """The slice of `rows` between two positions, whatever the direction of reading."""
    above, below = (before, after) if descending else (after, before)
    low = 0 if above is None else _first_above(rows, above)
    high = len(rows) if below is None else _first_above(rows, below - 1)
    return low, max(low, high)


def _first_above(rows: Sequence[JsonObject], number: int) -> int:
    low, high = 0, len(rows)
    while low < high:
        middle = (low + high) // 2
        if rows[middle]["id"] <= number:
            low = middle + 1
        else:
            high = middle
    return low


def _by_offset(call: Call, rows: Sequence[JsonObject], descending: bool) -> Page:
    size, number = _size(call, "per_page"), max(1, call.whole("page", 1))
    if number * size > OFFSET_ROWS:
        raise bad_request("InvalidPaginationDepth", f"Offset paging ends after {OFFSET_ROWS} rows; use cursor paging")
    start = (number - 1) * size
    ordered = rows[::-1] if descending else rows
    page = list(ordered[start : start + size])
    following = _link(call, {"page": number + 1}) if start + size < len(rows) else None
    previous = _link(call, {"page": number - 1}) if number > 1 else None
    return Page(page, {"next_page": following, "previous_page": previous, "count": len(rows)})


def _link(call: Call, changed: dict[str, object], drop: str = "") -> str:
    query = {name: value for name, value in call.request.query_params.items() if name != drop}
    path = call.request.scope.get("asked_path", call.request.url.path)
    return f"{call.account.base_url}{path}?{urlencode({**query, **changed})}"


def _cursor(row: JsonObject) -> str:
    return base64.urlsafe_b64encode(f'["id",{row["id"]}]'.encode()).decode()


def _position(cursor: str) -> int | None:
    if not cursor:
        return None
    try:
        return int(base64.urlsafe_b64decode(cursor).decode().removeprefix('["id",').removesuffix("]"))
    except (binascii.Error, ValueError) as error:
        raise bad_request("InvalidCursor", "page[after] or page[before] is not a cursor of this list") from error


def _size(call: Call, name: str) -> int:
    return min(LARGEST, max(1, call.whole(name, LARGEST)))

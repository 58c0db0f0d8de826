"""/incremental/tickets/cursor and /search: what a reconciler reads, late on purpose (sheet 2.4, 2.5)."""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_left

from starlette.responses import Response
from starlette.routing import Route

from .account import Account, Ticket
from .data import JsonObject
from .endpoint import Call, answer, api_route
from .errors import ApiError, bad_request, forbidden

LARGEST = 1000
_SEARCH_PAGE, _SEARCH_ROWS = 100, 1000


def routes(account: Account) -> list[Route]:
    """The routes of this module."""
    return [
        api_route(account, "GET", "/incremental/tickets/cursor", "tickets", export),
        api_route(account, "GET", "/search", "tickets", search),
    ]


def export(call: Call) -> Response:
    """Tickets in the order of their last change, each once in its latest state, deleted ones too."""
    if call.actor.user["role"] != "admin":
        raise forbidden()
    account = call.account
    start = _start(call)
    size = min(LARGEST, max(1, call.whole("per_page", LARGEST)))
    newest = account.now().timestamp() - account.settings.export_lag_seconds
    rows, position = _rows(account, start, size, newest, exclude_deleted=call.query("exclude_deleted") == "true")
    ended = position >= len(account.changes) or account.changes[position][0] > newest
    cursor = _cursor(account, position, call.query("cursor"))
    url = cursor and f"{account.base_url}/api/v2/incremental/tickets/cursor.json?cursor={cursor}"
    return answer(
        {
            "tickets": rows,
            "after_url": url,
            "after_cursor": cursor,
            "before_url": None,
            "before_cursor": None,
            "end_of_stream": ended,
        }
    )


def search(call: Call) -> Response:
    """Tickets by words of `query`; the index lags, and page 11 is refused with 422."""
    page = max(1, call.whole("page", 1))
    size = min(_SEARCH_PAGE, max(1, call.whole("per_page", _SEARCH_PAGE)))
    if page * size > _SEARCH_ROWS:
        raise ApiError(
            422,
            {
                "error": "invalid",
                "description": f"Invalid search: Requested response size was greater "
                f"than Search Response Limits. Only {_SEARCH_ROWS} results are available",
            },
        )
    newest = call.account.now().timestamp() - call.account.settings.search_lag_seconds
    words = [word for word in call.query("query").split() if word]
    found = [
        {**ticket.wire, "result_type": "ticket"}
        for ticket in call.account.tickets.values()
        if ticket.generated_at <= newest and not ticket.deleted and all(_matches(ticket, word) for word in words)
    ]
    return answer(
        {
            "results": found[(page - 1) * size : page * size],
            "facets": None,
            "next_page": None,
            "previous_page": None,
            "count": len(found),
        }
    )


def _start(call: Call) -> int:
    """The place in the change log to read from; exactly one of `start_time` and `cursor` counts."""
    account, cursor = call.account, call.query("cursor")
    if cursor:
        return bisect_left(account.changes, _number(cursor), key=lambda change: change[1])
    start_time = call.query("start_time")
    if not start_time.lstrip("-").isdigit():
        raise bad_request("ParameterMissing", "start_time or cursor is missing")
    if int(start_time) > account.now().timestamp() - account.settings.export_lag_seconds:
        raise ApiError(
            422,
            {
                "error": "StartTimeTooRecent",
                "description": "Too recent start_time. Use a start_time older than 60 seconds",
            },
        )
    return bisect_left(account.changes, int(start_time), key=lambda change: change[0])


def _rows(
    account: Account, start: int, size: int, newest: float, *, exclude_deleted: bool
) -> tuple[list[JsonObject], int]:
    """Up to `size` rows from a place in the log, and the place after the last one looked at."""
    rows: list[JsonObject] = []
    position = start
    while position < len(account.changes) and len(rows) < size:
        at, number, ticket_id = account.changes[position]
        if at > newest:
            break
        position += 1
        ticket = account.tickets[ticket_id]
        if ticket.changed == number and not (exclude_deleted and ticket.deleted):
            rows.append({**ticket.wire, "generated_timestamp": ticket.generated_at})
    return rows, position


def _cursor(account: Account, position: int, given: str) -> str | None:
    """Opaque: looks like Zendesk's `timestamp.0||number|`, where the number counts changes.

    Zendesk's own has second grain, which is safe there because the last minute is withheld; with a lag of
    zero a cursor by second and ticket id would skip changes, so ours holds the change's number.
    """
    if position == 0:
        return given or base64.b64encode(b"0.0||0|").decode()
    at, number, _ = account.changes[position - 1]
    return base64.b64encode(f"{at}.0||{number}|".encode()).decode()


def _number(cursor: str) -> int:
    try:
        return int(base64.b64decode(cursor, validate=True).decode().split("||")[1].rstrip("|")) + 1
    except (binascii.Error, ValueError, IndexError) as error:
        raise bad_request("InvalidCursor", "The cursor is not valid") from error


def _matches(ticket: Ticket, word: str) -> bool:
    name, colon, value = word.partition(":")
    wire = ticket.wire
    if not colon:
        return word.lower() in f"{wire['subject']} {wire['description']}".lower()
    if name == "type":
        return value in ("ticket", wire["type"])
    if name in ("tags", "tag"):
        return value in wire["tags"]
    return str(wire.get(name)) == value

"""Reads that several parts of the connector make: one object, a list by pages, users, ourselves."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from pipeline.connector import Http
from pipeline.connectors.zendesk.wire import Json, identifier, parse
from pipeline.domain.reason import Reason
from pipeline.errors import InvalidPayloadError, PermanentError
from pipeline.plan import Answer, Request

PAGE_SIZE = 100  # the largest that Zendesk gives
Query = tuple[tuple[str, str], ...]


def get(http: Http, step: str, path: str, query: Query = ()) -> Answer:
    """One answer of status 200. Raises what `Http.get` raises for any other."""
    return http.get(Request(step, "GET", path, query=query, reads=True))


def find(http: Http, step: str, path: str, query: Query = ()) -> Answer | None:
    """As `get`, but None for 404: deleted, merged away or not for us to see."""
    try:
        return get(http, step, path, query)
    except PermanentError as fault:
        if fault.reason is Reason.TARGET_GONE:
            return None
        raise


def pages(http: Http, step: str, path: str, member: str, query: Query = ()) -> Iterator[tuple[list[Json], str | None]]:
    """The pages of a list with the cursor after each. Ends by `has_more`, as `links.next` stands on the last page too.

    Raises InvalidPayloadError when the cursor does not move: an endless loop otherwise.
    """
    after: str | None = dict(query).get("page[after]")
    rest = tuple(pair for pair in query if pair[0] != "page[after]")
    while True:
        paging = (("page[size]", str(PAGE_SIZE)), *((("page[after]", after),) if after else ()))
        answer = get(http, step, path, (*rest, *paging))
        rows, meta = parse(answer, member), answer.json.get("meta") or {}
        cursor = meta.get("after_cursor") or None
        yield [row for row in rows if isinstance(row, dict)], cursor
        if not meta.get("has_more"):
            return
        if cursor is None or cursor == after:
            raise InvalidPayloadError(f"{path}: the list says that more follows but its cursor stays at {cursor!r}")
        after = cursor


def users(http: Http, numbers: Iterable[str]) -> list[Json]:
    """Users by id, at most 100 a call; who is gone is missing from the answer."""
    wanted = sorted(set(numbers))
    found: list[Json] = []
    for start in range(0, len(wanted), PAGE_SIZE):
        ids = ",".join(wanted[start : start + PAGE_SIZE])
        found += parse(get(http, "users", "/users/show_many", (("ids", ids),)), "users")
    return found


def myself(http: Http) -> Json:
    """The user whom our token acts for. Raises InvalidPayloadError when it is anonymous."""
    user: Any = parse(get(http, "me", "/users/me.json"), "user")
    if not isinstance(user, dict) or identifier(user.get("id")) is None:
        raise InvalidPayloadError("GET /users/me answered without an id: the log-in is anonymous")
    return user


def answered_at(answer: Answer) -> datetime:
    """The time at Zendesk when it answered, by its own clock; ours where it does not say."""
    try:
        at = parsedate_to_datetime(answer.headers.get("date", ""))
    except (ValueError, TypeError, IndexError, OverflowError):  # what the parser raises on other people's dates
        return datetime.now(UTC)
    return at if at.tzinfo else at.replace(tzinfo=UTC)

"""GETs of the reading half: one object, or every page of a list."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from pipeline.connector import Http
from pipeline.connectors.trading_grid.vocabulary import PAGE_SIZE
from pipeline.connectors.trading_grid.wire import collection
from pipeline.domain.reason import Reason
from pipeline.errors import InvalidPayloadError, PermanentError
from pipeline.plan import Request


def segment(object_id: str) -> str:
    """An id as one segment of a path: theirs are opaque, so nothing is believed about their characters."""
    return quote(object_id, safe="")


def reading(step: str, path: str, query: tuple[tuple[str, str], ...] = (), **options: Any) -> Request:
    """A GET below the API's base path."""
    return Request(step, "GET", path, query=query, reads=True, **options)


def fetch(http: Http, request: Request) -> dict[str, Any] | None:
    """The object, or None where it is gone (404, 410) or belongs to somebody else: not to be told apart.

    Raises what `Http.get` raises, and InvalidPayloadError for what is no object.
    """
    try:
        answer = http.get(request)
    except PermanentError as error:
        if error.reason is Reason.TARGET_GONE:
            return None
        raise
    try:
        body = answer.json
    except ValueError as error:
        raise InvalidPayloadError(f"{request.path}: found no JSON ({error}), expected an object") from error
    if not isinstance(body, dict):
        raise InvalidPayloadError(f"{request.path}: found {type(body).__name__}, expected an object")
    return body


def fetch_pages(http: Http, step: str, path: str, query: tuple[tuple[str, str], ...] = ()) -> Iterator[dict[str, Any]]:
    """Every entry of a list, page by page; none where the list's owner is gone."""
    cursor: str | None = ""
    while cursor is not None:
        page_query = (*query, ("items-per-page", str(PAGE_SIZE)), *((("cursor", cursor),) if cursor else ()))
        body = fetch(http, reading(step, path, page_query))
        if body is None:
            return
        yield from collection(body)
        cursor = next_cursor(body)


def next_cursor(body: dict[str, Any]) -> str | None:
    """Where the next page begins; None on the last one."""
    page = body.get("page") or {}
    return str(page["next_cursor"]) if page.get("has_more") and page.get("next_cursor") else None

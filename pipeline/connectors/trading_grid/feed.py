"""The event feed: where it starts, its pages, and the sweep over all threads after its cursor expired."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pipeline.connector import Http, Page, Signal
from pipeline.connectors.trading_grid.fetch import fetch, next_cursor, reading
from pipeline.connectors.trading_grid.vocabulary import PAGE_SIZE
from pipeline.connectors.trading_grid.wire import collection, parse_event, parse_time
from pipeline.domain.identity import digest
from pipeline.errors import InvalidPayloadError, PermanentError, TransientError
from pipeline.plan import Request

EVENTS_PER_POLL = 500  # the contract's largest page
_SWEEP_OVERLAP = timedelta(minutes=5)  # our last event's time and their update times may come from two clocks
_SERVICE_INFO = reading("service_info", "/service-info")

Cursor = Mapping[str, Any]


def start(http: Http) -> Cursor:
    """The cursor behind the newest event, and the server's time: a later sweep begins there, never before it."""
    now = _required(http, _SERVICE_INFO).get("time")
    return {"after": _latest(http), "at": now}


def poll(cursor: Cursor, http: Http, long_poll_seconds: int = 0) -> Page:
    """One page of the feed, or of the sweep that an expired cursor made necessary."""
    if "sweep" in cursor:
        return _sweep_page(cursor, http)
    request = _events(str(cursor["after"]), long_poll_seconds)
    try:
        body = fetch(http, request)
    except PermanentError as error:
        if "invalid_cursor" not in error.detail:
            raise
        body = None  # 400: a cursor is bound to the client that got it (I7), and the client is new
    if body is None:  # 410 cursor_expired
        return _begin_sweep(cursor, http)
    entries = collection(body)
    page = body.get("page") or {}
    at = next((entry["time"] for entry in reversed(entries) if isinstance(entry.get("time"), str)), cursor.get("at"))
    after = page.get("next_cursor") or cursor["after"]
    return Page(tuple(_signal(entry) for entry in entries), {"after": after, "at": at}, more=bool(page.get("has_more")))


def _signal(entry: dict[str, Any]) -> Signal:
    raw = json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode()
    try:
        event = parse_event(entry)
    except InvalidPayloadError:
        # its reader refuses it by name: a line that we cannot understand becomes a dead letter, not a stopped feed
        key = str(entry.get("id") or digest(raw.decode()))
        return Signal(key=key, object=f"event:{key}", raw=raw)
    return Signal(key=event.id, object=event.object, raw=raw, position=event.sequence)


def _begin_sweep(cursor: Cursor, http: Http) -> Page:
    """Take the newest cursor first, so that what happens during the sweep is in the feed after it (flows.md rule 7)."""
    now = _required(http, _SERVICE_INFO).get("time")
    at = cursor.get("at")
    since = (parse_time(at) - _SWEEP_OVERLAP).isoformat().replace("+00:00", "Z") if at else None
    return Page((), {"after": _latest(http), "at": now, "sweep": {"since": since, "cursor": None}}, more=True)


def _sweep_page(cursor: Cursor, http: Http) -> Page:
    sweep = cursor["sweep"]
    # stable while it is being paged only in the order of creation (parameter sortby of the contract)
    query = [("sortby", "create_time asc"), ("items-per-page", str(PAGE_SIZE))]
    query += [("updated-after", sweep["since"])] if sweep["since"] else []
    query += [("cursor", sweep["cursor"])] if sweep["cursor"] else []
    body = _required(http, reading("threads", "/threads", tuple(query)))
    signals = tuple(_sweep_signal(thread, sweep["since"]) for thread in collection(body))
    following = next_cursor(body)
    done = {"after": cursor["after"], "at": cursor["at"]}
    if following is None:
        return Page(signals, done, more=True)
    return Page(signals, {**done, "sweep": {**sweep, "cursor": following}}, more=True)


def _sweep_signal(thread: dict[str, Any], since: str | None) -> Signal:
    raw = json.dumps({"sweep": {"since": since, "revision": thread.get("revision")}}).encode()
    return Signal(key=f"sweep:{thread['id']}:{thread.get('revision')}", object=f"thread:{thread['id']}", raw=raw)


def _latest(http: Http) -> str:
    body = _required(http, _events("latest"))
    return str((body.get("page") or {})["next_cursor"])


def _events(after: str, wait_seconds: int = 0) -> Request:
    query = (("after", after), ("limit", str(EVENTS_PER_POLL)))
    if not wait_seconds:
        return reading("events", "/events", query)
    deadline = wait_seconds + 30.0  # the long poll itself, then what any read may take (decisions D11)
    return reading("events", "/events", (*query, ("wait", str(wait_seconds))), deadline_seconds=deadline)


def _required(http: Http, request: Request) -> dict[str, Any]:
    body = fetch(http, request)
    if body is None:
        raise TransientError(f"{request.path}: found nothing at this address, expected {request.step}")
    return body

"""One thread, read because signals named it: GETs, then changes new by id in the feed's order."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from msgspec import structs

from pipeline.connector import Http, Pending, Reading, Signal
from pipeline.connectors.trading_grid.changes import View, change_of, deleted, unattached
from pipeline.connectors.trading_grid.fetch import fetch, fetch_pages, reading, segment
from pipeline.connectors.trading_grid.known import is_old, remember
from pipeline.connectors.trading_grid.sweep import swept_changes
from pipeline.connectors.trading_grid.wire import Event, file_of, parse_event
from schemas.change import Change, ChangeKind

_FEW_POSTS = 2  # so many are fetched one by one; more are cheaper as a list of up to 200


@dataclass(frozen=True)
class Reader:
    """What reading needs to know of our account: which client is ours, and where people look at a thread."""

    client_id: str
    root_url: str
    thread_page: str

    def read(self, pending: Pending, http: Http) -> Reading:
        """The changes that the pending signals stand for.

        Raises InvalidPayloadError for a signal that is no event, and what `Http.get` raises.
        """
        kind, _, object_id = pending.object.partition(":")
        if kind == "thread":
            return self._read_thread(object_id, pending, http)
        events = [parse_event(signal.raw) for signal in pending.signals]
        if kind == "document":
            return self._read_document(object_id, events, pending, http)
        return Reading(tuple(unattached(event, self.client_id) for event in events), pending.known)

    def _read_thread(self, thread_id: str, pending: Pending, http: Http) -> Reading:
        sweeps, events = _split(pending.signals)
        events = [event for event in events if not is_old(event, pending.known)]
        thread = fetch(http, reading("thread", f"/threads/{segment(thread_id)}"))
        if thread is None:
            return Reading((deleted(thread_id, events, self.client_id),), pending.known)
        opened = bool(sweeps) or any(event.type == "thread.created" for event in events)
        posts = _posts(http, thread_id, events, whole=opened)
        documents = _documents(http, _document_ids(events, posts, whole=bool(sweeps)))
        partner = _partner(http, thread) if opened else {}
        tells_opening = any(event.type == "thread.created" for event in events) or (bool(sweeps) and not pending.known)
        opening = _opening_post(thread, posts) if tells_opening else pending.known.get("opening")
        view = View(thread, posts, documents, partner, self.client_id, self.root_url, self.thread_page, opening)
        changes = [change_of(event, view, pending.known) for event in events]
        for since in sweeps:
            changes += swept_changes(view, since, pending.known, {change.part_id for change in changes})
        swept = any(since or pending.known for since in sweeps)  # else nothing of the thread was told
        return Reading(tuple(changes), remember(view, pending.known, events, changes, swept=swept))

    def _read_document(self, document_id: str, events: list[Event], pending: Pending, http: Http) -> Reading:
        """A document's own event names no thread: it is a change of each thread that the document is linked to.

        One that is only attached to a post has none to name: its file stands alone, internal by default.
        """
        document = fetch(http, reading("document", f"/documents/{segment(document_id)}"))
        if document is None:
            return Reading(tuple(unattached(event, self.client_id) for event in events), pending.known)
        changes: list[Change] = []
        for thread_id in document.get("thread_ids") or ():
            thread = fetch(http, reading("thread", f"/threads/{segment(thread_id)}"))
            if thread is not None:
                view = View(thread, {}, {document_id: document}, {}, self.client_id, self.root_url, self.thread_page)
                changes += [change_of(event, view, {}, per_thread=True) for event in events]
        return Reading(tuple(changes or self._alone(document, events)), pending.known)

    def _alone(self, document: Mapping[str, Any], events: list[Event]) -> list[Change]:
        file = file_of(document, shown=False, root_url=self.root_url)
        kept = [unattached(event, self.client_id) for event in events]
        return [structs.replace(change, kind=ChangeKind.FILE, files=(file,)) for change in kept]


def _split(signals: tuple[Signal, ...]) -> tuple[list[str | None], list[Event]]:
    """The sweeps' begin times (one is enough: the earliest reaches furthest back), and the events in feed order."""
    sweeps: list[str | None] = []
    events: list[Event] = []
    for signal in signals:
        sweep = _sweep_of(signal.raw)
        if sweep is None:
            events.append(parse_event(signal.raw))
        else:
            sweeps.append(sweep.get("since"))
    events.sort(key=lambda event: event.sequence)
    return sorted(sweeps, key=lambda since: since or "")[:1], events


def _sweep_of(raw: bytes) -> Mapping[str, Any] | None:
    try:
        body = json.loads(raw)
    except ValueError:
        return None  # parse_event refuses it with its own words
    sweep = body.get("sweep") if isinstance(body, dict) else None
    return sweep if isinstance(sweep, dict) else None


def _posts(http: Http, thread_id: str, events: list[Event], *, whole: bool) -> dict[str, dict[str, Any]]:
    """The posts by id, in the order of their sequence; only those that the events speak of unless `whole`."""
    wanted = dict.fromkeys(event.resource_id for event in events if event.resource_type == "post")
    if whole or len(wanted) > _FEW_POSTS:
        found = list(fetch_pages(http, "posts", f"/threads/{segment(thread_id)}/posts"))
    else:
        fetched = [fetch(http, reading("post", f"/posts/{segment(post_id)}")) for post_id in wanted]
        found = [post for post in fetched if post is not None]
    return {post["id"]: post for post in sorted(found, key=lambda post: int(post.get("sequence") or 0))}


def _opening_post(thread: Mapping[str, Any], posts: Mapping[str, Mapping[str, Any]]) -> str | None:
    """The first post, where the side that opened the thread wrote it: the other side's answer is news of its own."""
    first = next((post for post in posts.values() if post.get("sequence") == 1), None)
    if first is None:
        return None
    opener, author = (str((one or {}).get("type")) for one in (thread.get("created_by"), first.get("author")))
    return str(first["id"]) if (opener == "partner_user") == (author == "partner_user") else None


def _document_ids(events: list[Event], posts: Mapping[str, Mapping[str, Any]], *, whole: bool) -> dict[str, None]:
    """The documents that an event is about, and those attached to the posts that an event (or the sweep) is about."""
    ids = dict.fromkeys(event.resource_id for event in events if event.resource_type == "document")
    touched = {event.resource_id for event in events}
    opened = whole or any(event.type == "thread.created" for event in events)
    for post_id, post in posts.items():
        if opened or post_id in touched:
            ids.update(dict.fromkeys(item["document_id"] for item in post.get("attachments") or ()))
    return ids


def _documents(http: Http, ids: Mapping[str, None]) -> dict[str, dict[str, Any]]:
    fetched = {one: fetch(http, reading("document", f"/documents/{segment(one)}")) for one in ids}
    return {one: document for one, document in fetched.items() if document is not None}


def _partner(http: Http, thread: Mapping[str, Any]) -> dict[str, Any]:
    """The partner's profile, identifiers and contacts (flows.md G1); {} where it is not ours to see."""
    return fetch(http, reading("partner", f"/partners/{segment(str(thread.get('partner_id')))}")) or {}

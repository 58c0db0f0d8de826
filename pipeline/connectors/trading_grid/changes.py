"""An event and the thread as it was read, as one change in everybody's words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.connectors.trading_grid.vocabulary import CLOSED_STATES, NAME, THREAD
from pipeline.connectors.trading_grid.wire import (
    Event,
    Json,
    author_of,
    bound_of,
    file_of,
    is_for_partner,
    marks_of,
    parse_time,
    references_of,
    text_of,
)
from schemas.change import Change, ChangeKind, ObjectRef, Snapshot
from schemas.content import Author, File, Side, Text

_EXTRA = ("visibility", "severity", "awaiting_reason", "milestone", "reason", "discrepancies", "dispute", "sla",
          "resolution", "workspace_id", "onboarding_case_id", "related_thread_ids", "participants", "tags",
          "legal_hold", "post_count", "reopen_count", "create_time", "transaction_references")  # fmt: skip
_PARTNER_FIELDS = ("id", "name", "legal_name", "roles", "tier", "country", "identifiers", "contacts")
_FILE_EVENTS = frozenset(
    {"document.created", "document.linked", "document.shared", "document.version_added", "document.scan_completed"}
)


@dataclass(frozen=True)
class View:
    """A thread with as many of its posts and documents as the events needed."""

    thread: Json
    posts: Mapping[str, Json]
    documents: Mapping[str, Json]
    partner: Json
    client_id: str
    root_url: str
    thread_page: str
    opening: str | None = None  # id of the post that was told together with the thread's opening

    @property
    def first_post(self) -> Json:
        return next((post for post in self.posts.values() if post.get("sequence") == 1), {})

    @property
    def snapshot(self) -> Snapshot:
        """The thread in our words; `extra` keeps what only Trading Grid's flows know."""
        thread, thread_id = self.thread, str(self.thread["id"])
        extra = {name: thread[name] for name in _EXTRA if thread.get(name) is not None}
        if self.partner:
            extra["partner"] = {name: self.partner[name] for name in _PARTNER_FIELDS if self.partner.get(name)}
        extra["url"] = self.thread_page.replace("{id}", thread_id)
        return Snapshot(
            ref=ObjectRef(NAME, THREAD, thread_id),
            title=str(thread.get("title") or ""),
            state=str(thread.get("state") or ""),
            partner_hint=thread.get("partner_id"),
            type=thread.get("type"),
            exception_type=thread.get("exception_type"),
            priority=thread.get("priority"),
            references=references_of(thread),
            url=extra["url"],
            revision=str(thread.get("revision")),
            updated_at=parse_time(str(thread["update_time"])) if thread.get("update_time") else None,
            closed=thread.get("state") in CLOSED_STATES,
            opened_by=author_of(thread.get("created_by") or {}, self.client_id),
            first_text=text_of(self.first_post, thread),
            files=tuple(self.file(one, shown=is_for_partner(thread)) for one in self.documents),
            bound=bound_of(thread),
            extra=extra,
        )

    def file(self, document_id: str, *, shown: bool) -> File:
        return file_of(self.documents[document_id], shown=shown, root_url=self.root_url)

    def files_of(self, post: Json) -> tuple[File, ...]:
        """The post's attachments that could be read, as visible as the post is."""
        shown = is_for_partner(post) and is_for_partner(self.thread)
        ids = [str(item.get("document_id")) for item in post.get("attachments") or ()]
        return tuple(self.file(one, shown=shown) for one in ids if one in self.documents)


@dataclass(frozen=True)
class Part:
    """What one event adds to the change beside its author, time and snapshot."""

    kind: ChangeKind
    details: dict[str, Any]
    text: Text | None = None
    part_id: str | None = None
    files: tuple[File, ...] = ()
    origin: Json | None = None


def change_of(event: Event, view: View, known: Mapping[str, Any], *, per_thread: bool = False) -> Change:
    """The change that an event of a thread stands for; `per_thread` keeps the threads of one document apart."""
    part = _PARTS.get(event.type, _other)(event, view, known)
    thread_id = view.snapshot.ref.external_id
    return Change(
        external_id=f"{event.id}:{thread_id}" if per_thread else event.id,
        kind=part.kind,
        at=event.at,
        author=author_of(event.actor, view.client_id),
        snapshot=view.snapshot,
        text=part.text,
        part_id=part.part_id,
        files=part.files,
        marks=marks_of(event.origin, part.origin),
        details={"event": event.type, "hop_count": int(event.origin.get("hop_count") or 0), **part.details},
    )


def said(post: Json, view: View) -> Part:
    """A post. The server's own lines (kind system) are of no interest to any flow."""
    details = {name: post[name] for name in ("sequence", "kind", "update_type", "decision", "commitment", "reply_to")
               if post.get(name) is not None}  # fmt: skip
    details["first"] = view.opening is not None and post.get("id") == view.opening
    details["redacted"] = post.get("redacted") is not None
    kind = ChangeKind.OTHER if post.get("kind") == "system" else ChangeKind.SAID
    return Part(kind, details, text_of(post, view.thread), str(post.get("id")), view.files_of(post), post.get("origin"))


def deleted(thread_id: str, events: Sequence[Event], client_id: str) -> Change:
    """The thread is gone, or no longer ours to see: one tombstone for all that was pending."""
    last = events[-1] if events else None
    snapshot = Snapshot(ObjectRef(NAME, THREAD, thread_id), partner_hint=last.partner_id if last else None, closed=True)
    at = last.at if last else parse_time("1970-01-01T00:00:00Z")
    author = author_of(last.actor, client_id) if last else Author(Side.SYSTEM)
    return Change(f"deleted:{thread_id}", ChangeKind.DELETED, at, author, snapshot)


def unattached(event: Event, client_id: str) -> Change:
    """An event about something that no thread is known to hold: kept with its facts."""
    ref = ObjectRef(NAME, event.resource_type, event.resource_id)
    snapshot = Snapshot(ref, partner_hint=event.partner_id, revision=str(event.revision), extra=dict(event.data))
    author, details = author_of(event.actor, client_id), {"event": event.type, **event.data}
    return Change(
        external_id=event.id,
        kind=ChangeKind.OTHER,
        at=event.at,
        author=author,
        snapshot=snapshot,
        part_id=event.resource_id,
        marks=marks_of(event.origin),
        details=details,
    )


def _opened(_event: Event, view: View, _known: Mapping[str, Any]) -> Part:
    first = view.first_post
    details = {"first_post_id": first.get("id")} if first else {}
    text = text_of(first, view.thread)
    return Part(ChangeKind.OPENED, details, text, files=view.files_of(first), origin=view.thread.get("origin"))


def _updated(event: Event, _view: View, _known: Mapping[str, Any]) -> Part:
    kind = ChangeKind.TITLE if "title" in event.changed_fields else ChangeKind.FIELDS
    return Part(kind, {"fields": list(event.changed_fields)})


def _moved(event: Event, view: View, known: Mapping[str, Any]) -> Part:
    """`data` holds "old and new state", the contract says no more: by these names, else as we know them."""
    thread, data = view.thread, event.data
    after = data.get("new_state") or thread.get("state")
    details = {"before": data.get("old_state") or known.get("state"), "after": after}
    details["awaiting_reason"] = data.get("awaiting_reason") or (
        thread.get("awaiting_reason") if after == thread.get("state") else None
    )
    return Part(ChangeKind.STATE, {**details, "reopened": event.type == "thread.reopened"})


def _said(event: Event, view: View, known: Mapping[str, Any]) -> Part:
    post = view.posts.get(event.resource_id)
    if post is None:
        return _missing(event, view, known)
    return said(post, view)


def _edited(event: Event, view: View, known: Mapping[str, Any]) -> Part:
    post = view.posts.get(event.resource_id)
    if post is None:
        return _missing(event, view, known)
    details = {"fields": list(event.changed_fields), "sequence": post.get("sequence"), "kind": post.get("kind")}
    return Part(ChangeKind.EDITED, details, text_of(post, view.thread), event.resource_id)


def _redacted(event: Event, _view: View, _known: Mapping[str, Any]) -> Part:
    return Part(ChangeKind.REDACTED, {}, part_id=event.resource_id)


def _missing(event: Event, _view: View, _known: Mapping[str, Any]) -> Part:
    """The post went between its event and our read: there is no text to carry, and the record says why."""
    return Part(ChangeKind.OTHER, {"missing": True}, part_id=event.resource_id)


def _file(event: Event, view: View, known: Mapping[str, Any]) -> Part:
    if event.resource_id not in view.documents:
        return _missing(event, view, known)
    shown = is_for_partner(view.thread) and event.visibility.value == "partner"
    file = view.file(event.resource_id, shown=shown)
    made_by = author_of(view.documents[event.resource_id].get("created_by") or {}, view.client_id)
    details = {
        "scan_completed": event.type == "document.scan_completed",
        "state": file.state.value,
        "ours": made_by.ours,  # its scan is told by the server, not by us: no echo by its author
    }
    return Part(ChangeKind.FILE, details, part_id=event.resource_id, files=(file,))


def _other(event: Event, _view: View, _known: Mapping[str, Any]) -> Part:
    details = {"data": dict(event.data), "resource": f"{event.resource_type}:{event.resource_id}"}
    return Part(ChangeKind.OTHER, details, part_id=event.resource_id)


_PARTS: Mapping[str, Callable[[Event, View, Mapping[str, Any]], Part]] = {
    "thread.created": _opened,
    "thread.updated": _updated,
    "thread.transaction_reference_added": _updated,
    "thread.state_changed": _moved,
    "thread.reopened": _moved,
    "post.created": _said,
    "post.updated": _edited,
    "post.redacted": _redacted,
    **dict.fromkeys(_FILE_EVENTS, _file),
}

"""A ticket's audits as changes: what was said, set, marked, merged or taken back (sheet 2.3)."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from pipeline.connectors.zendesk.settings import Options
from pipeline.connectors.zendesk.speech import said
from pipeline.connectors.zendesk.wire import Json, People, attachments, identifier, timestamp
from pipeline.errors import InvalidPayloadError
from schemas.change import Change, ChangeKind, Snapshot
from schemas.content import Author, File, Text, Visibility

NAMESPACE = "casebridge"  # our member of an audit's metadata.custom
_OURS = re.compile(r"([A-Z2-7]{8})(?:-\d{1,3})?")
_COMMENTS = ("Comment", "VoiceComment")
_STATE_FIELDS = ("status", "custom_status_id", "assignee_id", "group_id")
_KINDS = {"subject": ChangeKind.TITLE, "priority": ChangeKind.PRIORITY} | dict.fromkeys(_STATE_FIELDS, ChangeKind.STATE)
_MERGED_INTO = re.compile(r"(?:closed and )?merged into request #(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Draft:
    """One change before it is numbered."""

    kind: ChangeKind
    author: Author
    text: Text | None = None
    part_id: str | None = None
    files: tuple[File, ...] = ()
    marks: tuple[str, ...] = ()
    details: Json = field(default_factory=dict)


def marks_of(carrier: Json) -> tuple[str, ...]:
    """Our marks on an audit or a comment as written, with the part's number: `ABCD2345` or `ABCD2345-2`."""
    custom = (carrier.get("metadata") or {}).get("custom") or {}
    written = (custom.get(NAMESPACE) or {}).get("op") if isinstance(custom.get(NAMESPACE), dict) else None
    values = written if isinstance(written, list) else [written]
    return tuple(value for value in values if isinstance(value, str) and _OURS.fullmatch(value))


def changes(audit: Json, snapshot: Snapshot, people: People, options: Options) -> tuple[Change, ...]:
    """The audit's changes: `audit:ID` for the first, `audit:ID:2` and so on for the others of one audit."""
    number, at = identifier(audit.get("id")), timestamp(audit.get("created_at"))
    if number is None or at is None:
        raise InvalidPayloadError(f"found the audit {audit.get('id')!r} at {audit.get('created_at')!r}")
    drafts = list(_drafts(audit, people, options))
    return tuple(
        Change(
            external_id=f"audit:{number}" if place == 1 else f"audit:{number}:{place}",
            kind=draft.kind,
            at=at,
            author=draft.author,
            snapshot=snapshot,
            text=draft.text,
            part_id=draft.part_id or number,
            files=draft.files,
            marks=draft.marks,
            details={**draft.details, "audit_id": number},
        )
        for place, draft in enumerate(drafts, start=1)
    )


def tags_before(audit: Json, after: frozenset[str]) -> frozenset[str]:
    """The ticket's tags before this audit, `after` being those behind it."""
    for event in reversed([event for event in audit.get("events") or [] if isinstance(event, dict)]):
        if _tags(event):
            after = _tag_set(event.get("previous_value"))
    return after


def partner_comment(audit: Json, newest: Json | None, people: People, options: Options) -> Json | None:
    """The newest comment for the partner after this audit: {id, body, format, at}; a redacted one is forgotten."""
    for draft in _drafts(audit, people, options):
        if draft.kind is ChangeKind.SAID and draft.text and draft.text.visibility is Visibility.PARTNER:
            text = draft.text
            newest = {"id": draft.part_id, "body": text.body, "format": str(text.format), "at": audit["created_at"]}
        if draft.kind is ChangeKind.REDACTED and newest and draft.part_id == newest["id"]:
            newest = None
    return newest


def _drafts(audit: Json, people: People, options: Options) -> Iterator[Draft]:
    events = [event for event in audit.get("events") or [] if isinstance(event, dict)]
    author = people.author(audit.get("author_id"))
    marks = tuple(dict.fromkeys(mark[:8] for mark in marks_of(audit)))
    by_hand = [event for event in events if not _by_rule(event)]
    by_rule = [event for event in events if _by_rule(event)]
    yield from (replace(draft, marks=marks) for draft in _by_person(audit, by_hand, author, people, options))
    # What a trigger sets rides in the audit of whoever woke it: it is nobody's echo, so it carries no marks of ours.
    system = people.author(None)
    for event in by_rule:
        if event.get("type") in _COMMENTS:
            yield _comment({**event, "author_id": None}, {}, people, options)
    yield from _settings(by_rule, system, options)


def _by_person(audit: Json, events: list[Json], author: Author, people: People, options: Options) -> Iterator[Draft]:
    opened = any(event.get("type") == "Create" for event in events)
    if opened:
        yield Draft(ChangeKind.OPENED, author)
    for event in events:
        if event.get("type") in _COMMENTS:
            yield _comment(event, audit, people, options)
    into = _merged_into(audit, events)
    if into is not None:
        # First, and without the closing that is part of it: the case goes on at the surviving ticket.
        yield Draft(ChangeKind.MERGED, author, details={"into": into})
        events = [event for event in events if event.get("field_name") not in _STATE_FIELDS]
    yield from _settings([event for event in events if event.get("type") != "Create" or _tags(event)], author, options)
    for event in events:
        yield from _taken_back(event, author)


def _comment(event: Json, audit: Json, people: People, options: Options) -> Draft:
    author = people.author(event.get("author_id") or audit.get("author_id"), updater_id=audit.get("author_id"))
    text = said(event, author, options.partner_comment_prefix)
    return Draft(
        ChangeKind.SAID,
        author,
        text=text,
        part_id=identifier(event.get("id")),
        files=attachments(event, text.visibility),
        details={"public": event.get("public") is not False},
    )


def _settings(events: list[Json], author: Author, options: Options) -> Iterator[Draft]:
    """One change for each kind of setting that moved, and one for each mark that came or went."""
    moved: dict[ChangeKind, Json] = {}
    for event in events:
        name = str(event.get("field_name") or "")
        if event.get("type") not in ("Change", "Create") or not name or _tags(event):
            continue
        kind, key = _kind(name, options)
        if kind is not None:
            moved.setdefault(kind, {})[key] = event.get("value")
    for kind in (ChangeKind.TITLE, ChangeKind.PRIORITY, ChangeKind.FIELDS, ChangeKind.STATE):
        if kind in moved:
            yield Draft(kind, author, details={"fields": moved[kind], **_state_details(moved[kind])})
    for event in filter(_tags, events):
        yield from _marked(event, author, options)


def _state_details(values: Json) -> Json:
    """The status as it was set, or the fact that only the assigned person changed."""
    if "status" in values:
        return {"after": str(values["status"] or "").lower()}
    return {"assigned": True} if "assignee_id" in values else {}


def _kind(name: str, options: Options) -> tuple[ChangeKind | None, str]:
    purpose = next((purpose for purpose, number in options.fields.items() if str(number) == name), None)
    if purpose is not None:
        return ChangeKind.FIELDS, purpose
    if name in ("type", "organization_id", "problem_id"):
        return ChangeKind.FIELDS, name
    return _KINDS.get(name), name


def _marked(event: Json, author: Author, options: Options) -> Iterator[Draft]:
    now, before = _tag_set(event.get("value")), _tag_set(event.get("previous_value"))
    for mark, tag in (("escalate", options.escalate_tag), ("onboarding", options.onboarding_tag)):
        if (tag in now) != (tag in before):
            kind = ChangeKind.MARKED if tag in now else ChangeKind.UNMARKED
            yield Draft(kind, author, details={"mark": mark, "tag": tag})


def _taken_back(event: Json, author: Author) -> Iterator[Draft]:
    comment = identifier(event.get("comment_id"))
    kind = str(event.get("type"))
    if kind == "CommentPrivacyChange" and event.get("public") is not True:
        yield Draft(ChangeKind.NARROWED, author, part_id=comment)
    elif kind == "CommentRedactionEvent":
        yield Draft(ChangeKind.REDACTED, author, part_id=comment)
    elif kind == "AttachmentRedactionEvent":
        file = identifier(event.get("attachment_id"))
        yield Draft(ChangeKind.REDACTED, author, part_id=file, details={"comment_id": comment, "attachment_id": file})


def _merged_into(audit: Json, events: Iterable[Json]) -> str | None:
    """The surviving ticket's id: told by the audit's `via`, else by the sentence that Zendesk writes on a merge."""
    source = (audit.get("via") or {}).get("source") or {}
    if source.get("rel") == "merge":
        target = identifier((source.get("to") or {}).get("ticket_id"))
        if target is not None:
            return target
    for event in events:
        matched = _MERGED_INTO.search(str(event.get("plain_body") or event.get("body") or ""))
        if matched and event.get("type") == "Comment" and (source.get("rel") == "merge" or _closes(events)):
            return matched[1]
    return None


def _closes(events: Iterable[Json]) -> bool:
    return any(event.get("field_name") == "status" and event.get("value") == "closed" for event in events)


def _by_rule(event: Json) -> bool:
    return ((event.get("via") or {}).get("channel")) == "rule"


def _tags(event: Json) -> bool:
    return event.get("field_name") == "tags" and event.get("type") in ("Change", "Create")


def _tag_set(value: Any) -> frozenset[str]:
    if isinstance(value, str):
        return frozenset(value.split())
    return frozenset(str(tag) for tag in value) if isinstance(value, list) else frozenset()

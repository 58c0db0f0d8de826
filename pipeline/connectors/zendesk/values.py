"""What a ticket should become, as the keys to write; empty where it is so already (compare before write)."""

from collections.abc import Mapping
from typing import Any

from pipeline.connector import Facts, Work
from pipeline.connectors.zendesk import texts
from pipeline.connectors.zendesk.requests import private
from pipeline.connectors.zendesk.settings import Options
from pipeline.connectors.zendesk.wire import REFERENCES, Json, purposes, word
from pipeline.domain.reason import Reason
from pipeline.domain.text import to_plain
from pipeline.errors import PermanentError
from schemas.content import Reference, Text
from schemas.operation import Comment, Create, Fields, State, Title

PRIORITIES = ("low", "normal", "high", "urgent")
TYPES = ("problem", "incident", "question", "task")


def ticket_in(facts: Facts) -> Json:
    """The ticket as the facts hold it; empty where it was not read."""
    found = (facts.get("ticket") or {}).get("ticket")
    return found if isinstance(found, dict) else {}


def external_id(operation: Create, work: Work) -> str:
    """What a created ticket is found by: the object that it mirrors, else the mark of the delivery."""
    return operation.origin or f"casebridge:{work.mark}"


def new_ticket(operation: Create, work: Work, options: Options) -> Json:
    """A ticket with a private first comment. No organization: Zendesk refuses one that is not the requester's."""
    made: Json = {
        "subject": subject(operation.title),
        "external_id": external_id(operation, work),
        "comment": private(first_bodies(operation)[0]),
        "custom_fields": _custom_fields(operation, options),
    }
    if operation.priority in PRIORITIES:
        made["priority"] = operation.priority
    if operation.type in TYPES:
        made["type"] = operation.type
    if options.group is not None:
        made["group_id"] = options.group
    return made


def subject(title: Text) -> str:
    """A title as one line; placeholders in it would be expanded like those of a comment."""
    return texts.harmless(" ".join(to_plain(title).split()))[:255]


def state(operation: State, ticket: Json, options: Options) -> Json:
    """The status to set. A solved ticket opens again only where the configuration says so, a closed one never."""
    wanted = options.statuses.get(operation.state)
    if wanted is None:
        detail = f"`zendesk.statuses` has no line for {operation.state!r}"
        raise PermanentError(Reason.UNMAPPED_STATUS, detail)
    now = word(ticket.get("status"))
    if wanted == "new" and now not in (None, "new"):
        wanted = "open"  # Zendesk never goes back to new
    if now == wanted or (now == "closed" and wanted == "solved"):
        return {}
    stays = now == "closed" or (now == "solved" and not options.reopen_solved)
    if stays and operation.details.get("by_partner"):
        return {}  # the words with which a partner reopens the thread are told; on a closed one by a follow-up (Z2.1)
    if now == "closed":
        raise PermanentError(Reason.TARGET_CLOSED, f"the ticket is closed, {wanted} was to be set")
    if now == "solved" and not options.reopen_solved:
        raise PermanentError(Reason.TRANSITION_REFUSED, f"solved -> {wanted}, but `reopen_solved` is off")
    return {"status": wanted}


def title(operation: Title, ticket: Json) -> Json:
    """The subject to set: only while the ticket still shows the previous one, so that nobody's wording is lost."""
    wanted, now = subject(operation.title), ticket.get("subject")
    overtaken = operation.previous is not None and now is not None and now != operation.previous
    return {} if now == wanted or overtaken else {"subject": wanted}


def fields(operation: Fields, ticket: Json, options: Options) -> Json:
    """The ticket fields to set, by purpose; `priority` is the one that needs no id."""
    wanted = dict(operation.values)
    made: Json = {}
    if "priority" in wanted:
        priority = word(wanted.pop("priority"))
        if priority not in PRIORITIES:
            raise PermanentError(Reason.UNMAPPED_VALUE, f"priority {priority!r}, expected one of {PRIORITIES}")
        if word(ticket.get("priority")) != priority:
            made["priority"] = priority
    unknown = sorted(set(wanted) - set(options.fields))
    if unknown:
        raise PermanentError(Reason.UNMAPPED_VALUE, f"`zendesk.fields` has no line for {', '.join(unknown)}")
    now = purposes(ticket, options)
    rows = [
        {"id": options.fields[name], "value": value} for name, value in wanted.items() if not _same(now[name], value)
    ]
    return {**made, "custom_fields": rows} if rows else made


def update_field(comment: Comment, options: Options) -> Json:
    """The field that a typed update fills: `details["value"]`, or the one number that its text holds.

    A text with several numbers or none fills nothing: the note arrives all the same and an agent decides.
    """
    purpose = options.update_fields.get(comment.update_type or "")
    value = comment.details.get("value") if purpose else None
    if purpose and value is None:
        value = texts.only_number(to_plain(comment.text))
    return {"custom_fields": [{"id": options.fields[purpose], "value": value}]} if purpose and value is not None else {}


def first_bodies(operation: Create) -> list[str]:
    """The first comment of a new ticket, and what of it needs comments of its own."""
    lines = [texts.escape(to_plain(operation.title))]
    lines += [texts.escape(f"{ref.kind.replace('_', ' ')}: {ref.value}") for ref in operation.references]
    if operation.origin_url:
        lines.append(texts.anchor(f"Opened from {operation.origin}", operation.origin_url))
    head = texts.note(*lines)
    if operation.body is None:
        return [head]
    name = f"{operation.partner_name or operation.partner} (partner)"
    return texts.bodies(lambda part: head + texts.wrote(name, part), operation.body)


def _custom_fields(operation: Create, options: Options) -> list[Json]:
    values: dict[str, Any] = {"partner": _partner_value(operation), "exception_type": operation.exception_type}
    kinds: Mapping[str, Reference] = {ref.kind: ref for ref in reversed(operation.references)}
    values |= {purpose: kinds[kind].value for purpose, kind in REFERENCES.items() if kind in kinds}
    return [
        {"id": options.fields[name], "value": value}
        for name, value in values.items()
        if name in options.fields and value is not None
    ]


def _partner_value(operation: Create) -> str:
    """How the field `partner` names the partner: its own value where configured, else its one id, else key."""
    known = operation.partner_id
    if isinstance(known, Mapping):
        known = known.get("partner") or next(iter(known.values()), None)
    return str(known) if known else operation.partner


def _same(now: Any, wanted: Any) -> bool:
    """Fields come back as text, whatever type was written; unset and empty are one."""
    return now == wanted or str("" if now is None else now) == str("" if wanted is None else wanted)

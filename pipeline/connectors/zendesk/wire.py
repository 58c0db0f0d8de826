"""Zendesk's ticket, user and attachment JSON as records of ours; unknown members are ignored."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pipeline.connectors.zendesk.settings import KIND, SYSTEM, Options
from pipeline.errors import InvalidPayloadError
from pipeline.plan import Answer
from schemas.change import ObjectRef, Snapshot
from schemas.content import Author, File, FileState, Reference, Side, Text, Visibility

Json = dict[str, Any]
REFERENCES = {  # purpose of a ticket field -> kind of reference
    "po_number": "purchase_order", "invoice_number": "invoice", "claim_number": "claim",
    "chargeback_number": "chargeback", "shipment_number": "shipment", "interchange": "interchange",
}  # fmt: skip
STAFF = ("agent", "admin")
_SCANS = {"malware_not_found": FileState.READY, "malware_found": FileState.QUARANTINED}


@dataclass(frozen=True)
class People:
    """Who is known: our own user and everybody met so far, by id."""

    me: str | None = None
    users: Mapping[str, Json] = field(default_factory=dict)

    def author(self, user_id: Any, *, updater_id: Any = None) -> Author:
        """Whose words these are. Somebody unknown counts as a customer: nothing of theirs may reach a partner.

        `updater_id` is who made the request (the audit's author): only that one says whether it was us.
        """
        number = identifier(user_id)
        updater = identifier(updater_id) if updater_id is not None else number
        if number is None:
            return Author(Side.SYSTEM, name="Zendesk")
        user = self.users.get(number, {})
        side = Side.HUB if user.get("role") in STAFF else Side.CUSTOMER
        ours = self.me is not None and updater == self.me
        return Author(side, external_id=number, name=str(user.get("name") or ""), ours=ours)

    def customers(self) -> list[str]:
        """The names of the end customers met on the ticket: they are taken out of what a partner reads (Z1.4)."""
        names = (user.get("name") for user in self.users.values() if user.get("role") not in STAFF)
        return sorted({str(name) for name in names if name})


@dataclass(frozen=True)
class Scene:
    """What a ticket's JSON is read with."""

    root_url: str
    options: Options
    people: People = field(default_factory=People)
    partner_comment: Json | None = None  # the newest comment for the partner: id, body, format, at
    revision: str | None = None


def parse(answer: Answer, member: str) -> Any:
    """One member of an answer's JSON object. Raises InvalidPayloadError when it is not there."""
    try:
        body = answer.json
    except ValueError as fault:
        raise InvalidPayloadError(f"found no JSON ({fault}), expected an object with {member!r}") from fault
    if not isinstance(body, dict) or member not in body:
        raise InvalidPayloadError(f"found {json.dumps(body)[:200]}, expected an object with {member!r}")
    return body[member]


def identifier(value: Any) -> str | None:
    """An id as text; Zendesk writes them as numbers or text, and 0, -1 or an empty text for none."""
    text = "" if isinstance(value, bool) or value is None else str(value).strip()
    return text if text.isascii() and text.isdigit() and int(text) > 0 else None


def timestamp(value: Any) -> datetime | None:
    """An aware time, or None where there is none."""
    if not isinstance(value, str) or not value:
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError as fault:
        raise InvalidPayloadError(f"found the time {value!r}, expected ISO 8601") from fault


def word(value: Any) -> str | None:
    """A status, priority or type in lower case: REST writes it so, webhooks in capitals."""
    return value.strip().lower() or None if isinstance(value, str) else None


def snapshot(ticket: Json, scene: Scene) -> Snapshot:
    """The ticket as every flow may see it. Raises InvalidPayloadError without an id."""
    number = identifier(ticket.get("id"))
    if number is None:
        raise InvalidPayloadError(f"found the ticket id {ticket.get('id')!r}, expected a whole number")
    values = purposes(ticket, scene.options)
    status = word(ticket.get("status")) or ""
    description = str(ticket.get("description") or "")
    external = ticket.get("external_id")
    return Snapshot(
        ref=ObjectRef(SYSTEM, KIND, number),
        title=str(ticket.get("subject") or ""),
        state=status,
        partner_hint=_partner(ticket, values),
        type=word(ticket.get("type")),
        exception_type=text_of(values.get("exception_type")),
        priority=word(ticket.get("priority")),
        references=_references(values),
        url=page(scene.root_url, number),
        revision=scene.revision,
        updated_at=timestamp(ticket.get("updated_at")),
        closed=status in ("closed", "deleted"),
        opened_by=scene.people.author(ticket.get("submitter_id")),
        first_text=Text(description) if description else None,
        bound=(str(external),) if external else (),
        extra=_extra(ticket, values, scene),
    )


def gone(number: str, scene: Scene) -> Snapshot:
    """What is left of a deleted ticket."""
    ref = ObjectRef(SYSTEM, KIND, number)
    return Snapshot(ref=ref, state="deleted", url=page(scene.root_url, number), closed=True, revision=scene.revision)


def page(root_url: str, number: str) -> str:
    """The ticket's page for agents."""
    return f"{root_url}/agent/tickets/{number}"


def purposes(ticket: Json, options: Options) -> dict[str, Any]:
    """The configured ticket fields by their purpose; an unset one is None."""
    rows = ticket.get("custom_fields") or ticket.get("fields") or []
    values = {identifier(row.get("id")): row.get("value") for row in rows if isinstance(row, dict)}
    return {purpose: values.get(str(number)) for purpose, number in options.fields.items()}


def attachments(comment: Json, visibility: Visibility) -> tuple[File, ...]:
    """A comment's files, in the comment's own visibility."""
    rows = comment.get("attachments") or []
    return tuple(attachment(row, visibility) for row in rows if isinstance(row, dict))


def attachment(row: Json, visibility: Visibility) -> File:
    """One file; unscanned counts as pending, infected as quarantined unless an administrator released it."""
    result = str(row.get("malware_scan_result") or "")
    state = _SCANS.get(result, FileState.PENDING_SCAN)
    if row.get("malware_access_override") is True:
        state = FileState.READY
    return File(
        external_id=identifier(row.get("id")) or "",
        name=str(row.get("file_name") or "unnamed"),
        content_type=str(row.get("content_type") or "application/octet-stream"),
        size=int(row.get("size") or 0),
        visibility=visibility,
        state=state,
        url=row.get("content_url") or None,
    )


def _partner(ticket: Json, values: Mapping[str, Any]) -> str | None:
    return text_of(values.get("partner")) or identifier(ticket.get("organization_id"))


def _references(values: Mapping[str, Any]) -> tuple[Reference, ...]:
    line = text_of(values.get("po_line"))
    found = ((kind, text_of(values.get(purpose))) for purpose, kind in REFERENCES.items())
    return tuple(
        Reference(kind, value, line if kind == "purchase_order" else None) for kind, value in found if value is not None
    )


def _extra(ticket: Json, values: dict[str, Any], scene: Scene) -> Json:
    return {
        "organization_id": identifier(ticket.get("organization_id")),
        "requester_id": identifier(ticket.get("requester_id")),
        "assignee_id": identifier(ticket.get("assignee_id")),
        "group_id": identifier(ticket.get("group_id")),
        "custom_status_id": identifier(ticket.get("custom_status_id")),
        "priority": word(ticket.get("priority")),
        "status": word(ticket.get("status")),
        "tags": [str(tag) for tag in ticket.get("tags") or []],
        "fields": values,
        "partner_description": text_of(values.get("partner_description")),
        "partner_comments": [scene.partner_comment] if scene.partner_comment else [],
        "is_public": ticket.get("is_public"),
        "via": word((ticket.get("via") or {}).get("channel")),
        "problem_id": identifier(ticket.get("problem_id")),
        "customer_names": scene.people.customers(),
    }


def text_of(value: Any) -> str | None:
    """A field's value as written; blanks count as unset."""
    if value is None or isinstance(value, bool | list | dict):
        return None
    return str(value) if str(value).strip() else None

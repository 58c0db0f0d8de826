"""Tickets: create, update, tags, merge, delete; the same functions serve the API and the person pages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from . import attachments, comments, data, fields
from .account import Account, Ticket, wire_time
from .action import Action
from .actor import Actor
from .data import JsonObject
from .errors import closed, invalid, must_be, not_found, update_conflict

MERGED_TAG = "closed_by_merge"
_PERMITTED = {
    *fields.SETTABLE,
    "comment",
    "description",
    "custom_fields",
    "fields",
    "tags",
    "metadata",
    "requester",
    "submitter_id",
    "safe_update",
    "updated_stamp",
    "via_followup_source_id",
    "email_ccs",
    "followers",
    "collaborators",
    "collaborator_ids",
    "additional_collaborators",
    "assignee_email",
    "via_id",
    "id",
}


def find(account: Account, ticket_id: int) -> Ticket:
    """A ticket that can be seen; raises ApiError 404."""
    ticket = account.tickets.get(ticket_id)
    if ticket is None or ticket.deleted:
        raise not_found()
    return ticket


def unpermitted(wanted: JsonObject) -> list[str]:
    """The keys that are dropped without an error."""
    return [name for name in wanted if name not in _PERMITTED]


def create(account: Account, actor: Actor, wanted: JsonObject) -> tuple[Ticket, JsonObject]:
    """Create a ticket with its first comment; returns it with its audit.

    Raises ApiError 422 without a comment, for an organization that is not the requester's, for a follow-up
    of a ticket that is not closed; 400 and 422 for values that are not valid.
    """
    comment = comments.wanted_comment(wanted)
    fields.check(account, wanted)
    comments.check(account, None, comment)
    if not comments.asked_text(comment).strip():
        raise invalid("base", "Description: cannot be blank")
    source = _followup_source(account, wanted)
    requester, organization_id = _requester(account, actor, wanted)
    ticket = Ticket(_blank(account, actor, wanted), followup_source_id=source.id if source else None)
    account.tickets[ticket.id] = ticket
    action = Action(account, ticket, actor, _custom(wanted))
    ticket.wire["created_at"] = action.at
    asked = {"requester_id": requester["id"], "organization_id": organization_id}
    _fill(action, {**wanted, **asked}, comment, source)
    audit = action.commit()
    if source is not None:
        source.wire["followup_ids"].append(ticket.id)
        account.mark_changed(source)
    return ticket, audit


def update(account: Account, actor: Actor, ticket: Ticket, wanted: JsonObject) -> JsonObject:
    """Change a ticket, add a comment; returns the audit, whose events are empty if nothing changed.

    Raises ApiError 409 for a safe update with another stamp than `updated_at` (`safe_update: false` checks
    as well), 422 on a closed ticket, 400 and 422 for values that are not valid.
    """
    comment = comments.wanted_comment({key: wanted[key] for key in ("comment",) if key in wanted})
    fields.check(account, wanted)
    check_stamp(ticket, wanted)
    if ticket.wire["status"] == "closed":
        raise closed()
    if comments.asked_text(comment).strip():
        comments.check(account, ticket, comment)
    _check_new_organization(account, ticket, wanted)
    action = Action(account, ticket, actor, _custom(wanted))
    comments.add(action, comment)
    _apply(action, wanted)
    return action.commit()


def check_stamp(ticket: Ticket, wanted: JsonObject) -> None:
    """Collision guard: any `safe_update` key, true or false, makes `updated_stamp` count."""
    if "safe_update" in wanted and _seconds(wanted.get("updated_stamp")) != ticket.wire["updated_at"]:
        raise update_conflict()


def set_tags(account: Account, actor: Actor, ticket: Ticket, tags: list[str]) -> list[str]:
    """Replace the tags of an open ticket; returns them."""
    if ticket.wire["status"] == "closed":
        raise closed()
    action = Action(account, ticket, actor)
    fields.set_tags(action, tags)
    action.commit()
    return list(ticket.wire["tags"])


def delete(account: Account, actor: Actor, ticket: Ticket) -> None:
    """Delete softly: 404 from now on, status `deleted` in the export."""
    old = ticket.wire["status"]
    ticket.wire["status"] = "deleted"
    action = Action(account, ticket, actor)
    action.event("Change", field_name="status", value="deleted", previous_value=old)
    action.tell("soft_deleted", {})
    action.note("ticket_deleted", old=old)
    action.commit()


def merge(account: Account, actor: Actor, target: Ticket, sources: list[Ticket], wanted: JsonObject) -> None:
    """Merge tickets into one: each source is closed and tagged, the target gets a comment with its last words.

    Comments that a merge makes are private unless asked otherwise; the source's files are copied. The target's
    new comment is newer than its `updated_at`, as integrators report: only the export's timestamp moves.
    """
    for source in sources:
        note = wanted.get("target_comment") or (
            f'Request #{source.id} "{source.wire["subject"]}" was closed and merged into this request. '
            f"Last comment in request #{source.id}: {source.comments[-1]['body']}"
        )
        reached = Action(account, target, actor)
        comments.add(
            reached,
            {
                "body": note,
                "public": bool(wanted.get("target_comment_is_public", False)),
                "uploads": [attachments.copies(account, source.comments).token],
            },
        )
        reached.commit(touch=False)
        left = Action(account, source, actor)
        said = wanted.get("source_comment") or f"This request was closed and merged into request #{target.id}."
        comments.add(left, {"body": said, "public": bool(wanted.get("source_comment_is_public", False))})
        fields.set_tags(left, [*source.wire["tags"], MERGED_TAG])
        fields.set_status(left, "closed")
        left.tell("merged", {"target_ticket_id": str(target.id)})
        left.note("ticket_merged", target_ticket_id=target.id)
        left.commit()


def shown(ticket: Ticket, *, generated: bool = False) -> JsonObject:
    """A ticket as create, show and update answer it: `fields` repeats `custom_fields`."""
    more = {"generated_timestamp": ticket.generated_at} if generated else {}
    return {**ticket.wire, "fields": ticket.wire["custom_fields"], **more}


def _seconds(stamp: object) -> str | None:
    """A stamp in any ISO form as the API shows times; None when it is no time."""
    try:
        return wire_time(datetime.fromisoformat(str(stamp)).astimezone(UTC))
    except ValueError:
        return None


def _fill(action: Action, wanted: JsonObject, comment: JsonObject, source: Ticket | None) -> None:
    wire = action.ticket.wire
    action.tell("created", {})
    author = comment.get("author_id") or wanted.get("submitter_id") or action.actor.id
    for name in ("subject", "requester_id"):
        fields.set_field(action, name, wanted.get(name))
    first = comments.add(action, {**comment, "author_id": author})
    wire["description"] = first["body"] if first else ""
    if wire["subject"] is None:
        wire["subject"] = wire["raw_subject"] = wire["description"][:80]
    inherited = {"tags": source.wire["tags"]} if source is not None and "tags" not in wanted else {}
    started = "open" if wanted.get("assignee_id") else "new"
    _apply(
        action,
        {"brand_id": data.BRAND_ID, "ticket_form_id": data.TICKET_FORM_ID, "status": started, **wanted, **inherited},
    )
    action.note_birth(
        "ticket_created",
        **{
            name: wire[name]
            for name in (
                "subject",
                "status",
                "priority",
                "type",
                "tags",
                "external_id",
                "requester_id",
                "organization_id",
                "custom_fields",
            )
        },
        followup_source_id=action.ticket.followup_source_id,
    )


def _apply(action: Action, wanted: JsonObject) -> None:
    """Everything but the comment, in one order."""
    for name in fields.SETTABLE:
        if name in wanted and name not in ("status", "custom_status_id"):
            fields.set_field(action, name, wanted[name])
    if isinstance(wanted.get("tags"), list):
        fields.set_tags(action, wanted["tags"])
    fields.set_custom(action, fields.custom_values(action.account, wanted))
    fields.set_status(action, wanted.get("status"), wanted.get("custom_status_id"))


def _requester(account: Account, actor: Actor, wanted: JsonObject) -> tuple[JsonObject, int | None]:
    """Who asks and for which organization; an unknown e-mail in `requester` makes a new end user."""
    asked = wanted.get("requester") or {}
    email = str(asked.get("email") or "").lower()
    if wanted.get("requester_id"):
        user = account.users[wanted["requester_id"]]
    elif email:
        known = account.user_by_email.get(email)
        user = account.users[known] if known else _new_user(account, actor, str(asked.get("name") or email), email)
    else:
        user = actor.user
    organization_id = wanted.get("organization_id", user["organization_id"])
    if organization_id not in (None, user["organization_id"]):
        raise invalid("organization", "Organization: is not one of the requester's organizations")
    return user, organization_id


def _new_user(account: Account, actor: Actor, name: str, email: str) -> JsonObject:
    user = account.add_user(name, email)
    account.kit.journal.record("user_created", str(user["id"]), by=actor.by, name=name, email=email)
    return user


def _check_new_organization(account: Account, ticket: Ticket, wanted: JsonObject) -> None:
    requester = account.users[wanted.get("requester_id") or ticket.wire["requester_id"]]
    if wanted.get("organization_id") not in (None, requester["organization_id"], ticket.wire["organization_id"]):
        raise invalid("organization", "Organization: is not one of the requester's organizations")


def _followup_source(account: Account, wanted: JsonObject) -> Ticket | None:
    number = wanted.get("via_followup_source_id")
    if number is None:
        return None
    if not isinstance(number, int):
        raise must_be("via_followup_source_id", "integer", "tickets")
    source = account.tickets.get(number)
    if source is None or source.wire["status"] != "closed":
        raise invalid("base", "Via followup source: the source ticket must be closed")
    return source


def _custom(wanted: JsonObject) -> JsonObject:
    metadata = wanted.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def _blank(account: Account, actor: Actor, wanted: JsonObject) -> JsonObject:
    """A ticket's every key before its fields are set."""
    number = account.next_ticket_id()
    empty: dict[str, Any] = dict.fromkeys(
        (
            "external_id",
            "created_at",
            "updated_at",
            "type",
            "subject",
            "raw_subject",
            "description",
            "priority",
            "status",
            "recipient",
            "requester_id",
            "assignee_id",
            "organization_id",
            "group_id",
            "forum_topic_id",
            "problem_id",
            "due_at",
            "custom_status_id",
            "ticket_form_id",
            "brand_id",
        )
    )
    via = actor.via
    if wanted.get("via_followup_source_id"):
        via["source"] = {
            "from": {"ticket_id": wanted["via_followup_source_id"], "channel": actor.channel},
            "to": {},
            "rel": "follow_up",
        }
    return {
        "url": f"{account.base_url}/api/v2/tickets/{number}.json",
        "id": number,
        "via": via,
        **empty,
        "submitter_id": wanted.get("submitter_id") or actor.id,
        "collaborator_ids": [],
        "follower_ids": [],
        "email_cc_ids": [],
        "has_incidents": False,
        "is_public": True,
        "tags": [],
        "custom_fields": [{"id": number, "value": None} for number in data.TICKET_FIELD_IDS],
        "satisfaction_rating": None,
        "sharing_agreement_ids": [],
        "followup_ids": [],
        "allow_channelback": False,
        "allow_attachments": True,
        "from_messaging_channel": False,
    }

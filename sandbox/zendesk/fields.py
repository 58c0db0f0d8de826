"""Setting a ticket's fields: validation, audit events with ids as text, webhook families."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import data
from .account import Account
from .action import Action
from .data import JsonObject
from .errors import invalid, must_be
from .webhooks import capitals, id_text

_FAMILIES = {
    "status": "status_changed",
    "custom_status_id": "custom_status_changed",
    "priority": "priority_changed",
    "type": "type_changed",
    "subject": "subject_changed",
    "requester_id": "requester_changed",
    "assignee_id": "agent_assignment_changed",
    "group_id": "group_assignment_changed",
    "organization_id": "organization_changed",
    "external_id": "external_id_changed",
    "problem_id": "problem_link_changed",
    "brand_id": "brand_changed",
    "ticket_form_id": "form_changed",
    "due_at": "task_due_at_changed",
}
_WORDS = {"status": data.STATUSES, "priority": data.PRIORITIES, "type": data.TYPES}
_IDS = (
    "requester_id",
    "assignee_id",
    "group_id",
    "organization_id",
    "problem_id",
    "brand_id",
    "ticket_form_id",
    "custom_status_id",
    "submitter_id",
)
SETTABLE = tuple(_FAMILIES)
_EFFECTS = {"status": "status_changed", "external_id": "external_id_changed"}


def check(account: Account, wanted: JsonObject) -> None:
    """Refuse values that are not valid before anything is changed.

    Raises ApiError 400 for an id that is not an integer, 422 for an unknown word or an unknown object.
    """
    for name in _IDS:
        if wanted.get(name) is not None and not _is_id(wanted[name]):
            raise must_be(name, "integer", "tickets")
    for name, words in _WORDS.items():
        if wanted.get(name) is not None and wanted[name] not in words:
            raise invalid(name, f"{name.capitalize()}: {wanted[name]} is not included in the list")
    if wanted.get("status") == "hold" and not account.settings.hold_enabled:
        raise invalid("status", "Status: hold is not included in the list")
    _check_known(account, wanted)
    custom_values(account, wanted)


def _check_known(account: Account, wanted: JsonObject) -> None:
    known: dict[str, Any] = {
        "requester_id": account.users,
        "submitter_id": account.users,
        "assignee_id": account.users,
        "organization_id": account.organizations,
        "group_id": {group["id"] for group in account.groups},
        "problem_id": account.tickets,
        "custom_status_id": {status["id"] for status in account.custom_statuses},
    }
    for name, place in known.items():
        if wanted.get(name) is not None and wanted[name] not in place:
            title = name.removesuffix("_id").replace("_", " ").capitalize()
            raise invalid(name.removesuffix("_id"), f"{title}: {wanted[name]} is invalid")
    assignee = account.users.get(wanted.get("assignee_id") or 0)
    if assignee is not None and assignee["role"] == "end-user":
        raise invalid("assignee", "Assignee: must be an agent")


def custom_values(account: Account, wanted: JsonObject) -> dict[int, str | None]:
    """The custom fields of a request, as list (`custom_fields`, old name `fields`) or mapping.

    Raises ApiError 400 for an id sent as text, 422 for a value that a drop-down does not offer.
    """
    asked = wanted.get("custom_fields", wanted.get("fields")) or []
    if not isinstance(asked, Mapping) and not all(isinstance(item, Mapping) for item in asked):
        raise must_be("custom_fields", "array of objects", "tickets")
    pairs = asked.items() if isinstance(asked, Mapping) else ((item.get("id"), item.get("value")) for item in asked)
    found: dict[int, str | None] = {}
    for number, value in pairs:
        if isinstance(asked, Mapping) and str(number).isdigit():
            number = int(number)  # noqa: PLW2901 -- a mapping's keys are always text in JSON
        if not _is_id(number):
            raise must_be("id", "integer", "tickets")
        if number in data.TICKET_FIELD_IDS:
            found[number] = None if value in (None, "") else str(value)
    _check_option(account, found.get(data.EXCEPTION_TYPE_FIELD))
    return found


def _check_option(account: Account, value: str | None) -> None:
    if value is not None and value not in data.EXCEPTION_TYPES:
        title = next(field["title"] for field in account.ticket_fields if field["id"] == data.EXCEPTION_TYPE_FIELD)
        raise invalid("base", f"{title}: {value} is not a valid option")


def set_field(action: Action, name: str, value: Any) -> None:
    """Set one system field, keeping status and custom status together."""
    wire = action.ticket.wire
    old = wire[name]
    if old == value:
        return
    wire[name] = value
    if name == "subject":
        wire["raw_subject"] = value
    _record(action, name, value, old)
    if name == "external_id":
        action.account.index_external_id(action.ticket, old)
    if not action.creating:
        action.tell(_FAMILIES[name], {"current": _told(name, value), "previous": _told(name, old)})
        action.note(_EFFECTS.get(name, "field_changed"), field=name, old=old, new=value)


def set_status(action: Action, status: str | None, custom_status_id: int | None = None) -> None:
    """Set the status category and the custom status that belongs to it; the more special one decides."""
    if custom_status_id is not None:
        status = next(
            item["status_category"] for item in action.account.custom_statuses if item["id"] == custom_status_id
        )
    elif status is not None:
        same = status == action.ticket.wire["status"] and not action.creating
        custom_status_id = action.ticket.wire["custom_status_id"] if same else data.DEFAULT_STATUS_IDS[status]
    if status is not None:
        set_field(action, "status", status)
        set_field(action, "custom_status_id", custom_status_id)


def set_custom(action: Action, values: dict[int, str | None]) -> None:
    """Set custom fields; a drop-down's value is written into the tags as well."""
    for item in action.ticket.wire["custom_fields"]:
        number, old = item["id"], item["value"]
        if number not in values or values[number] == old:
            continue
        item["value"] = value = values[number]
        _record(action, str(number), value, old)
        _tell_custom(action, number, value, old)
        if number == data.EXCEPTION_TYPE_FIELD:
            kept = [tag for tag in action.ticket.wire["tags"] if tag != old]
            set_tags(action, [*kept, *([value] if value else [])], from_field=True)


def set_tags(action: Action, wanted: list[str], *, from_field: bool = False) -> None:
    """Replace the whole set of tags; a drop-down whose tag disappears loses its value."""
    wire = action.ticket.wire
    old, new = wire["tags"], sorted({str(tag).strip().lower() for tag in wanted if str(tag).strip()})
    if new == old:
        return
    wire["tags"] = new
    _record(action, "tags", new, old)
    added, removed = sorted(set(new) - set(old)), sorted(set(old) - set(new))
    action.tell("tags_changed", {"tags_added": added, "tags_removed": removed})
    if not action.creating:
        action.note("tags_changed", added=added, removed=removed, tags=new)
    if not from_field:
        _follow_tags(action, new)


def _follow_tags(action: Action, tags: list[str]) -> None:
    chosen = next((tag for tag in tags if tag in data.EXCEPTION_TYPES), None)
    for item in action.ticket.wire["custom_fields"]:
        if item["id"] == data.EXCEPTION_TYPE_FIELD and item["value"] not in (None, *tags):
            old, item["value"] = item["value"], chosen
            _record(action, str(item["id"]), chosen, old)
            _tell_custom(action, item["id"], chosen, old)


def _tell_custom(action: Action, number: int, value: str | None, old: str | None) -> None:
    field = next(field for field in action.account.ticket_fields if field["id"] == number)
    action.tell(
        "custom_field_changed",
        {
            "custom_field": {"id": str(number), "title": field["title"], "type": field["type"].upper()},
            "current": value,
            "previous": old,
        },
    )
    if not action.creating:
        action.note("field_changed", field=field["title"], field_id=number, old=old, new=value)


def _record(action: Action, name: str, value: Any, old: Any) -> None:
    facts: JsonObject = {"field_name": name, "value": _audited(value)}
    if action.creating:
        action.event("Create", **facts)
    else:
        action.event("Change", **facts, previous_value=_audited(old))


def _audited(value: Any) -> Any:
    """Numbers become text in audit events, null stays null."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _told(name: str, value: Any) -> Any:
    if name in _WORDS:
        return capitals(value)
    return id_text(value) if name.endswith("_id") and name != "external_id" else value


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)

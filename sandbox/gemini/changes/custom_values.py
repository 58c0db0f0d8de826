"""Custom values: one row an item and field, written apart from the item."""

from __future__ import annotations

from typing import Any

from sandbox.gemini import data
from sandbox.gemini.errors import RefusedError
from sandbox.gemini.fields import CUSTOM, text, whole
from sandbox.gemini.model import Actor, CustomValue, Item
from sandbox.gemini.site import Site

from .history import audit

Json = dict[str, Any]


def create_value(site: Site, actor: Actor, item: Item, body: Json) -> CustomValue:
    """Store the first value of a field; raises RefusedError when the field has a row already."""
    field_id = _field(item, body)
    if field_id in item.custom:
        raise RefusedError(400, f"Custom field {field_id} of item {item.id} has a value already")
    return _write(site, actor, item, field_id, body)


def replace_value(site: Site, actor: Actor, item: Item, body: Json) -> CustomValue:
    """Replace a value by its row id; without one, by item and field, where the site takes that."""
    field_id = _field(item, body)
    row_id = whole(body.get("Id") or 0, "Id")
    row = item.custom.get(field_id)
    if row_id == 0 and not site.settings.custom_put_without_id:
        raise RefusedError(400, "Id of the custom field data is required")
    if row_id != 0 and (row is None or row.id != row_id):
        raise RefusedError(404, f"There is no custom field data {row_id} on item {item.id}")
    return _write(site, actor, item, field_id, body)


def set_value(site: Site, actor: Actor, item: Item, field_id: int, value: str) -> CustomValue:
    """Store a text, whether or not the field has a row, as the site's own pages do."""
    return _write(site, actor, item, field_id, {"Data": value})


def _field(item: Item, body: Json) -> int:
    if whole(body.get("IssueId", 0), "IssueId") != item.id:
        raise RefusedError(400, f"IssueId {body.get('IssueId')!r} is not the item of the path, {item.id}")
    field_id = whole(body.get("CustomFieldId", 0), "CustomFieldId")
    if field_id not in data.CUSTOM_FIELDS:
        raise RefusedError(400, f"There is no custom field {field_id}")
    return field_id


def _write(site: Site, actor: Actor, item: Item, field_id: int, body: Json) -> CustomValue:
    now = site.now()
    value = text(body.get("Data"), "Data")
    number = _number(body.get("NumericData"))
    row = item.custom.get(field_id)
    if row is None:
        row = item.custom[field_id] = CustomValue(site.next("row"), field_id, actor.user.id, now, now)
    old = row.data or ""
    row.data, row.numeric, row.date = value, number, text(body.get("DateData"), "DateData") or None
    row.user_id, row.revised = actor.user.id, now
    site.touch(item, actor.user)
    name = data.CUSTOM_FIELDS[field_id]
    audit(site, item, actor, CUSTOM, name, before=old, after=value, is_custom=True)
    site.kit.journal.record(
        "custom_value_set",
        str(row.id),
        by=actor.by,
        parent=str(item.id),
        field=name,
        field_id=field_id,
        old=old,
        new=value,
    )
    return row


def _number(value: object) -> float | None:
    if value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)):
        return value
    raise RefusedError(400, f"NumericData is not a number: {value!r}")

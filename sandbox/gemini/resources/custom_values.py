"""items/{id}/customfield/data and the definitions of custom fields."""

from __future__ import annotations

from typing import Any

from sandbox.gemini import data
from sandbox.gemini.changes.custom_values import create_value, replace_value
from sandbox.gemini.door import Call, Handler
from sandbox.gemini.dto import custom_entity
from sandbox.gemini.errors import RefusedError

Json = dict[str, Any]


def _create(call: Call) -> Json:
    item = call.item()
    row = create_value(call.site, call.actor, item, call.record())
    return custom_entity(call.site, item, row.field_id)


def _replace(call: Call) -> Json:
    item = call.item()
    row = replace_value(call.site, call.actor, item, call.record())
    return custom_entity(call.site, item, row.field_id)


def _definition(field_id: int) -> Json:
    name = data.CUSTOM_FIELDS[field_id]
    return {
        "BaseEntity": {
            "Id": field_id,
            "Name": name,
            "ScreenLabel": f"{name} (help desk)",
            "Type": "T",
            "ScreenDescription": "",
            "ScreenTooltip": "",
            "TemplateId": data.HELP,
        }
    }


def _definitions(call: Call) -> list[Json]:  # noqa: ARG001 -- the list is the same for everybody
    return [_definition(field_id) for field_id in data.CUSTOM_FIELDS]


def _one_definition(call: Call) -> Json:
    field_id = call.number("field_id")
    if field_id not in data.CUSTOM_FIELDS:
        raise RefusedError(404, f"There is no custom field {field_id}")
    return _definition(field_id)


TABLE: list[tuple[str, dict[str, Handler]]] = [
    ("/items/{item_id:int}/customfield/data", {"POST": _create, "PUT": _replace}),
    ("/customfields", {"GET": _definitions}),
    ("/customfields/{field_id:int}", {"GET": _one_definition}),
]

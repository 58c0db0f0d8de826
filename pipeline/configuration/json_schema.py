"""The JSON Schema (2020-12) of casebridge.yaml for editors, made from the marshmallow schemas that load it."""

from collections.abc import Mapping
from typing import Any

import marshmallow
from marshmallow import Schema, fields, validate

from pipeline.configuration.expected import AnyField
from pipeline.connector import Connector
from schemas.config import config_schema

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TYPES: tuple[tuple[type[AnyField], str], ...] = (
    (fields.Boolean, "boolean"),
    (fields.Integer, "integer"),
    (fields.Number, "number"),
    (fields.String, "string"),
)


def json_schema(connectors: Mapping[str, Connector]) -> dict[str, Any]:
    """What an editor checks while casebridge.yaml is written; `casebridge check` sees more than it can say."""
    schema = config_schema(
        {name: connector.section for name, connector in connectors.items()},
        {name: connector.title for name, connector in connectors.items()},
    )
    result = {"$schema": DIALECT, "title": "casebridge.yaml", **_object(schema)}
    # A section may be left out where all its keys have defaults; the loader reads it as an empty one.
    result["required"] += [name for name in connectors if "required" in result["properties"][name]]
    return result


def _object(schema: Schema) -> dict[str, Any]:
    members = {field.data_key or name: field for name, field in schema.load_fields.items()}
    required = [name for name, field in members.items() if field.required]
    return {
        "type": "object",
        "properties": {name: _field(field) for name, field in members.items()},
        "additionalProperties": False,
        **({"required": required} if required else {}),
    }


def _field(field: AnyField) -> dict[str, Any]:
    result = _shape(field)
    for validator in field.validators:
        result |= _constraint(validator)
    if field.allow_none:
        result = {"anyOf": [result, {"type": "null"}]}
    if "description" in field.metadata:
        result = {"description": field.metadata["description"], **result}
    return result | _default(field)


def _shape(field: AnyField) -> dict[str, Any]:
    if (own := getattr(field, "json_schema", None)) is not None:
        return dict(own())
    if isinstance(field, fields.Nested):
        return _object(field.schema)
    if isinstance(field, fields.List):
        return {"type": "array", "items": _field(field.inner)}
    if isinstance(field, fields.Dict):
        return _map(field)
    return next(({"type": name} for kind, name in _TYPES if isinstance(field, kind)), {})


def _map(field: fields.Dict) -> dict[str, Any]:
    result: dict[str, Any] = {"type": "object"}
    if field.key_field is not None and (names := _names(field.key_field)):
        result["propertyNames"] = names
    if field.value_field is not None:
        result["additionalProperties"] = _field(field.value_field)
    return result


def _names(field: AnyField) -> dict[str, Any]:
    return {key: value for key, value in _field(field).items() if key not in {"type", "default"}}


def _constraint(validator: Any) -> dict[str, Any]:
    match validator:
        case validate.OneOf():
            return {"enum": list(validator.choices)}
        case validate.Range():
            return _given({"minimum": validator.min, "maximum": validator.max})
        case validate.Length():
            return _given({"minLength": validator.min, "maxLength": validator.max})
        case validate.Regexp():
            pattern = str(validator.regex.pattern)
            return {"pattern": pattern if pattern.startswith("^") else f"^(?:{pattern})"}  # Python matches at the start
    return {}


def _given(limits: dict[str, Any]) -> dict[str, Any]:
    return {name: limit for name, limit in limits.items() if limit is not None}


def _default(field: AnyField) -> dict[str, Any]:
    default = field.load_default() if callable(field.load_default) else field.load_default
    return {} if default is marshmallow.missing else {"default": default}

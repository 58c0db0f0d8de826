"""What a marshmallow field wants, in words for people; the JSON Schema says the same to editors."""

from collections.abc import Iterator
from typing import Any

from marshmallow import Schema, fields, validate

AnyField = fields.Field[Any]


def expected(field: AnyField | Schema | None) -> str:
    """A phrase that can stand after "expected"."""
    if isinstance(field, Schema):
        return f"a mapping with the keys {', '.join(names_of(field))}"
    if field is None:
        return "another value"
    own = getattr(field, "expected", None)
    return str(own or _choice(field) or " ".join([_kind(field), *_limits(field)]))


def names_of(schema: Schema) -> list[str]:
    """The keys that a schema knows, as they are written."""
    return [field.data_key or name for name, field in schema.load_fields.items()]


def _kind(field: AnyField) -> str:
    match field:
        case fields.Boolean():
            return "true or false"
        case fields.Integer():
            return "a whole number"
        case fields.Number():
            return "a number"
        case fields.String():
            return "text"
        case fields.List():
            return f"a list, each entry of it {expected(field.inner)}"
        case fields.Dict():
            return f"a mapping of names to {expected(field.value_field)}" if field.value_field else "a mapping"
        case fields.Nested():
            return expected(field.schema)
    return "another value"


def _choice(field: AnyField) -> str:
    choices = [str(one) for check in field.validators if isinstance(check, validate.OneOf) for one in check.choices]
    return f"one of {', '.join(choices)}" if len(choices) > 1 else "".join(choices)


def _limits(field: AnyField) -> Iterator[str]:
    for validator in field.validators:
        match validator:
            case validate.Range():
                yield _between(validator.min, validator.max)
            case validate.Length():
                yield f"{_between(validator.min, validator.max)} characters"


def _between(low: Any, high: Any) -> str:
    if low is None or high is None:
        return f"of at least {low}" if high is None else f"of at most {high}"
    return f"of {low} to {high}"

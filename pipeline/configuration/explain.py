"""Marshmallow's nested errors as problems with line, path, what was found and what to write instead."""

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import Schema, fields

from pipeline.configuration.expected import AnyField, expected, names_of
from pipeline.configuration.yaml_text import Document, Path, dotted
from pipeline.errors import Problem

LONGEST_FOUND = 80  # characters
CLOSE = 0.7  # of 1: two letters swapped or one missing in a short word
_OWN_WORDS = re.compile(r"found (?P<found>.*), expected (?P<expected>.*)", re.DOTALL)
_STANDARD = re.compile(  # marshmallow's own sentences; what the field wants is said better by `expected`
    r"Not a valid|Missing data|Field may not|Must be|Shorter than|Longer than|Length must|Number too|Special numeric"
    r"|Invalid|Unknown field|String does not match|found another value"
)

Place = AnyField | Schema | None  # where in the schema an error stands


def problems(errors: Any, schema: Schema, document: Document) -> Iterator[Problem]:
    """One problem for each message of a marshmallow ValidationError."""
    yield from _walk(errors, schema, (), document)


def _walk(errors: Any, place: Place, path: Path, document: Document) -> Iterator[Problem]:
    if not isinstance(errors, Mapping):
        for message in errors if isinstance(errors, list) else [errors]:
            yield _problem(str(message), place, path, document)
        return
    place = place.schema if isinstance(place, fields.Nested) else place
    for key, inner in errors.items():
        if key == "_schema":
            yield from _walk(inner, place, path, document)
        elif isinstance(place, fields.Dict):
            yield from _of_map(inner, place, (*path, key), document)
        elif isinstance(place, Schema) and not isinstance(key, int):
            yield from _of_member(inner, place, (*path, key), document)
        else:
            yield from _walk(inner, place.inner if isinstance(place, fields.List) else None, (*path, key), document)


def _of_map(errors: Any, place: fields.Dict, path: Path, document: Document) -> Iterator[Problem]:
    """A map's errors say whether its key or its value is wrong."""
    for half, inner in errors.items():
        if half == "value":
            yield from _walk(inner, place.value_field, path, document)
        else:
            yield from (_of_key(str(message), place, path, document) for message in inner)


def _of_key(message: str, place: fields.Dict, path: Path, document: Document) -> Problem:
    _, wanted = _words(message, place.key_field)
    return document.problem(path, f"the key {dotted(path)}", wanted)


def _of_member(errors: Any, schema: Schema, path: Path, document: Document) -> Iterator[Problem]:
    members = {field.data_key or name: field for name, field in schema.load_fields.items()}
    key = str(path[-1])
    if key in members:
        yield from _walk(errors, members[key], path, document)
    elif key in schema.load_fields:  # named by its attribute, where a validator of the whole schema raised it
        renamed = schema.load_fields[key].data_key or key
        yield from _walk(errors, schema.load_fields[key], (*path[:-1], renamed), document)
    else:
        yield document.problem(path, f"the unknown key {dotted(path)}", _did_you_mean(key, names_of(schema)))


def _did_you_mean(key: str, known: list[str]) -> str:
    by_lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(key.lower(), by_lower, 1, CLOSE)
    listed = ", ".join(known)
    return f"{by_lower[near[0]]} (did you mean that?); known here: {listed}" if near else f"one of {listed}"


def _problem(message: str, place: Place, path: Path, document: Document) -> Problem:
    found, wanted = _words(message, place)
    try:
        value = document.value(path)
    except LookupError:
        return document.problem(path, f"{dotted(path)}: nothing", wanted)
    if not isinstance(value, dict | list) or found is None:
        found = shown(value)
    if wanted == "text" and isinstance(value, bool | int | float):
        wanted = f"{wanted}; as text it stands in quotes"
    return document.problem(path, f"{dotted(path)}: {_short(found)}", wanted)


def _words(message: str, place: Place) -> tuple[str | None, str]:
    """What the message itself says was found, if it does, and what it or the field expects."""
    if _STANDARD.match(message):
        return None, expected(place)
    if own := _OWN_WORDS.fullmatch(message):
        return own["found"], own["expected"]
    if message.startswith("expected "):
        return None, message.removeprefix("expected ")
    return None, message.rstrip(".")


def shown(value: Any) -> str:
    """A value as a person would point at it: `'twelve'`, `true`, `a list of 2`."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case dict():
            return f"a mapping with the keys {', '.join(value)}" if value else "an empty mapping"
        case list():
            return f"a list of {len(value)}"
    return repr(value)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_FOUND else f"{text[:LONGEST_FOUND]}..."

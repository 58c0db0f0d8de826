"""A small language for request bodies: each shape checks a decoded JSON value and collects what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from sandbox.trading_grid.problems import Problem

Errors = list[dict[str, str]]
Shape = Callable[[Any, str, Errors], None]


def _wrong(errors: Errors, pointer: str, code: str, detail: str) -> None:
    errors.append({"pointer": pointer, "code": code, "detail": detail})


def text(maximum: int = 1000, minimum: int = 0, pattern: str | None = None) -> Shape:
    """A string of `minimum` to `maximum` characters."""
    compiled = re.compile(pattern) if pattern else None

    def check(value: Any, pointer: str, errors: Errors) -> None:
        if not isinstance(value, str):
            _wrong(errors, pointer, "type", "must be a string")
        elif not minimum <= len(value) <= maximum:
            _wrong(errors, pointer, "length", f"must have {minimum} to {maximum} characters")
        elif compiled and not compiled.search(value):
            _wrong(errors, pointer, "pattern", f"must match {compiled.pattern}")

    return check


def choice(*words: str) -> Shape:
    """One of the words."""
    allowed = frozenset(words)

    def check(value: Any, pointer: str, errors: Errors) -> None:
        if not isinstance(value, str) or value not in allowed:
            _wrong(errors, pointer, "enum", f"must be one of {', '.join(words)}")

    return check


def integer(minimum: int, maximum: int, code: str = "range") -> Shape:
    """A whole number between the bounds; `code` names the refusal when it is out of them."""

    def check(value: Any, pointer: str, errors: Errors) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            _wrong(errors, pointer, "type", "must be an integer")
        elif not minimum <= value <= maximum:
            _wrong(errors, pointer, code, f"must be {minimum} to {maximum}")

    return check


def boolean(value: Any, pointer: str, errors: Errors) -> None:
    """true or false."""
    if not isinstance(value, bool):
        _wrong(errors, pointer, "type", "must be true or false")


def anything(value: Any, pointer: str, errors: Errors) -> None:
    """Any JSON value."""


def moment(value: Any, pointer: str, errors: Errors) -> None:
    """An RFC 3339 time with its offset."""
    try:
        parsed = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        _wrong(errors, pointer, "format", "must be an RFC 3339 time")
        return
    if parsed.tzinfo is None:
        _wrong(errors, pointer, "format", "must carry an offset")


def day(value: Any, pointer: str, errors: Errors) -> None:
    """A calendar date."""
    try:
        date.fromisoformat(value)
    except (TypeError, ValueError):
        _wrong(errors, pointer, "format", "must be a date")


def nullable(shape: Shape) -> Shape:
    """`shape` or null."""

    def check(value: Any, pointer: str, errors: Errors) -> None:
        if value is not None:
            shape(value, pointer, errors)

    return check


def array(item: Shape, maximum: int = 1000, minimum: int = 0, *, unique: bool = False) -> Shape:
    """A list of `item`."""

    def check(value: Any, pointer: str, errors: Errors) -> None:
        if not isinstance(value, list):
            _wrong(errors, pointer, "type", "must be a list")
            return
        if not minimum <= len(value) <= maximum:
            _wrong(errors, pointer, "length", f"must have {minimum} to {maximum} items")
        if unique and any(entry in value[:place] for place, entry in enumerate(value)):
            _wrong(errors, pointer, "unique", "must not repeat an item")
        for place, entry in enumerate(value):
            item(entry, f"{pointer}/{place}", errors)

    return check


def members(required: tuple[str, ...], minimum: int = 0, /, **shapes: Shape) -> Shape:
    """An object with exactly these members allowed, `required` ones present, at least `minimum` in all."""

    def check(value: Any, pointer: str, errors: Errors) -> None:
        if not isinstance(value, dict):
            _wrong(errors, pointer, "type", "must be an object")
            return
        if len(value) < minimum:
            _wrong(errors, pointer, "length", "must not be empty")
        for name in required:
            if name not in value:
                _wrong(errors, f"{pointer}/{name}", "required", "is required")
        for name, entry in value.items():
            shape = shapes.get(name)
            if shape is None:
                _wrong(errors, f"{pointer}/{name}", "unknown_member", "is not known")
            else:
                shape(entry, f"{pointer}/{name}", errors)

    return check


def scalars(value: Any, pointer: str, errors: Errors) -> None:
    """A flat object of strings, numbers, booleans and nulls, at most 50."""
    if not isinstance(value, dict) or len(value) > 50:
        _wrong(errors, pointer, "type", "must be an object of at most 50 members")
        return
    for name, entry in value.items():
        if isinstance(entry, (dict, list)):
            _wrong(errors, f"{pointer}/{name}", "type", "must be a plain value")


def require(shape: Shape, value: Any) -> None:
    """Raise 422 with every fault found; more than 8 hops is 422 hop_limit (schema Origin)."""
    errors: Errors = []
    shape(value, "", errors)
    if any(error["code"] == "hop_limit" for error in errors):
        raise Problem("hop_limit")
    if errors:
        raise Problem("validation_failed", errors=errors)

"""Fills the named slots of a plan from the answers that came before."""

import re
from typing import Any
from urllib.parse import quote

from pipeline.plan import Answer, Answers, Merge, Slot

_IN_TEXT = re.compile(r"\{\{([^{}.]+)\.([^{}]+)\}\}")  # str(Slot)


class EmptySlotError(Exception):
    """No earlier answer of this plan has the value that the next request needs."""


def fill(slot: Slot, answers: Answers) -> Any:
    """The value that a slot names, as the answer spells it. Raises EmptySlotError."""
    answer = answers.get(slot.step)
    if answer is None:
        raise EmptySlotError(f"no answer of step {slot.step} for {slot}")
    name = slot.path.removeprefix("header:")
    value = answer.headers.get(name.lower()) if name != slot.path else _walk(answer, slot)
    if value is None:
        raise EmptySlotError(f"the answer of step {slot.step} has no {slot.path}")
    return value


def fill_path(path: str, answers: Answers) -> str:
    """The path with its slots filled and quoted; a written-out slot cannot stand in quoted text by chance."""
    if "{{" not in path:
        return path
    return _IN_TEXT.sub(lambda found: quote(str(fill(Slot(found[1], found[2]), answers)), safe=""), path)


def fill_text(text: str, answers: Answers) -> str:
    """A query value or header: filled only if it is one slot and nothing else, so that people's words stay words."""
    found = _IN_TEXT.fullmatch(text)
    return str(fill(Slot(found[1], found[2]), answers)) if found and found[1] in answers else text


def merge(wanted: Merge, answers: Answers) -> dict[str, Any]:
    """The object of an earlier answer without its nulls, the changes laid over. Raises EmptySlotError."""
    found = fill(wanted.slot, answers)
    if not isinstance(found, dict):
        raise EmptySlotError(f"{wanted.slot} is no object that could be sent back changed")
    return {name: value for name, value in found.items() if value is not None} | dict(wanted.changes)


def _walk(answer: Answer, slot: Slot) -> Any:
    """Down the JSON answer by dots; a number steps into a list, no path at all means the whole."""
    try:
        value = answer.json
        for name in slot.path.split(".") if slot.path else ():
            value = value[int(name)] if isinstance(value, list) else value[name]
    except (ValueError, KeyError, IndexError, TypeError) as missing:
        raise EmptySlotError(f"the answer of step {slot.step} has no {slot.path}") from missing
    return value

"""How the product spells times, pipe lists and HTML: three spellings of time occur in one payload."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from .errors import RefusedError

_SCRIPT = re.compile(r"<(script|style|iframe|object)\b.*?(</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_HANDLER = re.compile(r"""\son\w+\s*=\s*("[^"]*"|'[^']*'|[^\s>]+)""", re.IGNORECASE)
_SCRIPT_LINK = re.compile(r"""(href|src)\s*=\s*(["']?)\s*javascript:[^"'>\s]*\2""", re.IGNORECASE)
_BLOCK = re.compile(r"<(p|div|ul|ol|table|pre|blockquote|h\d)\b", re.IGNORECASE)
_PIPES = re.compile(r"\|?(\d+(\|\d+)*)?\|?")


def with_offset(moment: datetime, *, fraction: bool = False) -> str:
    """`2015-03-17T12:11:33+00:00`, as items are recorded: whole seconds unless `fraction`."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds" if fraction else "seconds")


def with_z(moment: datetime) -> str:
    """`2015-03-17T12:11:38.8239906Z`, as comments and custom values come."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"


def without_zone(moment: datetime) -> str:
    """`2009-12-18T10:42:52`, as attachments, history and projects come (the API user's zone, here UTC)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def for_people(moment: datetime) -> str:
    """`17/03/2015 12:11:33`: the locale text that nobody should parse."""
    return moment.astimezone(UTC).strftime("%d/%m/%Y %H:%M:%S")


def pipes(ids: Iterable[int]) -> str:
    """`|1|5|`, or the empty string."""
    joined = "|".join(str(number) for number in ids)
    return f"|{joined}|" if joined else ""


def unpiped(text: str, name: str) -> list[int]:
    """The ids of a pipe list, with or without outer pipes; raises RefusedError for anything else."""
    if not _PIPES.fullmatch(text.strip()):
        raise RefusedError(400, f"{name} is not a list of ids between pipes: {text[:60]!r}")
    return [int(part) for part in text.strip().split("|") if part]


def sanitised(html: str, mode: str) -> str:
    """What the site stores of sent HTML: as it is, without scripts, or rewritten by the rich text editor."""
    if mode == "off":
        return html
    clean = _SCRIPT_LINK.sub(r"\1=\2#\2", _HANDLER.sub("", _SCRIPT.sub("", html)))
    if mode == "scripts":
        return clean
    for old, new in (("b", "strong"), ("i", "em")):
        clean = re.sub(rf"<(/?){old}>", rf"<\1{new}>", clean)
    clean = re.sub(r"<br\s*/?>", "<br />", clean).replace("\r\n", "\n")
    return clean if _BLOCK.search(clean) else f"<p>{clean}</p>"

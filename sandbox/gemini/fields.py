"""The writable members of an item: their empty values, how a body is read, and their history numbers."""

from __future__ import annotations

import re
from typing import Any

from .errors import RefusedError
from .model import EVERYONE
from .spelling import pipes, unpiped

EMPTY: dict[str, Any] = {
    "Title": "",
    "Description": "",
    "TypeId": 0,
    "StatusId": 0,
    "PriorityId": 0,
    "SeverityId": 0,
    "ResolutionId": 0,
    "ReportedBy": 0,
    "Visibility": EVERYONE,
    "Resources": "",
    "Components": "",
    "AffectedVersions": "",
    "Watchers": "",
    "FixedInVersionId": None,
    "ParentIssueId": None,
    "StartDate": None,
    "DueDate": None,
    "PercentComplete": 0,
    "EstimatedHours": 0,
    "EstimatedMinutes": 0,
    "Points": 0,
    "Votes": 0,
    "Tag1": "",
    "Tag2": "",
    "Tag3": "",
    "OriginatorType": 0,
    "OriginatorReply": 0,
    "OriginatorData": "",
}
"""What a member becomes when a PUT leaves it out: the product stores the whole entity as it was sent."""

PIPE_LISTS = frozenset({"Resources", "Components", "AffectedVersions", "Watchers"})
DATES = frozenset({"StartDate", "DueDate"})
NULLABLE = frozenset({"FixedInVersionId", "ParentIssueId"})

ATTRIBUTES = {
    "Description": 2,
    "Title": 3,
    "SeverityId": 4,
    "Visibility": 5,
    "ReportedBy": 6,
    "Resources": 7,
    "TypeId": 8,
    "PriorityId": 9,
    "StatusId": 10,
    "ResolutionId": 11,
    "FixedInVersionId": 12,
    "Components": 13,
    "PercentComplete": 14,
    "EstimatedHours": 15,
    "EstimatedMinutes": 15,
    "StartDate": 16,
    "DueDate": 17,
    "Votes": 22,
    "AffectedVersions": 23,
    "OriginatorData": 24,
    "Watchers": 35,
    "ParentIssueId": 40,
    "Points": 42,
}
COMMENTS, FILES, LINKS, CUSTOM = 36, 38, 39, 43

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d{1,7})?(Z|[+-]\d{2}:\d{2})?)?")
_WHOLE = re.compile(r"-?\d+")


def whole(value: object, name: str) -> int:
    """An id or number, sent as integer or as text of one; raises RefusedError."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    raise RefusedError(400, f"{name} is not a whole number: {value!r}")


def text(value: object, name: str) -> str:
    """A text; null counts as empty; raises RefusedError."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise RefusedError(400, f"{name} is not a text: {value!r}")
    return value


def read(body: dict[str, Any]) -> dict[str, Any]:
    """The writable members that the body holds, checked and in stored form; raises RefusedError."""
    return {name: _value(name, body[name]) for name in EMPTY if name in body}


def _value(name: str, value: object) -> Any:
    if name in PIPE_LISTS:
        return pipes(unpiped(text(value, name), name))
    if name in DATES:
        given = text(value, name)
        if given and not _DATE.fullmatch(given):
            raise RefusedError(400, f"{name} is not an ISO date: {given!r}")
        return given or None
    if name in NULLABLE and value is None:
        return None
    return text(value, name) if isinstance(EMPTY[name], str) else whole(value, name)

"""What a Gemini site holds: items with comments, files, custom values and history; people and groups."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

EVERYONE = 1


@dataclass(slots=True)
class User:
    """A person (or the integration) who can log in; `groups` are ids of user groups."""

    id: int
    username: str
    fullname: str
    api_key: str
    groups: frozenset[int]


ANONYMOUS = User(0, "anonymous", "Anonymous", "", frozenset({EVERYONE}))


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something: the user, and how the journal names the doer (`api:anna`, `resolver:anna`)."""

    user: User
    by: str


@dataclass(slots=True)
class Comment:
    """A comment; `visibility` is the id of the one user group that may read it."""

    id: int
    user: User
    text: str
    visibility: int
    created: datetime
    revised: datetime
    is_closing: bool = False
    originator_type: int = 0
    originator_data: str = ""
    encoded: str = ""  # the comment's JSON, made at need and dropped at each change


@dataclass(slots=True)
class File:
    """An attachment; `comment_id` ties it to a comment, whose readers are then its readers."""

    id: int
    name: str
    content_type: str
    content: bytes
    user: User
    created: datetime
    comment_id: int | None = None


@dataclass(slots=True)
class CustomValue:
    """One row of a custom field's data."""

    id: int
    field_id: int
    user_id: int
    created: datetime
    revised: datetime
    data: str | None = None
    numeric: float | None = None
    date: str | None = None


@dataclass(frozen=True, slots=True)
class Audit:
    """One row of an item's history; `attribute` is the number of what changed."""

    id: int
    user: User
    attribute: int
    field: str
    created: datetime
    before: str = ""
    after: str = ""
    id_before: str = ""
    id_after: str = ""
    is_custom: bool = False


@dataclass(slots=True)
class Item:
    """An item: `fields` are the members that a PUT replaces as a whole, the rest is the server's."""

    id: int
    project_id: int
    fields: dict[str, Any]
    creator: User
    reviser: User
    created: datetime
    revised: datetime
    closed: datetime | None = None
    resolved: datetime | None = None
    version: int = 0
    comments: dict[int, Comment] = field(default_factory=dict)
    files: dict[int, File] = field(default_factory=dict)
    custom: dict[int, CustomValue] = field(default_factory=dict)
    history: list[Audit] = field(default_factory=list)
    links: list[dict[str, int]] = field(default_factory=list)
    children: list[int] = field(default_factory=list)
    encoded: dict[frozenset[int], str] = field(default_factory=dict)  # JSON by the reader's groups

"""Records of the site as the reader holds them: instants in UTC, ids the site's numbers."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Comment:
    """A comment; `visibility` None (missing or unreadable) counts as internal."""

    id: int
    user_id: int | None
    author: str
    markup: str
    visibility: int | None
    created: datetime
    revised: datetime | None
    attachment_ids: tuple[int, ...]


@dataclass(frozen=True)
class Attachment:
    """A file on the item; `size` in bytes, 0 where the site does not say."""

    id: int
    name: str
    content_type: str
    size: int
    comment_id: int | None
    created: datetime


@dataclass(frozen=True)
class Audit:
    """One row of the history. `user_id` None: the site itself, a rule or an event app."""

    id: int
    user_id: int | None
    author: str
    attribute: int
    field: str
    before: str
    after: str
    is_custom: bool
    created: datetime


@dataclass(frozen=True)
class CustomValue:
    """A custom field's value on the item; `row_id` 0 while it has never been written."""

    field_id: int
    name: str
    title: str
    row_id: int
    data: str
    shown: str


@dataclass(frozen=True)
class Item:
    """An item with what hangs on it; `comments` and `attachments` None where the answer did not carry them."""

    id: int
    key: str
    project: int
    title: str
    description: str
    status: str
    type: str
    priority: str
    closed: bool
    creator_id: int | None
    creator: str
    created: datetime
    revised: datetime
    due: datetime | None
    parent_id: int | None
    assigned: bool
    originator: str
    tag: str
    comments: tuple[Comment, ...] | None
    attachments: tuple[Attachment, ...] | None
    custom: tuple[CustomValue, ...]


@dataclass(frozen=True)
class Seen:
    """What a poll needs of a search answer: the item, its Revised, and a print of all that the answer shows."""

    id: int
    revised: datetime | None
    print: str

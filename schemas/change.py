"""Changes: one new thing at a source, with what its object looked like when it was read (decisions D1)."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from schemas.content import Author, File, Reference, Text


class ObjectRef(Struct, frozen=True):
    """An object of a connected system: `thread thr_1`, `ticket 35`, `item 389`."""

    system: str
    kind: str
    external_id: str

    def __str__(self) -> str:
        return f"{self.system}:{self.kind}:{self.external_id}"


class ChangeKind(StrEnum):
    """What happened, in words that no single system owns."""

    OPENED = "opened"  # the object came into being
    SAID = "said"  # a post, comment or note
    EDITED = "edited"  # a post or comment got a new text
    REDACTED = "redacted"  # a post or comment lost its text
    NARROWED = "narrowed"  # a text that partners could see became internal
    STATE = "state"  # the object's status or its assigned person changed
    TITLE = "title"
    PRIORITY = "priority"
    FIELDS = "fields"  # other mapped fields; names in `details["fields"]`
    MARKED = "marked"  # a person asked for something: details["mark"]
    UNMARKED = "unmarked"
    FILE = "file"  # a file was added or its scan ended
    MERGED = "merged"  # details["into"] names the surviving object's id
    DELETED = "deleted"
    REFUSED = "refused"  # what it was to create elsewhere was refused for good: flow, target, partner, reason
    OTHER = "other"  # understood as a change, of no interest to any flow


class Snapshot(Struct, frozen=True):
    """The source object as it was read: the context that every flow may use, already in our words.

    `state` is the source's own label or value; mapping it is the flow's work, by the configuration.
    `extra` holds what only one system's flows know, JSON values.
    """

    ref: ObjectRef
    title: str = ""
    state: str = ""
    partner_hint: str | None = None  # how the source names the partner: TG partner id, organization id, ...
    type: str | None = None
    exception_type: str | None = None
    priority: str | None = None
    references: tuple[Reference, ...] = ()
    url: str | None = None
    revision: str | None = None  # monotonic per object where the source has one
    updated_at: datetime | None = None
    closed: bool = False
    opened_by: Author | None = None
    first_text: Text | None = None
    files: tuple[File, ...] = ()
    bound: tuple[str, ...] = ()  # our marks or external references found on the object
    extra: dict[str, Any] = field(default_factory=dict)


class Change(Struct, frozen=True):
    """One new thing at one source object; `external_id` is unique at the source and never reused."""

    external_id: str
    kind: ChangeKind
    at: datetime
    author: Author
    snapshot: Snapshot
    text: Text | None = None
    part_id: str | None = None  # id of the post, comment or attachment that this is about
    files: tuple[File, ...] = ()
    marks: tuple[str, ...] = ()  # casebridge's own marks found on this change
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def ref(self) -> ObjectRef:
        return self.snapshot.ref

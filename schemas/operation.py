"""Operations: what casebridge wants a target to become, in words that no single system owns."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from schemas.content import Author, File, Reference, Text


class OperationKind(StrEnum):
    """The kinds of D6: what a dead one does to its lane follows from the kind."""

    CREATE = "create"
    BIND = "bind"
    COMMENT = "comment"
    STATE = "state"
    TITLE = "title"
    FIELDS = "fields"
    REDACT = "redact"
    FILE = "file"


class Operation(Struct, frozen=True, tag_field="kind", kw_only=True):
    """What all operations share: `link_id` is the bound (or planned) object that this one acts on."""

    link_id: int = 0


class Create(Operation, frozen=True, tag=OperationKind.CREATE.value, kw_only=True):
    """Open the case's object at the target. `object_kind` is the target's word: item, thread, ticket."""

    object_kind: str
    title: Text
    body: Text | None = None
    partner: str
    partner_name: str = ""
    partner_id: Any = None  # the partner as the target knows it, from the configuration
    author: Author | None = None
    type: str | None = None
    exception_type: str | None = None
    priority: str | None = None
    references: tuple[Reference, ...] = ()
    origin_url: str | None = None
    origin: str = ""  # str(ObjectRef) of what this object mirrors; the target's external reference
    details: dict[str, Any] = field(default_factory=dict)


class Bind(Operation, frozen=True, tag=OperationKind.BIND.value, kw_only=True):
    """Write the counterpart's identity onto the object; the counterpart is another link of the case."""

    counterpart_link_id: int


class Comment(Operation, frozen=True, tag=OperationKind.COMMENT.value, kw_only=True):
    """Say something on the object. The text's visibility decides the audience at the target."""

    text: Text
    author: Author
    at: datetime | None = None
    origin: str = ""  # str(ObjectRef) + part id, for redactions and look-ups
    update_type: str | None = None
    files: tuple[File, ...] = ()
    note: bool = False  # casebridge itself speaks (a question to an agent, a conflict, a late line)
    details: dict[str, Any] = field(default_factory=dict)


class State(Operation, frozen=True, tag=OperationKind.STATE.value, kw_only=True):
    """Bring the object to a milestone of flows.md's state map (Trading Grid's names are the canonical ones)."""

    state: str
    awaiting_reason: str | None = None
    label: str | None = None  # partner-facing label of the milestone
    public_note: Text | None = None
    resolution: Text | None = None
    reason: str | None = None
    details: dict[str, Any] = field(default_factory=dict)


class Title(Operation, frozen=True, tag=OperationKind.TITLE.value, kw_only=True):
    """Set the object's title."""

    title: Text
    previous: str | None = None  # written only while the target still shows this one


class Fields(Operation, frozen=True, tag=OperationKind.FIELDS.value, kw_only=True):
    """Set mapped fields to absolute values; names are the purposes known to the target's connector."""

    values: dict[str, Any]


class Redact(Operation, frozen=True, tag=OperationKind.REDACT.value, kw_only=True):
    """Take the text of one part (comment, post) away; `origin` names the redacted part at its source."""

    origin: str


class Attach(Operation, frozen=True, tag=OperationKind.FILE.value, kw_only=True):
    """Put one file onto the object; `stored` is its sha256 in casebridge's document store, None = link only."""

    file: File
    stored: str | None = None
    text: Text | None = None


AnyOperation = Create | Bind | Comment | State | Title | Fields | Redact | Attach


def kind_of(operation: AnyOperation) -> OperationKind:
    """The operation's kind, as its row in the ledger names it."""
    tag = operation.__struct_config__.tag
    return OperationKind(str(tag))

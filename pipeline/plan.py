"""Plans: ordered HTTP requests with named slots, made by pure writers and sent by one executor (design.md 4)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pipeline.domain.reason import Reason
from schemas.change import ObjectRef


@dataclass(frozen=True)
class Slot:
    """A value that only an earlier answer of the same plan can give: `Slot("upload", "upload.token")`.

    `step` names the request, `path` walks its JSON answer by dots; a path beginning with `header:` names a header.
    """

    step: str
    path: str

    def __str__(self) -> str:
        return f"{{{{{self.step}.{self.path}}}}}"


@dataclass(frozen=True)
class Merge:
    """The object that an earlier answer holds at `slot`, some members replaced: a full PUT after a full PUT.

    The executor fills it: members that are null there are left out (null is what a missing member means), then
    `changes` are laid over. Filled when the request is about to be sent, like every slot.
    """

    slot: Slot
    changes: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.slot} with {dict(self.changes)}"


@dataclass(frozen=True)
class Stored:
    """A body that lies in the document store: streamed, never held in memory whole.

    As a request's whole body it is sent raw. As a value inside a JSON body it needs `encode="base64"` and becomes a
    JSON string (Gemini's uploads); the executor streams the encoding.
    """

    sha256: str
    size: int
    encode: str = "raw"


@dataclass(frozen=True)
class Request:
    """One HTTP request. `path` is relative to the system's base URL; slots may stand in path, headers and body.

    `reads` is true for what changes nothing, whatever its method (Gemini searches by POST).
    """

    step: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str | Slot], ...] = ()
    body: Any = None  # JSON value (with slots, Merge, Stored), or Stored; None = no body
    reads: bool = False
    root: bool = False  # path is relative to the system's root instead of its API base
    deadline_seconds: float | None = None  # None: the class's deadline of decisions D11
    keeps_seconds: float = 0.0  # reads only: an answer may be used again for so long (labels, our own user)


@dataclass(frozen=True)
class Plan:
    """What will be sent, in this order. An empty plan means: nothing to write (already so)."""

    system: str
    requests: tuple[Request, ...] = ()
    by_hand: str = ""  # what a person must do because the system has no call for it (connect)

    def __bool__(self) -> bool:
        return bool(self.requests)


@dataclass(frozen=True)
class Answer:
    """What came back. Header names are lower case; `elapsed_seconds` includes reading the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    elapsed_seconds: float = 0.0

    @property
    def json(self) -> Any:
        """The parsed body; raises ValueError when it is no JSON (an HTML log-in page, say)."""
        return json.loads(self.body)


Answers = Mapping[str, Answer]


class Verdict(StrEnum):
    """What an answer means for the delivery (reliability.md 3.4)."""

    DONE = "done"
    ALREADY = "already"  # nothing was written because it is so already; counts as done
    AGAIN = "again"  # known to have had no effect; read the facts anew and plan again (409, 412, closed ticket)
    RETRY = "retry"  # later, by the schedule or by retry_after
    AUTH = "auth"  # the log-in is refused: the target is paused, attempts are not burnt
    UNKNOWN = "unknown"  # may have happened: only the look-up may go on
    DEAD = "dead"  # a person is needed


@dataclass(frozen=True)
class Outcome:
    """A judged answer. `learned` is handed to the next plan as facts when the verdict is AGAIN."""

    verdict: Verdict
    reason: Reason = Reason.DELIVERED
    detail: str = ""
    retry_after_seconds: float | None = None
    learned: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Receipt:
    """What a delivery left at its target: recorded in the same commit that settles it.

    `parts` are (kind, external id) pairs that may come back as echoes: comment, audit, post, history.
    `bound` is the object that a create made or found; `url` is its page for people.
    `closed_link_ids` end as tombstones or closed bindings: a follow-up took their place, or the object is gone.
    """

    parts: tuple[tuple[str, str], ...] = ()
    bound: ObjectRef | None = None
    url: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    closed_link_ids: tuple[int, ...] = ()

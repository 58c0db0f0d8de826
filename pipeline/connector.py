"""The socket: what a connected system offers (decisions D16). The core knows these names and no system's."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from marshmallow import Schema

from pipeline.config import Config, Partner
from pipeline.plan import Answer, Answers, Outcome, Plan, Receipt, Request
from schemas.change import Change, ObjectRef
from schemas.content import File
from schemas.operation import AnyOperation

Headers = Mapping[str, str]  # lower-case names


@dataclass(frozen=True)
class Signal:
    """'Object X may have changed.' `object` None means: run the poll now (a thin feed is the truth)."""

    key: str  # unique per source; a repeat is the same signal
    object: str | None
    raw: bytes = b""
    position: int | None = None  # the source's own order within the object, where it has one


@dataclass(frozen=True)
class Page:
    """One page of a poll: signals in source order, the cursor after them, and whether more waits right now."""

    signals: tuple[Signal, ...]
    cursor: Mapping[str, Any]
    more: bool = False


@dataclass(frozen=True)
class Pending:
    """What the ledger knows of an object before it is read: open signals, the last facts and changes seen."""

    object: str
    signals: tuple[Signal, ...]
    known: Mapping[str, Any]  # what the last reading returned as `known`; {} on the first


@dataclass(frozen=True)
class Reading:
    """What a reading found: new changes in source order, and what to remember for the next reading."""

    changes: tuple[Change, ...]
    known: Mapping[str, Any]


class SignatureError(Exception):
    """The signature is missing, wrong, stale or made with a secret that must not be used: 401."""


class UnreadableError(Exception):
    """Rightly signed but not understood: stored, answered 202, dead-lettered. `key` keeps repeats apart."""

    def __init__(self, key: str, detail: str) -> None:
        super().__init__(detail)
        self.key = key


class Http(Protocol):
    """How a reader calls out: GETs and declared reads only; raises pipeline.errors on anything but an answer."""

    def get(self, request: Request) -> Answer: ...


@dataclass(frozen=True)
class Content:
    """One way to a file's bytes: a read whose answer holds them, streamed.

    `url` is an address that the source told instead of a path of its API. `unpack` takes the bytes out of what is
    around them in the answer, piece by piece; it raises PermanentError where they are not in there.
    """

    request: Request
    url: str | None = None
    unpack: Callable[[Iterator[bytes]], Iterator[bytes]] | None = None


class Source(Protocol):
    """The reading half. Signals wake, readings tell; nothing in a webhook's body is believed."""

    def receive(self, headers: Headers, raw: bytes, now: datetime) -> Signal:
        """Verify over the raw bytes in constant time, then name the object. Raises SignatureError, UnreadableError."""
        ...

    def object_of(self, raw: bytes) -> str | None:
        """The object that a webhook's body names, unverified: for `explain` alone. Raises UnreadableError."""
        ...

    def start(self, http: Http) -> Mapping[str, Any]:
        """The first cursor: now, never the past (decisions D20)."""
        ...

    def poll(self, cursor: Mapping[str, Any], http: Http) -> Page: ...

    def read(self, pending: Pending, http: Http) -> Reading: ...

    def recheck(self, change: Change, http: Http) -> bool:
        """Whether the change's text is still for partners at its source right now (decisions D9)."""
        ...

    def content(self, ref: ObjectRef, file: File) -> Sequence[Content]:
        """The ways to the bytes of a file of this object, the best first; none where there is none (pure)."""
        ...


@dataclass(frozen=True)
class Link:
    """A binding: this case <-> that object. `external_id` None means planned: its create has not settled yet."""

    id: int
    system: str
    kind: str
    external_id: str | None
    state: str = "bound"  # planned, bound, closed, gone
    url: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    replaced_by: int | None = None  # the link that carries a closed object's work on

    @property
    def slot(self) -> str:
        """The id, or its name while the object does not exist yet (shown by `explain`, never sent)."""
        return self.external_id if self.external_id is not None else f"{{{{{self.system}.{self.kind}}}}}"


@dataclass(frozen=True)
class Work:
    """One delivery as a writer sees it. Its mark is the same for every revision of its plan."""

    operation: AnyOperation
    delivery_id: int
    idem_key: str
    mark: str
    links: Mapping[int, Link]
    config: Config
    partner: Partner | None
    parts: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)  # origin -> parts left here by us
    late: bool = False  # requeued after others went ahead: the text says when it was written
    since: datetime | None = None  # when the delivery was recorded: a look-up need not search further back

    @property
    def link(self) -> Link:
        return self.links[self.operation.link_id]


Facts = Mapping[str, Any]  # step -> parsed answer of the facts plan, plus what an AGAIN outcome learned


class Target(Protocol):
    """The writing half: everything here is pure; the executor sends."""

    def facts(self, work: Work) -> Plan:
        """Reads that the plan depends on (compare before write); usually empty."""
        ...

    def plan(self, work: Work, facts: Facts) -> Plan:
        """The writes. Empty: already so. Raises PermanentError where it must not be sent."""
        ...

    def find(self, work: Work) -> Plan | None:
        """The look-up before a repeat: reads that would show our mark.

        Empty: repeating is harmless (absolute values compared before they are written, a native idempotency key).
        None: it cannot be looked up; the delivery ends as `may_have_happened`.
        """
        ...

    def found(self, work: Work, answers: Answers) -> Receipt | None:
        """The receipt, if one of the marks stands in the answers of `find`."""
        ...

    def judge(self, work: Work, request: Request, answer: Answer) -> Outcome: ...

    def receipt(self, work: Work, answers: Answers) -> Receipt:
        """What the sent plan left behind, for links and echoes."""
        ...


@dataclass(frozen=True)
class Limit:
    """`amount` calls per `seconds` for requests whose (method, path) match; '' matches all."""

    name: str
    amount: int
    seconds: int
    method: str = ""
    path_prefix: str = ""


@dataclass(frozen=True)
class Account:
    """How to reach and log in to one configured system. Secrets stay in here: repr hides them."""

    system: str
    root_url: str
    api_path: str  # below the root
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # static authorization, if any
    token: Request | None = field(default=None, repr=False)  # OAuth: how to get one (root-relative, never recorded)
    limits: tuple[Limit, ...] = ()
    per_object: Limit | None = None  # writes to any one object; counted in the ledger, not in Redis (decisions D11)
    allow_private: bool = False
    allow_http: bool = False
    secret_members: tuple[str, ...] = ()  # JSON members dropped from every answer before anyone sees or stores it
    guard_members: tuple[str, ...] = ()  # members that every write moves: `explain` shows them as slots (decisions D9)
    health: Request | None = None  # decides between auth and rejected after a 403


class Connector(Protocol):
    """One connected system: found by being a folder in pipeline/connectors with CONNECTOR in it."""

    slug: str  # trading-grid: URLs and processes
    name: str  # trading_grid: Python, queues, tables
    title: str  # Trading Grid: for people
    section: type[Schema]  # its part of casebridge.yaml
    variables: Sequence["Variable"]  # its environment
    hook_secret_in_path: bool  # /hooks/<slug>/<token>
    partner_facing: bool  # what is written there reaches partners

    def account(self, env: Mapping[str, str], config: Config) -> Account: ...
    def source(self, env: Mapping[str, str], config: Config) -> Source: ...
    def target(self, env: Mapping[str, str], config: Config) -> Target: ...
    def check(self, config: Config, http: Http) -> Iterable[str]:
        """Start-up check: one sentence for each field, group, status and tag that is missing at the system."""
        ...

    def connect(self, public_url: str, config: Config) -> Plan:
        """Register our webhook once, idempotently by name; the reads of the plan come first."""
        ...


@dataclass(frozen=True)
class Variable:
    """One environment variable of a connector."""

    name: str
    meaning: str
    secret: bool = False
    required: bool = True

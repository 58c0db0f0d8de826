"""Flows: what a change at one system means for the others. A flow is a value; routing is pure (flows.md)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from pipeline.config import Config, Partner
from pipeline.connector import Link
from pipeline.domain.states import LinkState
from schemas.change import Change, ObjectRef
from schemas.operation import AnyOperation

CURRENT = frozenset({LinkState.PLANNED.value, LinkState.BOUND.value})


@dataclass(frozen=True)
class Opening:
    """A change that opens (or joins) a case: whose it is, and what names it (flows.md rules 1 and 2)."""

    partner: str
    case_key: str
    exclusive: bool = True  # False: the object may belong to several cases, one a partner


@dataclass(frozen=True)
class CaseView:
    """A case as flows see it: its partner and what it is bound to."""

    id: int
    partner: Partner | None
    key: str
    links: tuple[Link, ...] = ()
    partner_key: str = ""  # '' = nobody's yet: a marked ticket that names no partner
    earlier: tuple[Link, ...] = ()  # what the case of the same key was bound to whose join window has passed
    previous: int | None = None  # that case's id

    def current(self, system: str, kind: str = "") -> tuple[Link, ...]:
        """Objects of the case at a system that can be written: bound, or planned and on their way."""
        return tuple(
            link
            for link in self.links
            if link.system == system and link.state in CURRENT and (not kind or link.kind == kind)
        )

    def link_of(self, ref: ObjectRef) -> Link | None:
        """The binding of this very object, whatever its state."""
        wanted = (ref.system, ref.kind, ref.external_id)
        return next((link for link in self.links if (link.system, link.kind, link.external_id) == wanted), None)


@dataclass(frozen=True)
class Situation:
    """Everything a flow may look at. `here` binds the changed object; `opened` says that this change opened it."""

    change: Change
    case: CaseView
    here: Link
    config: Config
    opened: bool = False


@dataclass(frozen=True)
class Planned:
    """An object that a step will create: `id` is negative until the ledger gives it a real one."""

    id: int
    system: str
    kind: str
    exclusive: bool = True

    @property
    def link(self) -> Link:
        return Link(self.id, self.system, self.kind, None, LinkState.PLANNED.value)


@dataclass(frozen=True)
class Step:
    """One delivery to be: an operation at a target, named within its flow; `needs` names earlier steps."""

    flow: str
    name: str
    target: str
    operation: AnyOperation
    needs: tuple[str, ...] = ()
    plans: Planned | None = None
    settles: bool = False  # wait for a newer value of the same thing first (decisions D20)

    @property
    def full_name(self) -> str:
        return f"{self.flow}.{self.name}"


@dataclass(frozen=True)
class Move:
    """A binding follows its object: a merged ticket's case goes on at the surviving one (Z1.5)."""

    link_id: int
    to: ObjectRef


@dataclass(frozen=True)
class Route:
    """What flows want done for one change."""

    steps: tuple[Step, ...] = ()
    moves: tuple[Move, ...] = ()
    gone: tuple[int, ...] = ()  # links whose objects were deleted at their source


@dataclass(frozen=True)
class Flow:
    """One flow: which changes open a case, and what follows from a change of a bound object.

    Both functions are pure. They raise PermanentError for what must become a dead letter (unknown partner, unmapped
    status) and SkippedError for what is left alone on purpose.
    """

    code: str
    title: str
    source: str
    route: Callable[[Situation], Iterable[Step | Move]]
    opens: Callable[[Change, Config], Iterable[Opening]] = field(default=lambda _change, _config: ())
    state_of: Callable[[Change, Config], str | None] = field(default=lambda _change, _config: None)
    # the canonical `state:awaiting_reason` of a state change, for telling echoes; None where it has none

"""Every state and every move between states; the same tables stand in the first migration, a test compares them."""

from enum import StrEnum


class SignalState(StrEnum):
    OPEN = "open"
    EXPANDED = "expanded"
    NOTHING_NEW = "nothing_new"
    SKIPPED = "skipped"
    DEAD = "dead"


class ChangeState(StrEnum):
    OPEN = "open"
    ROUTED = "routed"
    ECHO = "echo"
    SKIPPED = "skipped"
    DEAD = "dead"


class DeliveryState(StrEnum):
    """QUEUED is waiting while its sequence number is above the lane's head, done from then on."""

    QUEUED = "queued"
    SKIPPED = "skipped"
    SUPERSEDED = "superseded"
    DEAD = "dead"
    REQUEUED = "requeued"
    CANCELLED = "cancelled"


class DeadLetterState(StrEnum):
    DEAD = "dead"
    REQUEUED = "requeued"
    DISCARDED = "discarded"


class LinkState(StrEnum):
    PLANNED = "planned"
    BOUND = "bound"
    CLOSED = "closed"
    GONE = "gone"


MOVES: dict[type[StrEnum], dict[StrEnum, frozenset[StrEnum]]] = {
    SignalState: {
        SignalState.OPEN: frozenset(SignalState) - {SignalState.OPEN},
        SignalState.DEAD: frozenset({SignalState.OPEN, SignalState.SKIPPED}),
    },
    ChangeState: {
        ChangeState.OPEN: frozenset(ChangeState) - {ChangeState.OPEN},
        ChangeState.DEAD: frozenset({ChangeState.OPEN, ChangeState.SKIPPED}),
    },
    DeliveryState: {
        DeliveryState.QUEUED: frozenset(DeliveryState) - {DeliveryState.QUEUED, DeliveryState.REQUEUED},
        DeliveryState.DEAD: frozenset({DeliveryState.QUEUED, DeliveryState.REQUEUED, DeliveryState.CANCELLED}),
    },
    DeadLetterState: {
        DeadLetterState.DEAD: frozenset({DeadLetterState.REQUEUED, DeadLetterState.DISCARDED}),
    },
    LinkState: {
        LinkState.PLANNED: frozenset({LinkState.BOUND, LinkState.GONE}),
        LinkState.BOUND: frozenset({LinkState.CLOSED, LinkState.GONE}),
        LinkState.CLOSED: frozenset({LinkState.BOUND, LinkState.GONE}),
    },
}

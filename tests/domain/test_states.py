"""States and their moves: ends are ends, and no state can be forgotten in the tables."""

from enum import StrEnum

import pytest

from pipeline.domain.lanes import blocks, echo_digest, supersedes
from pipeline.domain.states import MOVES, DeadLetterState, DeliveryState, LinkState
from schemas.content import Text
from schemas.operation import Fields, OperationKind, State, Title


@pytest.mark.parametrize("states", MOVES)
def test_moves_stay_within_their_entity(states: type[StrEnum]) -> None:
    """From a state of its own to another one of its own, never to itself."""
    for before, afters in MOVES[states].items():
        assert before in states
        assert all(after in states and after is not before for after in afters)


@pytest.mark.parametrize("state", [DeliveryState.SKIPPED, DeliveryState.SUPERSEDED, DeliveryState.CANCELLED])
def test_final_states_of_a_delivery_have_no_way_out(state: DeliveryState) -> None:
    """Each delivery ends once (invariant I6)."""
    assert state not in MOVES[DeliveryState]


def test_a_requeued_letter_is_not_requeued_again() -> None:
    """A second person who presses the button changes nothing (invariant I10)."""
    assert DeadLetterState.REQUEUED not in MOVES[DeadLetterState]
    assert LinkState.GONE not in MOVES[LinkState]


@pytest.mark.parametrize(
    ("kind", "named", "setting", "expected"),
    [
        (OperationKind.CREATE, False, False, True),
        (OperationKind.BIND, False, False, True),
        (OperationKind.STATE, False, True, False),
        (OperationKind.COMMENT, False, False, False),
        (OperationKind.COMMENT, True, False, True),
        (OperationKind.COMMENT, False, True, True),
        (OperationKind.FILE, False, True, True),
        (OperationKind.FIELDS, False, True, False),
    ],
)
def test_what_a_dead_delivery_stops(kind: OperationKind, named: bool, setting: bool, expected: bool) -> None:
    """The table of decisions D6."""
    assert blocks(kind, named_in_needs=named, comments_block=setting) is expected


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [
        (State(link_id=1, state="b"), State(link_id=1, state="a"), True),
        (State(link_id=2, state="b"), State(link_id=1, state="a"), False),
        (Title(link_id=1, title=Text("b")), State(link_id=1, state="a"), False),
        (Fields(link_id=1, values={"a": 1, "b": 2}), Fields(link_id=1, values={"a": 0}), True),
        (Fields(link_id=1, values={"b": 2}), Fields(link_id=1, values={"a": 0}), False),
        (State(link_id=1, state="b"), State(link_id=1, state="received", details={"number_of": 2}), False),
    ],
)
def test_a_newer_value_takes_the_place_of_the_same_one_only(new: State, old: State, expected: bool) -> None:
    """Same kind, same object, nothing left out; the case number is told whatever comes after."""
    assert supersedes(new, old) is expected


def test_echoes_are_known_by_canonical_words() -> None:
    """A state by its milestone, a title by its digest, anything else by its mark alone."""
    assert echo_digest(State(state="awaiting_partner", awaiting_reason="input")) == "state:awaiting_partner:input"
    assert echo_digest(Title(title=Text(" a  b"))) == echo_digest(Title(title=Text("a b")))
    assert echo_digest(Fields(values={})) is None

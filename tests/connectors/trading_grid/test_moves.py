"""The way from one thread state to another."""

from itertools import product

import pytest

from pipeline.connectors.trading_grid import vocabulary
from pipeline.connectors.trading_grid.vocabulary import TRANSITIONS, path_to
from tests.contracts.validate import Contract

SCHEMAS = Contract.trading_grid().requests["components"]["schemas"]

PATHS = [
    ("new", "received", ["received"]),
    ("new", "resolved", ["in_progress", "resolved"]),
    ("received", "awaiting_approval", ["in_progress", "awaiting_approval"]),
    ("received", "awaiting_partner", ["awaiting_partner"]),
    ("in_progress", "closed", ["resolved", "closed"]),
    ("awaiting_partner", "awaiting_approval", ["in_progress", "awaiting_approval"]),
    ("closed", "awaiting_partner", ["in_progress", "awaiting_partner"]),
    ("withdrawn", "closed", ["in_progress", "resolved", "closed"]),
    ("closed", "received", None),
    ("assigned", "new", None),
    ("a_state_of_tomorrow", "closed", None),
]


@pytest.mark.parametrize(("current", "wanted", "path"), PATHS)
def test_the_shortest_honest_way(current: str, wanted: str, path: list[str] | None) -> None:
    """Given two states, when a way is sought, then it is the shortest that says nothing untrue on the way."""
    assert path_to(current, wanted) == path


def test_no_way_waits_for_anybody_on_its_way() -> None:
    """Given any two states, when a way exists, then only harmless states stand between its ends."""
    for current, wanted in product(TRANSITIONS, repeat=2):
        between = (path_to(current, wanted) or [])[:-1]
        assert not {"awaiting_partner", "awaiting_approval", "withdrawn", "new"} & set(between)


def test_a_refusal_teaches_another_way() -> None:
    """Given the server allows less than the contract, when a way is sought, then it goes around."""
    moves = {**TRANSITIONS, "received": ("assigned",)}
    assert path_to("received", "awaiting_approval", moves) == ["assigned", "awaiting_approval"]


def test_transitions_are_those_of_the_contract() -> None:
    """Given the contract's x-transitions, when compared, then ours are the same."""
    assert {state: list(to) for state, to in TRANSITIONS.items()} == SCHEMAS["ThreadState"]["x-transitions"]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (vocabulary.THREAD_TYPES, SCHEMAS["ThreadType"]["enum"]),
        (vocabulary.EXCEPTION_TYPES, SCHEMAS["ExceptionType"]["enum"]),
        (vocabulary.DOCUMENT_CLASSES, SCHEMAS["DocumentClass"]["enum"]),
        (vocabulary.REFERENCE_TYPES, SCHEMAS["BusinessReference"]["properties"]["type"]["enum"]),
        (vocabulary.OUTCOMES, SCHEMAS["Resolution"]["properties"]["outcome"]["enum"]),
        (vocabulary.UPDATE_TYPES, SCHEMAS["PostWrite"]["properties"]["update_type"]["enum"]),
        (vocabulary.PRIORITIES, SCHEMAS["ThreadPatch"]["properties"]["priority"]["enum"]),
        (vocabulary.SEVERITIES, SCHEMAS["ThreadPatch"]["properties"]["severity"]["enum"]),
        (vocabulary.ORIGIN_SYSTEMS, SCHEMAS["Origin"]["properties"]["system"]["enum"]),
        (vocabulary.REFERENCE_SYSTEMS, SCHEMAS["ExternalReference"]["properties"]["system"]["enum"]),
        (vocabulary.AWAITING_REASONS, SCHEMAS["TransitionRequest"]["properties"]["awaiting_reason"]["enum"]),
    ],
)
def test_closed_lists_are_those_of_the_contract(ours: frozenset[str], theirs: list[str]) -> None:
    """Given a closed list of the contract, when compared, then ours is the same."""
    assert ours == set(theirs)

"""The state map's vocabulary: every state has its words, and nothing else is a state."""

import pytest

from pipeline.domain import milestones
from pipeline.domain.milestones import AWAITING, LABELS, STATES, Milestone, parse
from schemas.content import Visibility


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("in_progress", Milestone("in_progress")),
        ("awaiting_partner:documents", Milestone("awaiting_partner", "documents")),
        ("awaiting_partner", Milestone("awaiting_partner", "input")),
        ("in_progress:documents", None),
        ("awaiting_partner:coffee", None),
        ("In Progress", None),
        ("", None),
    ],
)
def test_a_state_is_parsed_or_refused(text: str, expected: Milestone | None) -> None:
    """By the names of the map alone: a label of some system is no state."""
    assert parse(text) == expected


@pytest.mark.parametrize("state", STATES)
def test_every_state_has_a_label(state: str) -> None:
    """Whatever a configuration may map to, partners read a word for it; it parses back from its own text."""
    assert Milestone(state).label == LABELS[state]
    assert parse(state) is not None


@pytest.mark.parametrize("reason", AWAITING)
def test_what_is_awaited_is_said(reason: str) -> None:
    """Label and sentence name it, and the text of a milestone leads back to it."""
    milestone = Milestone("awaiting_partner", reason)
    assert milestone.label != LABELS["awaiting_approval"]
    assert milestone.note is not None
    assert milestone.note.visibility is Visibility.PARTNER
    assert parse(str(milestone)) == milestone


def test_a_state_without_a_sentence_says_nothing() -> None:
    """Resolved and withdrawn are told with the resolution or not at all."""
    assert Milestone("resolved").note is None
    assert milestones.ours("x").visibility is Visibility.PARTNER

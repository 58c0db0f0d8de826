"""What a newer value makes needless, and what it must not."""

from pipeline.domain.lanes import supersedes
from pipeline.flows._words import CASEBRIDGE
from schemas.content import Text
from schemas.operation import Comment, Fields, State


def test_a_newer_state_makes_the_older_one_needless() -> None:
    """Given two states for one object, then the newer one is enough; for two objects it is not."""
    assert supersedes(State(link_id=1, state="resolved"), State(link_id=1, state="assigned"))
    assert not supersedes(State(link_id=2, state="resolved"), State(link_id=1, state="assigned"))


def test_the_word_of_receipt_is_told_whatever_comes_after() -> None:
    """Given a state that tells the case number, then no newer state takes its place."""
    received = State(link_id=1, state="received", details={"number_of": 7})
    assert not supersedes(State(link_id=1, state="assigned"), received)


def test_fields_are_values_of_their_own() -> None:
    """Given newer fields, then older ones are needless only where the newer ones set them all."""
    older = Fields(link_id=1, values={"PartnerName": "Acme"})
    assert not supersedes(Fields(link_id=1, values={"PublicResolution": "Sent."}), older)
    assert supersedes(Fields(link_id=1, values={"PartnerName": "Acme Ltd", "PublicResolution": "Sent."}), older)


def test_comments_are_never_needless() -> None:
    """Given two comments on one object, then both are said."""
    said = Comment(link_id=1, text=Text("Yes."), author=CASEBRIDGE)
    assert not supersedes(said, said)

"""The one gate to partners: nothing internal is cleared, nothing cleared is made elsewhere."""

from dataclasses import replace

import pytest

from pipeline.domain.reason import Reason
from pipeline.domain.visibility import Cleared, clear_file, clear_label, clear_text, require
from pipeline.errors import VisibilityError
from schemas.content import File, Text, Visibility

SHOWN = Text("for you", visibility=Visibility.PARTNER)
FILE = File("f1", "a.pdf", "application/pdf", 1, visibility=Visibility.PARTNER)


def test_what_is_meant_for_the_partner_passes() -> None:
    """And comes out as it went in."""
    assert require(clear_text(SHOWN)) is SHOWN
    assert require(clear_file(FILE)) is FILE
    assert require(clear_label("Received")) == "Received"


@pytest.mark.parametrize("visibility", [Visibility.INTERNAL, "internal", "public", "Partner", "", None, True])
def test_everything_else_is_refused(visibility: object) -> None:
    """Default deny: internal, unknown, misspelt or missing are one."""
    with pytest.raises(VisibilityError) as refused:
        clear_text(Text("for us", visibility=visibility))  # type: ignore[arg-type]  # what a bug might hand over
    assert refused.value.reason is Reason.VISIBILITY
    with pytest.raises(VisibilityError):
        clear_file(File("f1", "a.pdf", "application/pdf", 1, visibility=visibility))  # type: ignore[arg-type]  # as above


def test_a_text_is_internal_until_somebody_says_otherwise() -> None:
    """The default of every text and file."""
    with pytest.raises(VisibilityError):
        clear_text(Text("x"))
    with pytest.raises(VisibilityError):
        clear_file(File("f1", "a", "text/plain", 1))


@pytest.mark.parametrize("seal", [None, object(), True, "seal"])
def test_cleared_cannot_be_forged(seal: object) -> None:
    """Only the module itself can seal: a constructor call from elsewhere fails."""
    with pytest.raises(VisibilityError):
        Cleared(SHOWN, seal)


def test_a_cleared_value_cannot_be_exchanged() -> None:
    """Frozen; and what looks like a cleared value without the seal does not pass."""
    cleared = clear_text(SHOWN)
    with pytest.raises(AttributeError):
        cleared.value = Text("secret")  # type: ignore[misc]  # the attempt is the test
    forged = object.__new__(Cleared)
    object.__setattr__(forged, "value", Text("secret"))
    object.__setattr__(forged, "seal", object())
    with pytest.raises(VisibilityError):
        require(forged)


@pytest.mark.parametrize("value", [SHOWN, "text", None, {"value": "x"}])
def test_what_is_not_cleared_does_not_pass(value: object) -> None:
    """The run-time half of the gate, where the type checker did not look."""
    with pytest.raises(VisibilityError):
        require(value)


def test_a_copy_with_another_value_is_not_cleared() -> None:
    """The seal belongs to the very value that was looked at."""
    cleared = clear_text(SHOWN)
    with pytest.raises(VisibilityError):
        replace(cleared, value=Text("secret"))
    with pytest.raises(VisibilityError):
        Cleared(Text("secret"), cleared.seal)

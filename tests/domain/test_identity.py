"""Who is who: keys that stay the same, marks that are found again, and the case key of flows.md rule 1."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain import identity
from schemas.content import Reference

KEY = UUID("6f0b7c86-6d55-5a4e-9a51-0f6a1f2f6c1e")
PO = Reference("purchase_order", " po-7 ", "a1")


@pytest.mark.parametrize(
    ("references", "expected"),
    [
        ((Reference("claim", "c-1"), PO), "claim:C-1"),
        ((PO, Reference("chargeback", "CB9")), "claim:CB9"),
        ((PO, Reference("invoice", "I1")), "price:po:PO-7:A1"),
        ((Reference("purchase_order", "PO-7"),), "price:po:PO-7:"),
        ((Reference("invoice", "i1"), Reference("shipment", "S")), "price:invoice:I1"),
        ((Reference("interchange", "x1"),), "interchange:X1"),
        ((Reference("shipment", "S"),), "object:trading_grid:thread:1"),
        ((), "object:trading_grid:thread:1"),
        ((Reference("claim", "first"), Reference("claim", "second")), "claim:FIRST"),
    ],
)
def test_the_case_key_follows_rule_1(references: tuple[Reference, ...], expected: str) -> None:
    """Claim or chargeback, else order and line, else invoice, else interchange, else the object itself."""
    assert identity.case_key("price", references, "trading_grid:thread:1") == expected


def test_two_exception_types_on_one_order_are_two_cases() -> None:
    """A price and a quantity dispute of the same line are not the same matter."""
    assert identity.case_key("price", [PO], "x") != identity.case_key("quantity", [PO], "x")
    assert identity.case_key(None, [PO], "x") == "any:po:PO-7:A1"


def test_keys_and_marks_never_change() -> None:
    """They stand in databases and at targets: another value would mean a second effect."""
    key = identity.delivery_key("trading_grid", "evt_1", 7, "G1.create")
    assert str(key) == "46423af1-6896-582d-bda0-e0a07072e413"
    assert identity.mark_of(key) == "O2MFF6GG"
    assert identity.idem_key(key, 1) == "3ca5fe5d-f3dd-5819-b196-e01fb2250ae9"


@given(st.lists(st.text(alphabet="ab", max_size=3), min_size=2, max_size=4))
def test_parts_do_not_run_together(parts: list[str]) -> None:
    """('a', 'b') is not ('ab', '')."""
    joined = ["".join(parts), *[""] * (len(parts) - 1)]
    assert (identity.delivery_key(*parts) == identity.delivery_key(*joined)) is (parts == joined)


@given(st.uuids(), st.text(max_size=30), st.text(max_size=30))
def test_a_mark_is_found_in_whatever_text_it_stands_in(key: UUID, before: str, after: str) -> None:
    """On a line of its own below the words, as Gemini's comments carry it."""
    mark = identity.mark_of(key)
    assert mark in identity.marks_in(f"{before}\nref {mark}\n{after}")


@pytest.mark.parametrize(
    "text", ["ref abcd2345", "ref ABCD2340", "ref ABCD23456", "xref ABCD2345", "ABCD2345", "ref ABC"]
)
def test_what_only_looks_like_a_mark_is_none(text: str) -> None:
    """Base32 in capitals, eight of them, after `ref`."""
    assert identity.marks_in(text) == ()


def test_each_revision_of_a_plan_has_a_key_of_its_own() -> None:
    """One key, one body (decisions D5)."""
    key = uuid4()
    assert len({identity.idem_key(key, revision) for revision in range(1, 6)}) == 5


@given(st.text())
def test_comparison_sees_no_white_space_and_no_composition(text: str) -> None:
    """Normalising twice is normalising once, and a digest of either is the same."""
    once = identity.normal(text)
    assert identity.normal(once) == once
    assert identity.digest(text) == identity.digest(once) == identity.digest(f"  {text}\n")


def test_half_a_surrogate_pair_does_no_harm() -> None:
    """A text cut in the middle of an emoji still has a digest."""
    assert identity.normal("a\ud83d b") == "a? b"

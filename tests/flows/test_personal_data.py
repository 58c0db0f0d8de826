"""Personal data in texts for a partner: what is removed, and what of a business text must stay (flows.md Z1.4)."""

import pytest

from pipeline.flows._personal import REMOVED, without_personal_data

GOES = [
    "jane.roe+b2b@mail.example.org",
    "+1 (555) 010-9999",
    "+44 20 7946 0958",
    "(555) 010-9999",
    "555-010-9999",
    "030 901820",
    "tel 5550109999",
    "phone: 555 0109999",
]
STAYS = [
    "PO 4500012345",
    "invoice 0004500012345",
    "GLN 0614141000012",
    "delivery on 2026-11-02",
    "delivery on 02/11/2026",
    "claim 4711-0815-22",
    "3 of 5 cartons, 12.50 EUR",
]


@pytest.mark.parametrize("given", GOES)
def test_mail_addresses_and_telephone_numbers_go(given: str) -> None:
    """Given a way to reach the customer in a text, when cleaned, then no digit or letter of it is left."""
    cleaned = without_personal_data(f"Please ask {given}, thank you.")
    assert REMOVED in cleaned
    assert not any(character.isdigit() or character == "@" for character in cleaned)


@pytest.mark.parametrize("given", STAYS)
def test_numbers_of_the_business_stay(given: str) -> None:
    """Given order numbers, locations, dates and amounts in a text, when cleaned, then it is as it was."""
    assert without_personal_data(f"See {given}, please.") == f"See {given}, please."


def test_a_reference_of_the_ticket_stays_whatever_it_looks_like() -> None:
    """Given a claim number that looks like a telephone number, when cleaned, then it stays."""
    assert without_personal_data("Claim 555-010-9999.", kept=["555-010-9999"]) == "Claim 555-010-9999."


def test_the_customers_names_go_whole_and_in_any_case() -> None:
    """Given the customer's names, when cleaned, then they go as whole words; very short ones are left alone."""
    cleaned = without_personal_data("JANE ROE and Janet Roebuck of Al.", ["Jane Roe", "Al"])
    assert cleaned == f"{REMOVED} and Janet Roebuck of Al."

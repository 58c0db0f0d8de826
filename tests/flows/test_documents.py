"""Files on their way between the systems: G1.5, G1.10, Z2.9, judged by what the systems' journals say."""

import hashlib
import os
from typing import Any

import pytest

from tests.town import Town
from workers.demo.people import Upload

INVOICE = Upload("invoice-77.pdf", b"%PDF-1.7 invoice 77", "application/pdf")
PROOF = Upload("delivery.pdf", b"%PDF-1.7 proof of delivery", "application/pdf")
VIRUS = Upload("eicar-photo.pdf", b"%PDF-1.7 not a photo at all", "application/pdf")


def sha256(file: Upload) -> str:
    return hashlib.sha256(file.content).hexdigest()


def open_case(town: Town, **fields: Any) -> str:
    """A partner's exception with its item; the thread's id."""
    thread = town.people.open_thread("acme", "Short shipment", "Two cartons short", po_number="PO-77", **fields)
    town.run()
    return str(thread["thread_id"])


def with_ticket(town: Town) -> tuple[str, str]:
    """A ticket that was escalated, and the thread that it opened."""
    ticket = town.people.open_ticket(500, "Where is my order?", "It did not come.", field_360005="Please check PO-77")
    town.people.escalate(ticket["ticket_id"])
    town.run()
    (thread,) = town.by_us("trading_grid", "thread_created")
    return str(ticket["ticket_id"]), str(thread["object"])


def test_g1_05_a_file_follows_when_its_scan_has_ended(town: Town) -> None:
    """Given a document still being scanned, when the thread arrives, then the item is made and the file follows."""
    town.people.switch("trading_grid", "trading_grid", {"scan_delay_seconds": 60})
    thread = open_case(town)
    town.people.bring("acme", thread, INVOICE)
    town.run()
    assert len(town.by_us("gemini", "item_created")) == 1
    assert town.by_us("gemini", "file_added") == []
    town.later(120)
    town.run()
    (added,) = town.by_us("gemini", "file_added")
    assert (added["sha256"], added["name"], added["size"]) == (sha256(INVOICE), INVOICE.name, len(INVOICE.content))
    assert town.dead() == []

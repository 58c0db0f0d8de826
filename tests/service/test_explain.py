"""P8, foretold: what `explain` shows before anything is sent is, byte for byte, what the socket sees afterwards."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.service.explain import Explanation, explain_body, explain_change, explain_object
from pipeline.stages.ingest import ingest
from pipeline.stages.transform import transform
from tests.flows.scenes import Case, open_case, open_thread
from tests.flows.tickets import DESCRIPTION, EXCEPTION, PURCHASE_ORDER, escalate, open_ticket
from tests.service.wire_log import Log, compare
from tests.town import Town, sandbox
from workers.demo.people import Upload

FILE = Upload("count.txt", b"three cartons of five\n", "text/plain")


@pytest.fixture(scope="module")
def sandbox_urls() -> Iterator[dict[str, str]]:
    """Three sandboxes for the stories of this file."""
    with sandbox() as urls:
        yield urls


@pytest.fixture
def town(sandbox_urls: dict[str, str], database_url: str, tmp_path: Path) -> Iterator[Town]:
    """Three systems with their start data and casebridge's stages over a fresh database."""
    made = Town(sandbox_urls, database_url, tmp_path)
    yield made
    made.close()


def foretold(town: Town, system: str, obj: str, *, deliveries: int) -> Explanation:
    """What news of an object will cause; asks by reads alone and leaves no row changed."""
    before, log = fingerprint(town), Log.now(town)
    explanation = explain_object(town.world, system, obj)
    assert fingerprint(town) == before
    assert [log.writes(name) for name in town.people.urls] == [[], [], []]
    found = [one.name for change in explanation.changes for one in change.deliveries]
    assert len(found) == deliveries, (found, explanation)
    return explanation


def fingerprint(town: Town) -> dict[str, tuple[int, str]]:
    """Table -> (rows, digest of all their values)."""
    tables = town.rows(
        "select relname from pg_class where relnamespace = 'casebridge'::regnamespace and relkind in ('r', 'p')"
    )
    found = {}
    for (name,) in tables:
        rows = sorted(str(row) for row in town.rows(f'select * from casebridge."{name}"'))
        found[name] = (len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest())
    return found


def assert_as_foretold(town: Town, explanation: Explanation) -> None:
    """The stages run, and each request that they send is one that was shown."""
    log = Log.now(town)
    town.run()
    assert not town.dead()
    assert compare(explanation, log) == []
    assert any(log.writes(name) for name in town.people.urls)


def test_g1_a_new_thread(town: Town) -> None:
    """Given a partner's new thread, when explained and then run, then item, fields, binding and receipt are as told."""
    thread = open_thread(town)
    explanation = foretold(town, "trading_grid", f"thread:{thread}", deliveries=4)
    assert_as_foretold(town, explanation)


def test_g1_a_new_thread_with_a_post_and_a_file(town: Town) -> None:
    """Given a thread that goes on before it was read, then later words name the item that is yet to be made."""
    thread = open_thread(town)
    town.people.post("acme", thread, "One carton is wet.")
    explanation = foretold(town, "trading_grid", f"thread:{thread}", deliveries=5)
    assert_as_foretold(town, explanation)


def test_g2_a_status(town: Town) -> None:
    """Given a case, when the item's status moves, then the thread's transition and its words are as told."""
    case = open_case(town)
    town.people.set_status(case.item, "Assigned")
    explanation = foretold(town, "gemini", f"item:{case.item}", deliveries=1)
    assert_as_foretold(town, explanation)


def test_g6_a_comment_for_the_partner(town: Town) -> None:
    """Given a case, when a resolver writes for the partner, then the post is as told."""
    case = open_case(town)
    town.people.comment(case.item, "The truck is on its way.", group=5)
    explanation = foretold(town, "gemini", f"item:{case.item}", deliveries=1)
    assert_as_foretold(town, explanation)


def test_z1_an_escalation(town: Town) -> None:
    """Given a ticket with words for the partner, when it is escalated, then thread, binding and notes are as told."""
    ticket = open_ticket(town, {DESCRIPTION: "Two cartons have not arrived.", PURCHASE_ORDER: "PO-4711"})
    town.people.escalate(ticket)
    explanation = foretold(town, "zendesk", f"ticket:{ticket}", deliveries=3)
    assert_as_foretold(town, explanation)


def test_z1_a_partner_note(town: Town) -> None:
    """Given an escalated ticket, when an agent writes a #partner note, then the post is as told."""
    case = escalate(town)
    town.people.say(case.ticket, "#partner When will the rest arrive?")
    explanation = foretold(town, "zendesk", f"ticket:{case.ticket}", deliveries=1)
    assert_as_foretold(town, explanation)


def test_z2_a_partner_update(town: Town) -> None:
    """Given an escalated ticket, when the partner posts a typed update, then the note and its field are as told."""
    case = escalate(town)
    town.people.post("acme", case.thread, "Shipped again today.", update_type="acknowledgement")
    explanation = foretold(town, "trading_grid", f"thread:{case.thread}", deliveries=1)
    assert_as_foretold(town, explanation)


def test_z2_a_document(town: Town) -> None:
    """Given an escalated ticket, when the partner brings a file, then its upload and note are as told."""
    case = escalate(town)
    town.people.bring("acme", case.thread, FILE)
    town.run()
    document = town.effects("trading_grid", "document_created")
    assert document
    town.people.bring("acme", case.thread, Upload("second.txt", b"and two more\n", "text/plain"))
    explanation = foretold(town, "trading_grid", f"thread:{case.thread}", deliveries=1)
    assert_as_foretold(town, explanation)


def test_a_thread_joins_a_ticket(town: Town) -> None:
    """Given a ticket's case, when its partner opens a thread of the same key, then everything that joins is as told."""
    ticket = open_ticket(town, {EXCEPTION: "short_shipment", PURCHASE_ORDER: "PO-4711"})
    town.people.escalate(ticket)
    town.run()
    thread = open_thread(town)
    explanation = foretold(town, "trading_grid", f"thread:{thread}", deliveries=5)
    assert_as_foretold(town, explanation)

"""P8, foretold: what `explain` shows before anything is sent is, byte for byte, what the socket sees afterwards."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.service.explain import Explanation, explain_body, explain_change, explain_object, explain_record
from pipeline.stages.ingest import ingest
from pipeline.stages.transform import transform
from tests.contracts.wire import require_by_contract
from tests.flows.scenes import open_case, open_thread
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
    require_by_contract(made.people)


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
        rows = sorted(str(row) for row in town.rows(f"table casebridge.{name}"))
        found[name] = (len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest())
    return found


def assert_as_foretold(town: Town, explanation: Explanation) -> None:
    """The stages run, and each request that they send is one that was shown."""
    log = Log.now(town)
    town.run()
    assert not town.dead()
    unequal = compare(explanation, log)
    assert not unequal, "\n".join(unequal)
    assert any(log.writes(name) for name in town.people.urls)


def test_g1_a_new_thread(town: Town) -> None:
    """Given a partner's new thread, when explained and then run, then item, fields, binding and receipt are as told."""
    thread = open_thread(town)
    explanation = foretold(town, "trading_grid", f"thread:{thread}", deliveries=4)
    assert_as_foretold(town, explanation)


def test_g1_a_new_thread_with_a_post(town: Town) -> None:
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
    town.people.post("acme", case.thread, "Corrected quantity is 40.", update_type="quantity_correction")
    explanation = foretold(town, "trading_grid", f"thread:{case.thread}", deliveries=1)
    assert_as_foretold(town, explanation)


def test_z2_a_document(town: Town) -> None:
    """Given an escalated ticket, when the partner brings a file, then its upload and note are as told."""
    case = escalate(town)
    town.people.bring("acme", case.thread, FILE)
    read_only(town)
    numbers = [row[0] for row in town.rows("select id from change where kind = 'file' and state = 'open' order by id")]
    explanation = explain_change(town.world, numbers[0])  # the others tell of the same file, which is then there
    assert_as_foretold(town, explanation)
    assert "skipped" in {state for (state,) in town.rows("select state from delivery where kind = 'file'")}


def test_a_file_that_is_there_already_is_told_as_such(town: Town) -> None:
    """Given a file whose news come by several events, when one of them was delivered, then the others bring nothing."""
    case = escalate(town)
    town.people.bring("acme", case.thread, FILE)
    foretold(town, "trading_grid", f"thread:{case.thread}", deliveries=1)
    town.run()
    ((record,),) = town.rows("select record from change where kind = 'file' order by id desc limit 1")
    again = explain_record(town.world, bytes(record).replace(b'"external_id":"evt_', b'"external_id":"again_'))
    (delivery,) = again.changes[0].deliveries
    assert (delivery.writes, delivery.nothing) == ((), "already_so: an earlier delivery puts this file there")


def test_a_thread_joins_a_ticket(town: Town) -> None:
    """Given a ticket's case, when its partner opens a thread of the same key, then everything that joins is as told."""
    ticket = open_ticket(town, {EXCEPTION: "short_shipment", PURCHASE_ORDER: "PO-4711"})
    town.people.escalate(ticket)
    town.run()
    thread = open_thread(town)
    explanation = foretold(town, "trading_grid", f"thread:{thread}", deliveries=5)
    assert_as_foretold(town, explanation)


def test_a_stored_change_is_told_the_same_before_and_after_it_was_routed(town: Town) -> None:
    """Given a stored change, when it is explained open, routed and delivered, then the requests are the same."""
    thread = open_thread(town)
    read_only(town)
    ((number,),) = town.rows("select id from change where kind = 'opened'")
    as_open = explain_change(town.world, number)
    route_only(town)
    as_routed = explain_change(town.world, number)
    assert as_routed.changes[0].outcome == as_open.changes[0].outcome == "routed"
    assert requests_of(as_routed) == requests_of(as_open)
    assert [one.state.partition(":")[0] for one in as_routed.changes[0].deliveries][:1] == ["waiting_turn"]

    assert_as_foretold(town, as_routed)
    as_delivered = explain_change(town.world, number, offline=True)
    assert {one.state for one in as_delivered.changes[0].deliveries} == {"delivered"}
    sent = [(step, method) for step, method, *_ in requests_of(as_delivered)]
    assert sent == [(step, method) for step, method, *_ in requests_of(as_open)]
    assert thread in str(requests_of(as_delivered))


def test_offline_asks_nothing_anywhere(town: Town) -> None:
    """Given a stored status change, when explained offline, then its read is named, its writes are not made up."""
    case = open_case(town)
    town.people.set_status(case.item, "Assigned")
    read_only(town)
    ((number,),) = town.rows("select id from change where source = 'gemini' and state = 'open' and kind = 'state'")
    log = Log.now(town)
    (change,) = explain_change(town.world, number, offline=True).changes
    assert [log.entries(name) for name in town.people.urls] == [[], [], []]
    (delivery,) = change.deliveries
    assert [request.method for request in delivery.reads] == ["GET"]
    assert (delivery.writes, delivery.nothing) == ((), "depends on what the reads above will find")


def test_an_unmapped_status_is_told_as_its_dead_letter(town: Town) -> None:
    """Given a status that no line maps, when explained, then reason and detail are those of the dead letter to come."""
    case = open_case(town)
    town.configure(lambda text: text.replace("Assigned: assigned", "Elsewhere: assigned"))
    town.people.set_status(case.item, "Assigned")
    explanation = foretold(town, "gemini", f"item:{case.item}", deliveries=0)
    (change,) = (one for one in explanation.changes if one.kind == "state")
    town.run()
    assert change.outcome == "dead"
    assert town.dead() == [(change.reason, change.detail)]
    assert change.reason == "unmapped_status"


@pytest.mark.parametrize("system", ["zendesk", "trading_grid", "gemini"])
def test_a_webhooks_body_names_what_is_explained(town: Town, system: str) -> None:
    """Given a body as the system would send it, when explained, then the object that it names is."""
    thread = open_thread(town)
    town.run()
    ticket = town.people.open_ticket(500, "Cartons missing", "words")["ticket_id"]
    town.people.escalate(ticket)
    town.people.post("acme", thread, "Any news?")
    (item,) = (entry["obj"] for entry in town.by_us("gemini", "item_created"))
    town.people.comment(item, "Soon.", group=5)
    event = {"id": "evt_1", "type": "post.created", "time": "2026-11-21T12:00:00Z", "sequence": 1,
             "resource": {"type": "post", "id": "pst_1", "revision": 1}, "thread_id": thread}  # fmt: skip
    bodies = {
        "zendesk": {"ticket_id": str(ticket)},
        "trading_grid": event,
        "gemini": {"Issue": {"BaseEntity": {"Id": int(item)}}},
    }
    explanation = explain_body(town.world, system, json.dumps(bodies[system]).encode())
    assert [len(change.deliveries) for change in explanation.changes if change.outcome == "routed"], explanation


def read_only(town: Town) -> None:
    """Polls and reads, and nothing after."""
    with town.world.connection() as conn:
        conn.execute("update source_object set due = casebridge.now() where object = '*' and nonce is null")
    for name in town.people.urls:
        while ingest(town.world.reader(name), readers=1).objects:
            pass


def route_only(town: Town) -> None:
    """Routes what was read, and sends nothing."""
    with town.world.connection() as conn:
        transform(conn, flows=town.world.flows, config=town.world.config, config_version=town.world.config_version)


def requests_of(explanation: Explanation) -> list[tuple[str, str, str, str]]:
    """Step, method, URL and body of every write that is shown."""
    return [
        (one.step, one.method, one.url, one.body)
        for change in explanation.changes
        for delivery in change.deliveries
        for one in delivery.writes
    ]

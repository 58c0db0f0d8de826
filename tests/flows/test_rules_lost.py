"""Rules 7 and 8 that hold across flows: nothing is lost, and what is redacted or deleted is told."""

from datetime import timedelta

from pipeline.store import lanes
from tests.flows.scenes import (
    PARTNERS,
    open_case,
    open_thread,
    said_in_gemini,
    said_to_partner,
    state_of,
)
from tests.town import Town

DAY = 24 * 3600.0


def test_rule_7_a_refusal_keeps_everything_and_can_be_replayed(town: Town) -> None:
    """Given a final refusal, then the dead letter holds item, answer, reason and attempts, and a replay delivers."""
    case = open_case(town)
    town.fault("trading_grid", "POST */posts", "status", status=422, times=1)
    town.people.comment(case.item, "We need until Friday.", group=PARTNERS)
    town.run()

    ((operation, exchanges, reason, attempts),) = town.rows(
        "select d.operation, a.exchanges, l.reason, a.n from dead_letter l"
        " join delivery d on d.id = l.delivery_id join attempt a on a.delivery_id = d.id"
    )
    assert b"We need until Friday." in bytes(operation)
    assert b"sandbox fault 422" in bytes(exchanges)
    assert (reason, attempts) == ("rejected", 1)

    town.requeue("rejected")
    town.run()
    assert any("We need until Friday." in text for text in said_to_partner(town, case.thread))


def test_rule_7_a_replay_of_what_had_succeeded_writes_nothing(town: Town) -> None:
    """Given an answer lost for three days, when the exhausted delivery is replayed, then it is found, not repeated."""
    case = open_case(town)
    town.fault("gemini", "POST /gemini/api/items/*/comments", "lost_answer", times=1)
    town.fault("gemini", "GET /gemini/api/items/*/comments", "status", status=500)
    town.people.post("acme", case.thread, "First.")
    for _ in range(40):
        town.clock_forward(4 * 3600)
        if town.dead():
            break
    assert [reason for reason, _ in town.dead()] == ["retries_exhausted"]

    town.mend("gemini")
    town.requeue("retries_exhausted")
    town.run()

    assert len(said_in_gemini(town)) == 1
    assert town.dead() == []


def test_rule_7_a_dead_worker_loses_nothing(town: Town) -> None:
    """Given a worker that dies with a lane in its hands, when its lease is over, then another one delivers once."""
    case = open_case(town)
    town.people.switch("trading_grid", "faults", {"route": "POST */posts", "fault": "down"}, "POST")
    town.people.comment(case.item, "We need until Friday.", group=PARTNERS)
    town.run()
    town.later(60)
    town.mend("trading_grid")
    with town.world.connection() as conn:
        taken = lanes.claim(conn, "trading_grid", owner="dead", lease=timedelta(seconds=30), room=16)
    assert len(taken) == 1

    town.run()
    assert not any("Friday" in text for text in said_to_partner(town))
    town.clock_forward(60)

    assert ["Friday" in text for text in said_to_partner(town)] == [False, True]


def test_rule_7_without_any_webhook_every_change_is_found(town: Town) -> None:
    """Given that no webhook ever arrives, when the pollers run, then changes of all three systems are found."""
    case = open_case(town)
    fields = {"field_360002": "short_shipment", "field_360003": "PO-4711"}
    ticket = town.people.open_ticket(500, "Cartons missing", "Our customer waits.", **fields)["ticket_id"]
    town.people.escalate(ticket)
    town.run()
    town.people.say(ticket, "#partner From Zendesk.")
    town.people.comment(case.item, "From Gemini.", group=PARTNERS)
    town.people.post("acme", case.thread, "From the partner.")
    town.run()

    told = said_to_partner(town, case.thread)
    assert [any(words in text for text in told) for words in ("From Zendesk.", "From Gemini.")] == [True, True]
    assert any("From the partner." in text for text in said_in_gemini(town, case.item))


def test_rule_7_an_expired_cursor_is_made_good_by_a_sweep(town: Town) -> None:
    """Given a feed that forgot what we have not read, when the cursor is refused, then a sweep finds it."""
    case = open_case(town)
    town.people.post("acme", case.thread, "Said long ago.")
    town.later(40 * DAY)
    town.run()

    assert any("Said long ago." in text for text in said_in_gemini(town, case.item))
    town.people.post("acme", case.thread, "Said today.")
    town.run()
    assert [("long ago" in text, "today" in text) for text in said_in_gemini(town, case.item)] == [
        (True, False),
        (False, True),
    ]


def test_rule_7_an_outage_holds_up_nobody_else(town: Town) -> None:
    """Given Gemini is down, then Zendesk and the partner are served, and Gemini's backlog drains in order."""
    case = open_case(town)
    fields = {"field_360002": "short_shipment", "field_360003": "PO-4711"}
    ticket = town.people.open_ticket(500, "Cartons missing", "Our customer waits.", **fields)["ticket_id"]
    town.people.escalate(ticket)
    town.run()
    before = len(said_in_gemini(town))
    town.fault("gemini", "* /gemini/api/*", "down")
    for words in ("First.", "Second."):
        town.people.post("acme", case.thread, words)
        town.run("trading_grid", "zendesk")
    notes = [str(entry) for entry in town.by_us("zendesk", "comment_added")]
    assert [any(words in note for note in notes) for words in ("First.", "Second.")] == [True, True]

    town.mend("gemini")
    town.clock_forward(60)

    assert ["First." in text for text in said_in_gemini(town)[before:]] == [True, False]


def test_rule_8_a_redaction_reaches_the_copy(town: Town) -> None:
    """Given a post that was copied, when it is redacted, then the copy loses its text."""
    case = open_case(town)
    post = town.people.post("acme", case.thread, "My number is 555-0134.")["post_id"]
    town.run()
    town.people.redact_post(post)
    town.run()

    (changed,) = town.by_us("gemini", "comment_changed")
    assert "555-0134" not in changed["body"]
    assert town.dead() == []


def test_rule_8_a_copy_that_cannot_be_redacted_is_put_before_a_person(town: Town) -> None:
    """Given the first post, which lies in the item's description, when it is redacted, then a person is asked."""
    thread = open_thread(town)
    town.run()
    (first,) = town.effects("trading_grid", "post_created", thread_id=thread, sequence=1)
    town.people.redact_post(first["obj"])
    town.run()

    ((reason, detail),) = town.dead()
    assert reason == "rejected"
    assert "description" in detail


def test_rule_8_a_deleted_ticket_is_told_and_nothing_is_deleted(town: Town) -> None:
    """Given a ticket of a case, when it is deleted, then the item is told by a note, and thread and item go on."""
    case = open_case(town)
    fields = {"field_360002": "short_shipment", "field_360003": "PO-4711"}
    ticket = town.people.open_ticket(500, "Cartons missing", "Our customer waits.", **fields)["ticket_id"]
    town.people.escalate(ticket)
    town.run()
    town.people.ticket_form(ticket, "delete")
    town.run()

    (note,) = [entry for entry in town.by_us("gemini", "comment_added") if "deleted" in entry["body"]]
    assert str(ticket) in note["body"]
    assert note["visibility"] == 4
    assert town.by_us("gemini", "comment_deleted") == []
    town.people.post("acme", case.thread, "Still here.")
    town.run()
    assert "Still here." in said_in_gemini(town, case.item)[-1]
    assert state_of(town, case.thread) == "received"

"""Z1: what happens to an escalated ticket later: merged, closed, marked again, withdrawn, told by a webhook."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime

from pipeline.store import signals
from pipeline.store.signals import Incoming
from tests.flows.scenes import calls
from tests.flows.tickets import (
    ACME,
    DESCRIPTION,
    GLOBEX,
    close,
    escalate,
    notes,
    open_ticket,
    partner_says,
    posts,
    relayed,
    threads,
)
from tests.town import Town
from workers.demo.environment import SECRETS
from workers.inprocess import run_until_quiet


def hear(town: Town, event: str, ticket: int, **detail: str) -> None:
    """Zendesk's webhook tells of a ticket as its events do: rightly signed, words in capitals, numbers as text."""
    body = {
        "type": f"zen:event-type:ticket.{event}",
        "id": f"evt-{event}-{ticket}",
        "time": datetime.now(UTC).isoformat(),
        "account_id": 12345,
        "subject": f"zen:ticket:{ticket}",
        "detail": {"id": str(ticket), "assignee_id": "0", "organization_id": "500", **detail},
        "event": {},
    }
    raw, at = json.dumps(body).encode(), datetime.now(UTC).isoformat()
    digest = hmac.new(SECRETS["ZENDESK_WEBHOOK_SECRET"].encode(), at.encode() + raw, hashlib.sha256).digest()
    headers = {
        "x-zendesk-webhook-signature": base64.b64encode(digest).decode(),
        "x-zendesk-webhook-signature-timestamp": at,
    }
    signal = town.world.source("zendesk").receive(headers, raw, datetime.now(UTC))
    with town.world.connection() as conn:
        signals.receive(conn, [Incoming("zendesk", signal, {})])
    run_until_quiet(town.world)


def test_z1_05_a_merged_ticket_hands_its_thread_on(town: Town) -> None:
    """Given a merge, when it is seen, then later posts reach the surviving ticket, and its words reach the thread."""
    case = escalate(town)
    target = open_ticket(town, subject="The same cartons")
    town.run()
    town.people.ticket_form(case.ticket, "merge", into=str(target))
    read_before = len(calls(town, "zendesk", "GET", f"/tickets/{target}/audits"))
    hear(town, "merged", case.ticket)

    assert len(calls(town, "zendesk", "GET", f"/tickets/{target}/audits")) == read_before + 1, "the target is re-read"

    partner_says(town, case, "We have found one carton.")
    town.people.say(target, "#partner Thank you, and the other one?")
    town.run()

    assert len(relayed(town, case.ticket)) == 0
    assert len(relayed(town, target)) == 1
    assert len(threads(town)) == 1
    (said,) = posts(town, case.thread)
    assert "and the other one?" in said


def test_z1_05_tickets_of_two_partners_stay_apart(town: Town) -> None:
    """Given a merge of two partners' tickets, when it is seen, then the cases stay apart and a person is asked."""
    ours, theirs = escalate(town, ACME), escalate(town, GLOBEX)
    town.people.ticket_form(ours.ticket, "merge", into=str(theirs.ticket))
    town.run()
    town.people.say(theirs.ticket, "#partner A word for Globex alone.")
    town.run()
    partner_says(town, ours, "A word of Acme's.")

    ((reason, detail),) = town.dead()
    assert reason == "cross_partner"
    assert f"zendesk:ticket:{theirs.ticket}" in detail
    assert posts(town, ours.thread) == []
    assert len(posts(town, theirs.thread)) == 1
    assert relayed(town, theirs.ticket) == []
    assert town.by_us("zendesk", "ticket_created")[-1]["followup_source_id"] == ours.ticket


def test_z1_06_a_closed_ticket_is_followed_up_when_the_partner_still_writes(town: Town) -> None:
    """Given the escalated ticket is closed, when the partner writes twice, then one follow-up ticket holds both."""
    case = escalate(town)
    close(town, case.ticket)
    partner_says(town, case, "One more carton is missing.")
    partner_says(town, case, "And a pallet.")

    (follow_up,) = town.by_us("zendesk", "ticket_created")
    assert len(relayed(town, follow_up["obj"])) == 2
    assert relayed(town, case.ticket) == []
    assert len(threads(town)) == 1

    town.people.say(follow_up["obj"], "#partner We are looking into it.")
    town.run()
    (said,) = posts(town, case.thread)
    assert "We are looking into it." in said


def test_z1_07_marked_again_the_new_text_becomes_a_post(town: Town) -> None:
    """Given a ticket marked again with a new text, when it is read, then the thread is found and gets the text."""
    case = escalate(town)
    town.people.ticket_form(case.ticket, "tags", remove="b2b_partner_issue")
    town.run()
    before = len(posts(town, case.thread))
    town.people.ticket_form(case.ticket, "fields", **{DESCRIPTION: "Now three cartons are missing."})
    town.people.ticket_form(case.ticket, "tags", add="b2b_partner_issue")
    town.run()

    assert [entry["obj"] for entry in threads(town)] == [case.thread]
    (again,) = posts(town, case.thread)[before:]
    assert "Now three cartons are missing." in again


def test_z1_09_a_webhook_only_wakes_the_reader(town: Town) -> None:
    """Given a webhook in capitals and text, which is out of date, when it comes, then what the ticket says is sent."""
    ticket = open_ticket(town, {DESCRIPTION: "Two cartons have not arrived.", "priority": "high"})
    town.people.escalate(ticket)
    hear(town, "priority_changed", ticket, priority="LOW", status="SOLVED", subject="An older subject")

    (thread,) = threads(town)
    (created,) = calls(town, "trading_grid", "POST", "/v1/threads")
    told = json.loads(created["request_body"])
    assert (told["priority"], told["title"]) == ("high", "Cartons missing")
    assert thread["external_references"][0]["external_id"] == str(ticket)
    reads = [call for call in calls(town, "zendesk", "GET", f"/tickets/{ticket}") if call["status"] == 200]
    assert reads, "the ticket was read before anything was sent"
    assert reads[0]["at"] < created["at"]


def test_z1_10_unmarked_the_thread_stays_and_is_told(town: Town) -> None:
    """Given the mark is removed, when it is seen, then the partner gets a status post and nothing is deleted."""
    case = escalate(town)
    town.people.ticket_form(case.ticket, "tags", remove="b2b_partner_issue")
    town.run()

    (told,) = [entry for entry in town.by_us("trading_grid", "post_created") if entry["kind"] == "status"]
    assert (told["thread_id"], told["visibility"]) == (case.thread, "partner")
    assert "withdrawn its request" in told["body"]
    assert town.by_us("trading_grid", "post_redacted") == []
    assert town.by_us("trading_grid", "thread_transitioned") == []

    partner_says(town, case, "We go on looking all the same.")
    assert len(relayed(town, case.ticket)) == 1
    assert all("withdrawn its request" not in body for body in notes(town, case.ticket))

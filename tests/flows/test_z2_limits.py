"""Z2: bursts and bounds of a ticket: its updates in ten minutes, its comments in all, its end."""

from datetime import datetime, timedelta
from typing import Any

from tests.flows.tickets import ACME, Escalation, escalate, notes, partner_says, relayed, updates
from tests.town import Town

AMOUNT, WINDOW = 30, timedelta(minutes=10)  # updates of a ticket by one user


def say_all(town: Town, case: Escalation, numbers: range) -> None:
    """The partner posts so often before casebridge looks."""
    for number in numbers:
        town.people.post("acme", case.thread, f"Message number {number:02}.")
    town.run()


def numbers_of(bodies: list[str]) -> list[int]:
    """Which of the messages stand there, in their order."""
    return [int(body.split("Message number ")[1][:2]) for body in bodies]


def most_in_a_window(exchanges: list[dict[str, Any]]) -> int:
    """The largest number of updates within any ten minutes."""
    times = [datetime.fromisoformat(call["at"]) for call in exchanges]
    return max(sum(start <= time < start + WINDOW for time in times) for start in times)


def test_z2_06_a_burst_of_ten_posts_keeps_its_order(town: Town) -> None:
    """Given ten posts at once, when they are written, then they stand in the ticket in the thread's order."""
    case = escalate(town)
    say_all(town, case, range(1, 11))

    assert numbers_of(relayed(town, case.ticket)) == list(range(1, 11))


def test_z2_06_forty_posts_arrive_within_the_tickets_limit(town: Town) -> None:
    """Given forty posts at once, when they are written, then 30 updates in ten minutes hold and all stand in order."""
    case, other = escalate(town), escalate(town, order="PO-4712")
    say_all(town, case, range(1, 41))

    first = relayed(town, case.ticket)
    assert len(updates(town, case.ticket)) == AMOUNT
    partner_says(town, other, "Another ticket goes on.")
    assert len(relayed(town, other.ticket)) == 1

    town.clock_forward(300)
    assert relayed(town, case.ticket) == first
    town.clock_forward(301)

    assert numbers_of(relayed(town, case.ticket)) == list(range(1, 41))
    assert most_in_a_window(updates(town, case.ticket)) <= AMOUNT
    assert [call["status"] for call in updates(town, case.ticket)] == [200] * len(updates(town, case.ticket))
    assert town.dead() == []


def test_z2_06_a_ticket_of_two_partners_has_one_limit(town: Town) -> None:
    """Given two partners' posts for one ticket, when they are written, then together they keep its limit."""
    ticket = int(town.people.open_ticket(ACME, "Cartons missing", "x", field_360001="acme globex")["ticket_id"])
    town.people.escalate(ticket)
    town.run()
    made = {entry["partner_id"]: entry["obj"] for entry in town.by_us("trading_grid", "thread_created")}
    for number in range(1, 17):
        for partner in ("acme", "globex"):
            town.people.post(partner, made[f"prt_{partner}"], f"Message number {number:02}.")
        town.run()
    town.clock_forward(601)

    assert sorted(numbers_of(relayed(town, ticket))) == sorted([*range(1, 17), *range(1, 17)])
    assert most_in_a_window(updates(town, ticket)) <= AMOUNT
    assert {call["status"] for call in updates(town, ticket)} == {200}


def test_z2_06_a_429_of_one_ticket_holds_up_that_ticket_alone(town: Town) -> None:
    """Given somebody else used a ticket's updates up, when it is refused, then it alone waits as long as it is told."""
    town.configure(lambda text: text.replace("zendesk:\n  esc", "zendesk:\n  per_ticket_limit: 300\n  esc"))
    case, other = escalate(town), escalate(town, order="PO-4712")
    say_all(town, case, range(1, 31))
    assert {call["status"] for call in updates(town, case.ticket)} == {200, 429}
    partner_says(town, other, "Another ticket goes on.")

    assert len(relayed(town, other.ticket)) == 1
    assert len(relayed(town, case.ticket)) < 30
    town.clock_forward(601)
    assert numbers_of(relayed(town, case.ticket)) == list(range(1, 31))


def test_z2_11_a_deleted_ticket_parks_the_posts(town: Town) -> None:
    """Given a ticket deleted a moment ago, when posts arrive, then each is parked as target_gone, the binding too."""
    case = escalate(town)
    town.people.switch("zendesk", "zendesk", {"export_lag_seconds": 3600})
    town.people.ticket_form(case.ticket, "delete")
    partner_says(town, case, "One more carton is missing.")

    assert [reason for reason, _ in town.dead()] == ["target_gone"]
    assert town.rows("select state from link where system = 'zendesk'") == [("gone",)]

    town.people.switch("zendesk", "zendesk", {"export_lag_seconds": 0})
    town.run()
    partner_says(town, case, "And a pallet.")
    assert [reason for reason, _ in town.dead()] == ["target_gone", "target_gone"]
    assert relayed(town, case.ticket) == []


def test_z2_11_a_deletion_that_was_seen_first_loses_no_post(town: Town) -> None:
    """Given the deletion was read before the post, when it arrives, then it is parked all the same."""
    case = escalate(town)
    town.people.ticket_form(case.ticket, "delete")
    town.run()
    assert town.rows("select state from link where system = 'zendesk'") == [("gone",)]
    partner_says(town, case, "One more carton is missing.")

    assert [reason for reason, _ in town.dead()] == ["target_gone"]


def test_z2_12_a_redaction_reaches_the_comment(town: Town) -> None:
    """Given a post was copied, when it is redacted in the thread, then the comment's text is black."""
    case = escalate(town)
    partner_says(town, case, "The first message.")
    post = partner_says(town, case, "A secret of Acme's.")
    town.people.redact_post(post, "a secret")
    town.run()

    (redacted,) = town.by_us("zendesk", "comment_redacted", ticket_id=case.ticket)
    assert "secret" not in redacted["body"]
    copies = [entry["obj"] for entry in town.by_us("zendesk", "comment_added", ticket_id=case.ticket)]
    assert redacted["obj"] == copies[-1]
    assert town.dead() == []


def test_z2_13_a_full_ticket_parks_by_setting(town: Town) -> None:
    """Given a ticket takes no more comments, when a post arrives, then it is parked as target_full and can be sent."""
    case = escalate(town)
    town.people.switch("zendesk", "zendesk", {"comment_limit": len(notes(town, case.ticket)) + 1})
    partner_says(town, case, "One more carton is missing.")

    ((reason, detail),) = town.dead()
    assert reason == "target_full"
    assert "comments" in detail

    town.people.switch("zendesk", "zendesk", {"comment_limit": 5000})
    town.requeue("target_full")
    town.run()
    (body,) = relayed(town, case.ticket)
    assert "One more carton is missing." in body


def test_z2_13_a_full_ticket_goes_on_in_a_new_one_by_setting(town: Town) -> None:
    """Given `when_full: new_ticket`, when posts arrive at a full ticket, then one new ticket holds them all."""
    town.configure(lambda text: text.replace("zendesk:\n  esc", "zendesk:\n  when_full: new_ticket\n  esc"))
    case = escalate(town)
    town.people.switch("zendesk", "zendesk", {"comment_limit": len(notes(town, case.ticket)) + 1})
    partner_says(town, case, "One more carton is missing.")
    town.people.switch("zendesk", "zendesk", {"comment_limit": 5000})
    partner_says(town, case, "And a pallet.")

    (made,) = town.by_us("zendesk", "ticket_created")
    assert made["followup_source_id"] is None
    assert len(relayed(town, made["obj"])) == 2
    assert relayed(town, case.ticket) == []
    assert town.dead() == []

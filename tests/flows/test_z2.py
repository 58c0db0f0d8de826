"""Z2: what a partner writes returns to the ticket. Tests named after the edge cases of flows.md."""

import json

from tests.flows.scenes import calls
from tests.flows.tickets import QUANTITY, close, escalate, notes, partner_says, posts, relayed, sent, updates
from tests.town import Town

UPDATE = "PUT /api/v2/tickets/*"
WORDS = "Two cartons & a <pallet> of PO-4711 are missing; "
JOINER = "\u2060"


def test_z2_01_a_closed_ticket_gets_one_follow_up(town: Town) -> None:
    """Given a closed ticket, when posts arrive, then one private follow-up of it holds the first and the next."""
    case = escalate(town)
    close(town, case.ticket)
    partner_says(town, case, "One more carton is missing.")
    partner_says(town, case, "And a pallet.")

    (made,) = town.by_us("zendesk", "ticket_created")
    assert made["followup_source_id"] == case.ticket
    said = town.by_us("zendesk", "comment_added", ticket_id=int(made["obj"]))
    assert [(entry["first"], entry["public"]) for entry in said] == [(True, False), (False, False)]
    assert "One more carton is missing." in said[0]["body"]
    assert "And a pallet." in said[1]["body"]
    assert town.dead() == []


def test_z2_01_a_refusal_of_the_closed_ticket_tells_as_much(town: Town) -> None:
    """Given a ticket that is not read before it is written, when it refuses as closed, then the follow-up is made."""
    town.configure(lambda text: text.replace("zendesk:\n  esc", "zendesk:\n  reopen_solved: false\n  esc"))
    case = escalate(town)
    close(town, case.ticket)
    partner_says(town, case, "One more carton is missing.")
    partner_says(town, case, "And a pallet.")

    (made,) = town.by_us("zendesk", "ticket_created")
    assert len(relayed(town, made["obj"])) == 2
    refused = [call for call in updates(town, case.ticket) if call["status"] == 422]
    assert len(refused) == 1, "the second post goes to the follow-up at once"


def test_z2_02_a_solved_ticket_is_commented_and_opened_again(town: Town) -> None:
    """Given a ticket solved a moment ago, when a post arrives, then it is commented and, as configured, open."""
    case = escalate(town)
    town.people.switch("zendesk", "zendesk", {"export_lag_seconds": 3600})
    town.people.ticket_form(case.ticket, "status", status="solved")
    partner_says(town, case, "One more carton is missing.")

    assert len(relayed(town, case.ticket)) == 1
    assert [entry["new"] for entry in town.by_us("zendesk", "status_changed", ticket_id=case.ticket)][-1] == "open"
    assert town.by_us("zendesk", "ticket_created") == []


def test_z2_02_it_stays_solved_where_the_setting_says_so(town: Town) -> None:
    """Given `reopen_solved: false`, when a post arrives at a solved ticket, then it is commented and stays solved."""
    town.configure(lambda text: text.replace("zendesk:\n  esc", "zendesk:\n  reopen_solved: false\n  esc"))
    case = escalate(town)
    town.people.ticket_form(case.ticket, "status", status="solved")
    town.run()
    before = len(town.by_us("zendesk", "status_changed", ticket_id=case.ticket))
    partner_says(town, case, "One more carton is missing.")

    assert len(relayed(town, case.ticket)) == 1
    assert len(town.by_us("zendesk", "status_changed", ticket_id=case.ticket)) == before
    assert town.dead() == []


def test_z2_03_markup_is_sanitised_and_placeholders_stay_words(town: Town) -> None:
    """Given HTML and placeholders in a post, when it is written, then nothing active is left and nothing expands."""
    case = escalate(town)
    markup = '<p>See <b>this</b> <img src="https://pixel.example/t.gif"> {{ticket.requester.email}} {% if x %}</p>'
    partner_says(town, case, markup, format="html")

    (body,) = relayed(town, case.ticket)
    assert f"See this  {{{JOINER}{{ticket.requester.email}}}} {{{JOINER}% if x %}}" in body
    assert "customer@acme.example" not in body
    wire = sent(updates(town, case.ticket)[-1])["comment"]["html_body"]
    assert "<b>this</b>" in wire
    assert "pixel.example" not in wire


def test_z2_04_a_long_text_comes_whole_in_numbered_parts(town: Town) -> None:
    """Given a text above 64 kB, when it is written, then numbered comments hold all of it, once and in order."""
    case = escalate(town)
    text = "".join(f"{WORDS}{number:04}. " for number in range(1, 1100))
    assert len(text.encode()) > 60_000
    partner_says(town, case, text)

    parts = relayed(town, case.ticket)
    total = len(parts)
    assert total > 1
    assert [f"({number}/{total})" in part for number, part in enumerate(parts, start=1)] == [True] * total
    assert all(len(part.encode()) < 65_536 for part in parts)
    words = "".join(part.split("\n", 1)[1] for part in parts).split()
    assert words == text.split()


def test_z2_04_a_part_whose_answer_was_lost_stands_once(town: Town) -> None:
    """Given the answer to one part was lost, when it is tried again, then only the missing part is written."""
    case = escalate(town)
    town.fault("zendesk", UPDATE, "lost_answer", times=1)
    partner_says(town, case, "".join(f"{WORDS}{number:04}. " for number in range(1, 1100)))

    town.clock_forward(60)

    first, second = relayed(town, case.ticket)
    assert "(1/2)" in first
    assert "(2/2)" in second


def test_z2_05_our_own_post_makes_no_comment(town: Town) -> None:
    """Given our own post in the thread, when its event arrives, then it is an echo: no comment, no further post."""
    case = escalate(town)
    town.people.say(case.ticket, "#partner Where are the cartons?")
    town.run()
    before = len(notes(town, case.ticket))
    town.clock_forward(60)

    assert len(posts(town, case.thread)) == 1
    assert len(notes(town, case.ticket)) == before
    assert relayed(town, case.ticket) == []


def test_z2_07_a_lost_answer_is_looked_up_by_our_mark(town: Town) -> None:
    """Given the answer to a comment was lost, when tried again, then the comments are searched: it stands once."""
    case = escalate(town)
    town.fault("zendesk", UPDATE, "lost_answer", times=1)
    partner_says(town, case, "One more carton is missing.")
    partner_says(town, case, "And a pallet.")
    town.clock_forward(60)

    assert ["One more carton" in body for body in relayed(town, case.ticket)] == [True, False]
    marked = town.by_us("zendesk", "comment_added", ticket_id=case.ticket)
    assert len({json.dumps(entry["marks"]["casebridge"]["op"]) for entry in marked}) == len(marked)
    assert calls(town, "zendesk", "GET", f"/tickets/{case.ticket}/comments")


def test_z2_08_each_comment_says_whether_it_is_public(town: Town) -> None:
    """Given every kind of comment that we write, when it is sent, then `public: false` is in its body."""
    case = escalate(town)
    partner_says(town, case, "One more carton is missing.")
    close(town, case.ticket)
    partner_says(town, case, "And a pallet.")

    written = [*calls(town, "zendesk", "PUT", "/tickets/"), *calls(town, "zendesk", "POST", "/tickets")]
    comments = [ticket["comment"] for call in written if "comment" in (ticket := sent(call))]
    assert len(comments) == len(town.by_us("zendesk", "comment_added"))
    assert all(comment["public"] is False for comment in comments)
    assert not any(entry["public"] for entry in town.by_us("zendesk", "comment_added"))


def test_z2_10_a_typed_update_fills_its_field_on_what_the_ticket_holds_now(town: Town) -> None:
    """Given a quantity correction and a ticket that moved meanwhile, when written, then it is read again and filled."""
    case = escalate(town)
    before = len(updates(town, case.ticket))
    town.fault("zendesk", UPDATE, "status", status=409, times=1)
    partner_says(town, case, "Corrected quantity is 40.", update_type="quantity_correction")

    first, second = (sent(call) for call in updates(town, case.ticket)[before:])
    for ticket in (first, second):
        assert ticket["safe_update"] is True
        assert ticket["updated_stamp"]
        assert ticket["custom_fields"] == [{"id": int(QUANTITY.removeprefix("field_")), "value": "40"}]
    reads = [
        call for call in calls(town, "zendesk", "GET", f"/tickets/{case.ticket}") if "include" not in call["query"]
    ]
    assert len([call for call in reads if call["path"].endswith(f"/{case.ticket}")]) == 2
    assert len(relayed(town, case.ticket)) == 1

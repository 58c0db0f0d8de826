"""The person pages: agents and customers act by plain forms, with the same effects as the API's."""

from __future__ import annotations

import pytest

from tests.sandbox.zendesk.desk import Desk


def new_ticket(desk: Desk, **fields: str) -> int:
    """A ticket of Acme's customer, made by agent A."""
    answer = desk.form(
        "/person/tickets",
        **{
            "as": "9101",
            "organization_id": "500",
            "subject": "Late <delivery>",
            "body": "Where is it?",
            "visibility": "public",
            **fields,
        },
    )
    return int(answer.json()["ticket_id"])


def test_an_agent_creates_a_ticket_for_a_partner_s_customer(desk: Desk) -> None:
    """Given the form, when sent, then the ticket has organization, fields, tags and a public first comment."""
    number = new_ticket(desk, priority="high", tags="vip", field_360003="PO-1", field_360002="late_shipment")
    ticket = desk.show(number)
    assert (ticket["organization_id"], ticket["requester_id"], ticket["priority"]) == (500, 9201, "high")
    assert ticket["tags"] == ["late_shipment", "vip"]
    assert {"id": 360003, "value": "PO-1"} in ticket["custom_fields"]
    assert ticket["via"]["channel"] == "web"
    created = desk.effects("ticket_created")[0]
    assert (created["by"], created["obj"]) == ("agent:9101", str(number))


def test_an_agent_escalates_notes_and_solves(desk: Desk) -> None:
    """Given a ticket, when the buttons are used, then tag, note and status change under the agent's name."""
    number = new_ticket(desk)
    at = f"/person/tickets/{number}"
    desk.form(f"{at}/escalate", **{"as": "9102"})
    said = desk.form(f"{at}/comment", **{"as": "9102", "body": "#partner please confirm", "visibility": "private"})
    desk.form(f"{at}/status", **{"as": "9102", "status": "solved"})
    note = desk.comments(number)[-1]
    assert (note["id"], note["public"], note["author_id"]) == (said.json()["comment_id"], False, 9102)
    assert (desk.show(number)["tags"], desk.show(number)["status"]) == (["b2b_partner_issue"], "solved")
    assert desk.effects("tags_changed")[-1]["by"] == "agent:9102"
    desk.form(f"{at}/tags", **{"as": "9102", "add": "x", "remove": "b2b_partner_issue"})
    assert desk.show(number)["tags"] == ["x"]


def test_a_file_of_the_form_hangs_on_the_comment(desk: Desk) -> None:
    """Given a chosen file, when the comment is sent, then the comment carries it."""
    number = new_ticket(desk)
    desk.session.post(
        f"{desk.url}/person/tickets/{number}/comment",
        data={"as": "9101", "body": "proof", "visibility": "private"},
        files={"file": ("proof.pdf", b"%PDF-", "application/pdf")},
    )
    file = desk.comments(number)[-1]["attachments"][0]
    assert (file["file_name"], desk.session.get(file["content_url"]).content) == ("proof.pdf", b"%PDF-")
    left = desk.form(f"/person/attachments/{file['id']}/redact", **{"as": "9101"})
    assert left.json()["attachment_id"] == file["id"]
    assert desk.comments(number)[-1]["attachments"][0]["file_name"] == "redacted.txt"


def test_a_customer_s_reply_is_public_and_reopens(desk: Desk) -> None:
    """Given a solved ticket, when its customer replies, then the reply is public and the ticket open."""
    number = new_ticket(desk)
    desk.form(f"/person/tickets/{number}/status", **{"as": "9101", "status": "solved"})
    desk.form(f"/person/tickets/{number}/comment", **{"as": "9201", "body": "still missing {{ticket.id}}"})
    reply = desk.comments(number)[-1]
    assert (reply["public"], reply["body"]) == (True, "still missing {{ticket.id}}")
    assert desk.show(number)["status"] == "open"
    assert desk.effects("comment_added")[-1]["by"] == "user:9201"


def test_a_solved_ticket_can_be_closed_and_followed_up(desk: Desk) -> None:
    """Given the close button, when pressed, then the ticket refuses changes and a follow-up goes on."""
    number = new_ticket(desk)
    at = f"/person/tickets/{number}"
    assert desk.form(f"{at}/close").status_code == 422
    desk.form(f"{at}/status", status="solved")
    desk.form(f"{at}/close")
    assert desk.show(number)["status"] == "closed"
    assert "closed prevents" in desk.form(f"{at}/comment", body="late").json()["error"]
    follow_up = desk.form(f"{at}/follow-up", body="again").json()["ticket_id"]
    assert desk.show(number)["followup_ids"] == [follow_up]


def test_fields_merge_redact_and_delete(desk: Desk) -> None:
    """Given two tickets, when the other forms are used, then each has its effect."""
    first, second = new_ticket(desk), new_ticket(desk)
    desk.form(f"/person/tickets/{first}/fields", field_360001="acme", field_360007="INV-1")
    assert {"id": 360001, "value": "acme"} in desk.show(first)["custom_fields"]
    assert desk.form(f"/person/tickets/{second}/merge", into=str(first)).json()["ticket_id"] == first
    assert desk.show(second)["status"] == "closed"
    comment = desk.comments(first)[0]["id"]
    desk.form(f"/person/comments/{comment}/redact", text="Where")
    assert desk.comments(first)[0]["body"] == "▇▇▇▇▇ is it?"
    desk.form(f"/person/comments/{comment}/private")
    assert desk.comments(first)[0]["public"] is False
    desk.form(f"/person/tickets/{first}/delete")
    assert desk.call("GET", f"/tickets/{first}").status_code == 404


@pytest.mark.parametrize("path", ["/", "/person/tickets/new", "/person/tickets/1", "/person/customer/tickets/1"])
def test_pages_show_what_is_there_escaped(desk: Desk, path: str) -> None:
    """Given a subject with markup, when any page is opened, then it is shown as text."""
    new_ticket(desk)
    page = desk.session.get(f"{desk.url}{path}")
    assert page.status_code == 200
    assert "<delivery>" not in page.text
    assert ("Late &lt;delivery&gt;" in page.text) is (path != "/person/tickets/new")


def test_a_customer_sees_no_internal_note(desk: Desk) -> None:
    """Given an internal note, when the customer's page is opened, then the note is not on it."""
    number = new_ticket(desk)
    desk.form(f"/person/tickets/{number}/comment", body="between us", visibility="private")
    assert "between us" not in desk.session.get(f"{desk.url}/person/customer/tickets/{number}").text
    assert "between us" in desk.session.get(f"{desk.url}/person/tickets/{number}").text


def test_a_browser_is_sent_to_the_ticket(desk: Desk) -> None:
    """Given a browser, when a form is sent, then 303 leads to the ticket's page; a missing one is 404."""
    number = new_ticket(desk)
    answer = desk.session.post(
        f"{desk.url}/person/tickets/{number}/status", data={"status": "open"}, allow_redirects=False
    )
    assert (answer.status_code, answer.headers["location"]) == (303, f"/person/tickets/{number}")
    assert desk.session.get(f"{desk.url}/person/tickets/99").status_code == 404


def test_reset_brings_the_start_data_back(desk: Desk) -> None:
    """Given a used sandbox, when reset, then tickets, journal and settings are as at the start."""
    new_ticket(desk)
    desk.settings(export_lag_seconds=0)
    desk.session.post(f"{desk.url}/_sandbox/reset")
    state = desk.session.get(f"{desk.url}/_sandbox/state").json()
    assert (state["tickets"], state["settings"]["export_lag_seconds"]) == ([], 60.0)
    assert desk.kit.journal.entries() == []

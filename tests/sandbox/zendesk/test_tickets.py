"""Tickets: idempotent creation, follow-ups, safe updates, closed tickets, tags, merges, warnings."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.sandbox.zendesk.desk import Desk

NEW = {"ticket": {"subject": "x", "comment": {"body": "hello", "public": False}}}


def post(desk: Desk, body: Any, key: str) -> requests.Response:
    """Create under an idempotency key."""
    return desk.call("POST", "/tickets", body, headers={"idempotency-key": key})


def test_a_replayed_creation_gets_the_stored_answer_for_two_hours(desk: Desk) -> None:
    """Given a key, when it is replayed at once and after two hours, then hit, and then a second ticket."""
    first = post(desk, NEW, "k1")
    again = post(desk, NEW, "k1")
    assert (first.headers["x-idempotency-lookup"], again.headers["x-idempotency-lookup"]) == ("miss", "hit")
    assert again.content == first.content
    assert again.headers["location"] == first.headers["location"] == f"{desk.url}/api/v2/tickets/1.json"
    desk.pass_time(7201)
    desk.session.headers["authorization"] = f"Bearer {desk.login().json()['access_token']}"
    assert post(desk, NEW, "k1").json()["ticket"]["id"] == 2
    assert len(desk.effects("ticket_created")) == 2


def test_another_body_under_the_same_key_is_refused(desk: Desk) -> None:
    """Given a used key, when another body comes under it, then 400 IdempotentRequestError and no ticket."""
    post(desk, NEW, "k1")
    refused = post(desk, {"ticket": {**NEW["ticket"], "subject": "y"}}, "k1")
    assert (refused.status_code, refused.json()["error"]) == (400, "IdempotentRequestError")
    assert len(desk.effects("ticket_created")) == 1


def fault(desk: Desk, **rule: object) -> None:
    """Spoil the next answers of a route."""
    desk.session.post(f"{desk.url}/_sandbox/faults", json={"times": 1, **rule})


def test_a_creation_whose_answer_was_lost_is_found_by_its_key(desk: Desk) -> None:
    """Given an answer lost after the effect, when sent again under the key, then hit and still one ticket."""
    fault(desk, route="POST /api/v2/tickets*", fault="lost_answer")
    with pytest.raises(requests.ConnectionError):
        post(desk, NEW, "k1")
    again = post(desk, NEW, "k1")
    assert (again.status_code, again.headers["x-idempotency-lookup"]) == (201, "hit")
    assert len(desk.effects("ticket_created")) == 1


def test_a_comment_sent_again_after_a_lost_answer_stands_twice(desk: Desk) -> None:
    """Given a PUT under a key, when it is repeated blindly, then the key protects nothing: two comments."""
    desk.create()
    fault(desk, route="PUT /api/v2/tickets/1*", fault="lost_answer")
    body = {"ticket": {"comment": {"body": "twice", "public": False}}}
    with pytest.raises(requests.ConnectionError):
        desk.call("PUT", "/tickets/1", body, headers={"idempotency-key": "k2"})
    desk.call("PUT", "/tickets/1", body, headers={"idempotency-key": "k2"})
    assert [comment["body"] for comment in desk.comments(1)] == ["first", "twice", "twice"]


def test_an_external_id_is_not_unique_and_lists_every_ticket(desk: Desk) -> None:
    """Given two tickets with one external id, when listed by it, then both come at once."""
    desk.create(external_id="prt:1")
    desk.create(external_id="prt:1")
    desk.create(external_id="prt:2")
    found = desk.call("GET", "/tickets", params={"external_id": "prt:1"}).json()
    assert [ticket["id"] for ticket in found["tickets"]] == [1, 2]


def test_search_does_not_know_a_new_ticket_for_minutes(desk: Desk) -> None:
    """Given a new ticket, when searched, then it is missing until the index has caught up; page 11 is 422."""
    desk.create(external_id="prt:1")
    query = {"query": "type:ticket external_id:prt:1"}
    assert desk.call("GET", "/search", params=query).json()["count"] == 0
    desk.pass_time(121)
    assert desk.call("GET", "/search", params=query).json()["results"][0]["id"] == 1
    assert desk.call("GET", "/search", params={**query, "page": "11"}).status_code == 422


@pytest.mark.parametrize("word", [True, False, "false"])
def test_safe_update_guards_whatever_its_value(desk: Desk, word: object) -> None:
    """Given a stale stamp, when safe_update is true or even false, then 409 and nothing is written."""
    ticket = desk.create()
    stale = desk.update(1, status="pending", safe_update=word, updated_stamp="2026-01-01T00:00:00Z")
    assert (stale.status_code, stale.json()["error"]) == (409, "UpdateConflict")
    fresh = desk.update(1, status="pending", safe_update=word, updated_stamp=ticket["updated_at"])
    assert fresh.json()["ticket"]["status"] == "pending"


def test_a_closed_ticket_refuses_and_a_follow_up_goes_on(desk: Desk) -> None:
    """Given a closed ticket, when written to, then 422; a follow-up inherits its tags and is tied to it."""
    desk.create(tags=["b2b"])
    assert desk.call("POST", "/tickets", {"ticket": {**NEW["ticket"], "via_followup_source_id": 1}}).status_code == 422
    desk.update(1, status="closed")
    refused = desk.update(1, comment={"body": "late", "public": False})
    assert refused.status_code == 422
    assert refused.json()["details"] == {"status": [{"description": "Status: closed prevents ticket update"}]}
    follow_up = desk.create("late", via_followup_source_id=1)
    assert (follow_up["tags"], follow_up["via"]["source"]["rel"]) == (["b2b"], "follow_up")
    assert desk.show(1)["followup_ids"] == [2]
    assert desk.call("GET", "/tickets/2/related").json()["followup_source_ids"] == ["1"]
    assert desk.effects("ticket_created")[1]["followup_source_id"] == 1


def test_unknown_keys_are_dropped_and_named_in_a_header(desk: Desk) -> None:
    """Given a misspelt key, when sent, then the update works and x-zendesk-api-warn names the key."""
    desk.create()
    answer = desk.update(1, prioritty="high", priority="low")
    assert answer.json()["ticket"]["priority"] == "low"
    assert 'unpermitted_keys=>["prioritty"]' in answer.headers["x-zendesk-api-warn"]


def test_tags_on_a_ticket_replace_while_the_tags_endpoint_adds_and_removes(desk: Desk) -> None:
    """Given tags, when each way of writing is used, then only PUT …/tags and DELETE leave the others alone."""
    desk.create(tags=["a", "b"])
    assert desk.update(1, tags=["c"]).json()["ticket"]["tags"] == ["c"]
    assert desk.call("PUT", "/tickets/1/tags", {"tags": ["a"]}).json()["tags"] == ["a", "c"]
    assert desk.call("DELETE", "/tickets/1/tags", {"tags": ["c"]}).status_code == 204
    assert desk.call("POST", "/tickets/1/tags", {"tags": ["z"]}).status_code == 201
    assert desk.show(1)["tags"] == ["z"]
    stale = {"tags": ["y"], "safe_update": "true", "updated_stamp": "2026-01-01T00:00:00Z"}
    assert desk.call("PUT", "/tickets/1/tags", stale).status_code == 409


def test_a_drop_down_lives_in_the_tags(desk: Desk) -> None:
    """Given a drop-down value, when it is set, its tag appears; when tags are replaced, the field is emptied."""
    desk.create(tags=["b2b"])
    set_ = desk.update(1, custom_fields=[{"id": 360002, "value": "short_shipment"}]).json()["ticket"]
    assert set_["tags"] == ["b2b", "short_shipment"]
    emptied = desk.update(1, tags=["b2b"]).json()["ticket"]
    assert {"id": 360002, "value": None} in emptied["custom_fields"]
    assert desk.update(1, custom_fields=[{"id": 360002, "value": "nonsense"}]).status_code == 422


def test_an_organization_must_be_the_requester_s(desk: Desk) -> None:
    """Given organization 500, when the requester is not of it, then 422; a member works."""
    assert desk.call("POST", "/tickets", {"ticket": {**NEW["ticket"], "organization_id": 500}}).status_code == 422
    assert desk.create(organization_id=500, requester_id=9201)["organization_id"] == 500


def test_an_unknown_requester_becomes_an_end_user(desk: Desk) -> None:
    """Given an unknown e-mail, when used twice, then one end user is made."""
    asked = {"name": "New customer", "email": "New@customer.example"}
    first, second = desk.create(requester=asked), desk.create(requester=asked)
    assert first["requester_id"] == second["requester_id"]
    user = desk.call("GET", f"/users/{first['requester_id']}").json()["user"]
    assert (user["role"], user["email"]) == ("end-user", "new@customer.example")


def test_the_journal_tells_a_creation_once_and_first(desk: Desk) -> None:
    """Given a ticket with tags and a comment, when created, then two entries: the ticket, then its comment."""
    desk.create(tags=["a"], custom_fields=[{"id": 360001, "value": "acme"}])
    entries = desk.kit.journal.entries()
    assert [entry["effect"] for entry in entries] == ["ticket_created", "comment_added"]
    assert (entries[0]["tags"], entries[1]["first"], entries[1]["parent"]) == (["a"], True, "1")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/tickets/1", {"ticket": {"custom_fields": ["x"]}}),
        ("PUT", "/tickets/1", {"ticket": []}),
        ("PUT", "/tickets/1", ["x"]),
        ("GET", "/tickets?per_page=x", None),
        ("GET", "/search?query=a&page=x", None),
        ("GET", "/tickets?page[size]=2&page[after]=x", None),
        ("GET", "/tickets/show_many?ids=a", None),
        ("GET", "/incremental/tickets/cursor", None),
    ],
)
def test_malformed_requests_are_400_and_never_500(desk: Desk, method: str, path: str, body: object) -> None:
    """Given a body or query of the wrong shape, when sent, then 400 with an `error`."""
    desk.create()
    answer = desk.call(method, path, body)
    assert answer.status_code == 400
    assert "error" in answer.json()


def test_ids_as_text_are_refused(desk: Desk) -> None:
    """Given an id as a string, when written, then 400 names the attribute."""
    desk.create()
    assert "must be an integer" in desk.update(1, assignee_id="9101").json()["error"]["message"]
    assert desk.update(1, custom_fields=[{"id": "360001", "value": "acme"}]).status_code == 400


def test_audit_events_spell_ids_as_text(desk: Desk) -> None:
    """Given a change of the assignee, when its audit is read, then ids are text and null stays null."""
    desk.create()
    desk.update(1, assignee_id=9101, metadata={"casebridge": {"delivery": "d1"}})
    audit = desk.call("GET", "/tickets/1/audits").json()["audits"][-1]
    change = next(event for event in audit["events"] if event["field_name"] == "assignee_id")
    assert (change["type"], change["value"], change["previous_value"]) == ("Change", "9101", None)
    assert audit["metadata"]["custom"] == {"casebridge": {"delivery": "d1"}}


def test_an_update_without_a_change_leaves_no_trace(desk: Desk) -> None:
    """Given equal values, when written, then no audit is stored and `updated_at` stays."""
    before = desk.create(tags=["a"])
    desk.pass_time(30)
    answer = desk.update(1, tags=["a"], status="new").json()
    assert (answer["audit"]["events"], answer["ticket"]["updated_at"]) == ([], before["updated_at"])
    assert len(desk.call("GET", "/tickets/1/audits").json()["audits"]) == 1


def test_a_merge_closes_the_source_and_its_job_ends_later(desk: Desk) -> None:
    """Given two tickets, when merged, then a job works, the source is closed and tagged, the note is private."""
    desk.create("first words")
    desk.create("other words")
    job = desk.call("POST", "/tickets/1/merge", {"ids": [2]}).json()["job_status"]
    polls = [desk.call("GET", f"/job_statuses/{job['id']}").json()["job_status"]["status"] for _ in range(2)]
    assert (job["status"], polls) == ("queued", ["working", "completed"])
    source, note = desk.show(2), desk.comments(1)[-1]
    assert (source["status"], source["tags"]) == ("closed", ["closed_by_merge"])
    assert "other words" in note["body"]
    assert note["public"] is False
    assert desk.effects("ticket_merged")[0]["target_ticket_id"] == 1


def test_a_deleted_ticket_is_not_found(desk: Desk) -> None:
    """Given a deleted ticket, when asked for, then 404 RecordNotFound everywhere."""
    desk.create()
    assert desk.call("DELETE", "/tickets/1").status_code == 204
    for path in ("/tickets/1", "/tickets/1/comments", "/tickets/1/audits"):
        answer = desk.call("GET", path)
        assert (answer.status_code, answer.json()) == (404, {"error": "RecordNotFound", "description": "Not found"})


def test_statuses_and_custom_statuses_move_together(desk: Desk) -> None:
    """Given custom statuses, when either is set, then the other follows; `hold` can be switched off."""
    desk.create()
    assert desk.update(1, custom_status_id=8103).json()["ticket"]["status"] == "pending"
    assert desk.update(1, status="solved").json()["ticket"]["custom_status_id"] == 8005
    desk.settings(hold_enabled=False)
    assert desk.update(1, status="hold").status_code == 422

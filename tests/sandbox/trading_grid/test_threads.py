"""Threads: opening, changing, moving, binding."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.trading_grid.vocabulary import TRANSITIONS
from tests.sandbox.trading_grid.community import Caller, Community

TICKET = {"system": "zendesk", "instance": "hub", "object_type": "ticket", "external_id": "48112"}
RESOLUTION = {"outcome": "credited", "summary": "Credit memo CM-118 issued."}
PATHS = {
    "received": (), "assigned": ("assigned",), "in_progress": ("in_progress",),
    "awaiting_partner": ("awaiting_partner",), "awaiting_approval": ("assigned", "awaiting_approval"),
    "resolved": ("assigned", "resolved"), "closed": ("assigned", "resolved", "closed"), "withdrawn": ("withdrawn",),
}  # fmt: skip


def needed(state: str) -> dict[str, Any]:
    """What a transition to this state has to bring."""
    extra: dict[str, dict[str, Any]] = {
        "awaiting_partner": {"awaiting_reason": "documents"}, "resolved": {"resolution": RESOLUTION},
        "in_progress": {"reason": "go on"},
    }  # fmt: skip
    return extra.get(state, {})


def test_a_partners_thread_starts_new_with_its_text_as_first_post(
    hub: Caller, acme: Caller, community: Community
) -> None:
    """Given a partner's description, when the thread opens, then the hub finds it new, with the first post and
    two events."""
    thread = acme.thread(description="12 of 20 cartons", severity="critical", external_references=[TICKET])

    seen = hub.get(f"/threads/{thread['id']}")
    assert (seen["state"], seen["created_by"]["type"]) == ("new", "partner_user")
    assert "severity" not in seen
    assert "external_references" not in seen
    posts = hub.get(f"/threads/{thread['id']}/posts")["_embedded"]["collection"]
    assert [post["body"]["text"] for post in posts] == ["12 of 20 cartons"]
    assert [event["type"] for event in hub.events()] == ["thread.created", "post.created"]
    assert community.effects("thread_created")[0]["by"] == "partner:acme"


def test_a_held_external_reference_names_its_holder(hub: Caller) -> None:
    """Given a bound thread, when a second one is created or bound with the same reference, then 409 with
    existing_id."""
    first, second = hub.thread(external_references=[TICKET]), hub.thread()
    body = {"partner_id": "prt_acme", "type": "exception", "title": "again", "external_references": [TICKET]}

    bound = hub.put(f"/threads/{second['id']}/external-references", TICKET, 409)
    for refused in (hub.post("/threads", body, 409), bound):
        assert (refused["code"], refused["existing_id"]) == ("external_reference_exists", first["id"])
    found = hub.get("/threads", params={"external_system": "zendesk", "external_id": "48112"})
    assert [entry["id"] for entry in found["_embedded"]["collection"]] == [first["id"]]


def test_binding_twice_is_one_effect(hub: Caller, community: Community) -> None:
    """Given a binding, when it is put again, then nothing changes and one effect stands in the journal."""
    thread = hub.thread()
    once = hub.put(f"/threads/{thread['id']}/external-references", TICKET)

    twice = hub.put(f"/threads/{thread['id']}/external-references", TICKET)

    assert once["revision"] == twice["revision"]
    assert len(community.effects("reference_put")) == 1


@pytest.mark.parametrize("start", sorted(PATHS))
def test_each_state_lets_only_the_listed_ones_follow(hub: Caller, start: str) -> None:
    """Given a thread in a state, when each other state is asked for, then the listed ones go and the rest are
    409 with the list."""
    for target in TRANSITIONS:
        if target == start:
            continue
        thread = hub.thread()
        for step in PATHS[start]:
            hub.move(thread, step, **needed(step))
        if target in TRANSITIONS[start]:
            assert hub.move(thread, target, **needed(target))["state"] == target
        else:
            refused = hub.move(thread, target, 409, **needed(target))
            assert (refused["code"], refused["allowed_transitions"]) == ("invalid_transition", list(TRANSITIONS[start]))


def test_the_same_state_for_the_same_reason_is_a_no_op(hub: Caller) -> None:
    """Given a thread awaiting documents, when that is asked again with a note, then 200 without event, post or
    revision."""
    thread = hub.thread()
    once = hub.move(thread, "awaiting_partner", awaiting_reason="documents")
    count = len(hub.events())

    again = hub.move(thread, "awaiting_partner", awaiting_reason="documents", public_note="Please!")

    assert again["revision"] == once["revision"]
    assert len(hub.events()) == count
    assert hub.move(thread, "awaiting_partner", awaiting_reason="input")["awaiting_reason"] == "input"


def test_a_public_note_becomes_a_status_post_for_the_partner(hub: Caller, acme: Caller, community: Community) -> None:
    """Given a transition with a note, when it is done, then the partner reads the note as a status post."""
    thread = hub.thread()

    hub.move(thread, "assigned", public_note="We are on it.", reason="internal words")

    (post,) = acme.get(f"/threads/{thread['id']}/posts")["_embedded"]["collection"]
    assert (post["kind"], post["body"]["text"], post["author"]["id"]) == ("status", "We are on it.", "hub")
    (moved,) = community.effects("thread_transitioned")
    assert (moved["old"], moved["new"], moved["public_note"]) == ("received", "assigned", "We are on it.")
    hidden = hub.thread(visibility="internal")
    assert hub.move(hidden, "assigned", 422, public_note="x")["code"] == "visibility_violation"


@pytest.mark.parametrize("target", ["awaiting_partner", "resolved"])
def test_a_transition_without_what_it_needs_is_refused(hub: Caller, target: str) -> None:
    """Given no awaiting_reason or no resolution, when asked for, then 422 names the missing member."""
    thread = hub.thread()
    hub.move(thread, "assigned")

    refused = hub.move(thread, target, 422)

    wanted = {"awaiting_partner": "/awaiting_reason", "resolved": "/resolution"}[target]
    assert [error["pointer"] for error in refused["errors"]] == [wanted]


def test_a_partner_disputes_confirms_or_withdraws_and_nothing_else(hub: Caller, acme: Caller) -> None:
    """Given a resolved thread, when the partner acts, then reopening needs a reason and counts, and other
    states are 409."""
    thread = hub.thread()
    assert acme.move(thread, "assigned", 409)["allowed_transitions"] == ["withdrawn"]
    hub.move(thread, "assigned")
    hub.move(thread, "resolved", resolution=RESOLUTION)

    assert acme.move(thread, "in_progress", 422)["errors"][0]["pointer"] == "/reason"
    assert acme.move(thread, "in_progress", reason="still short")["reopen_count"] == 1
    assert "thread.reopened" in [event["type"] for event in hub.events()]
    hub.move(thread, "resolved", resolution=RESOLUTION)
    assert acme.move(thread, "closed")["state"] == "closed"


def test_a_partner_edits_the_title_and_leaves_the_hubs_members_alone(hub: Caller, acme: Caller) -> None:
    """Given a partner's patch with a title and a severity, when merged, then the title changes, with one
    thread.updated."""
    thread = acme.thread()

    acme.patch(f"/threads/{thread['id']}", {"title": "Short by 8", "severity": "critical"}, match=thread)

    seen = hub.get(f"/threads/{thread['id']}")
    assert (seen["title"], seen.get("severity")) == ("Short by 8", None)
    updated = [event for event in hub.events() if event["type"] == "thread.updated"]
    assert [event["changed_fields"] for event in updated] == [["title"]]


def test_a_patch_that_changes_nothing_makes_no_event(hub: Caller) -> None:
    """Given a thread, when its own title is patched in, then revision and feed stay."""
    thread = hub.thread()

    same = hub.patch(f"/threads/{thread['id']}", {"title": thread["title"]}, match=thread)

    assert same["revision"] == thread["revision"]
    assert [event["type"] for event in hub.events()] == ["thread.created"]


def test_a_thread_that_the_partner_has_read_cannot_be_hidden(hub: Caller, acme: Caller) -> None:
    """Given a read thread, when the hub narrows it, then 422 visibility_violation."""
    thread = hub.thread()
    acme.get(f"/threads/{thread['id']}")

    refused = hub.patch(f"/threads/{thread['id']}", {"visibility": "internal"}, 422, match=thread)

    assert refused["code"] == "visibility_violation"


def test_an_audience_cannot_take_part(hub: Caller) -> None:
    """Given an audience group, when it is a participant of a new or an old thread, then 422 fan_out_required."""
    thread = hub.thread()
    body = {"partner_id": "prt_acme", "type": "exception", "title": "x", "participant_group_ids": ["grp_all_partners"]}

    assert hub.post("/threads", body, 422)["code"] == "fan_out_required"
    path = f"/threads/{thread['id']}/participants"
    assert hub.put(f"{path}/grp_all_partners", {"kind": "partner_team"}, 422)["code"] == "fan_out_required"
    assert hub.put(f"{path}/grp_acme_log", {"kind": "partner_team"})["display_name"] == "Acme Logistics logistics desk"
    assert hub.put(f"{path}/con_acme", {"kind": "partner_contact"})["display_name"] == "Dana Lee"


def test_too_many_hops_are_a_loop(hub: Caller) -> None:
    """Given nine hops, when written, then 422 hop_limit."""
    body = {"partner_id": "prt_acme", "type": "question", "title": "x", "origin": {"system": "gemini", "hop_count": 9}}

    assert hub.post("/threads", body, 422)["code"] == "hop_limit"


def test_the_same_transaction_twice_is_one_reference(hub: Caller, community: Community) -> None:
    """Given a transaction reference, when it is added again, then the stored one comes back and no event is made."""
    thread = hub.thread()
    entry = {"standard": "x12", "document_type": "856", "interchange_control_number": "000000905",
             "references": [{"type": "purchase_order", "value": "4500123456"}]}  # fmt: skip
    path = f"/threads/{thread['id']}/transaction-references"

    first, second = hub.call("POST", path, entry), hub.call("POST", path, entry)

    assert first.json() == second.json()
    assert second.headers["Idempotent-Replayed"] == "true"
    assert len(community.effects("transaction_reference_added")) == 1
    query = {"reference_type": "purchase_order", "reference_value": "4500123456"}
    assert hub.get("/threads", params=query)["_embedded"]["collection"][0]["id"] == thread["id"]


def test_an_unanswered_thread_breaches_its_sla(hub: Caller, acme: Caller, community: Community) -> None:
    """Given a partner's urgent thread, when an hour passes without answer, then thread.sla_breached; binding
    Gemini stamps it."""
    thread = acme.thread(priority="urgent")

    community.later(3_700)
    late = community.caller("casebridge")

    breach = [event for event in late.events() if event["type"] == "thread.sla_breached"]
    assert [event["data"] for event in breach] == [{"breach": "response"}]
    bound = late.put(f"/threads/{thread['id']}/external-references", TICKET | {"system": "gemini"})
    assert bound["sla"]["escalated_time"] is not None


def test_pages_are_stable_while_threads_are_added(hub: Caller) -> None:
    """Given a list read page by page, when a thread is added in between, then no entry comes twice or is missed."""
    wanted = [hub.thread(title=f"T{number}")["id"] for number in range(5)]
    first = hub.get("/threads", params={"items-per-page": "2", "sortby": "create_time asc"})
    hub.thread(title="later")

    found, page = list(first["_embedded"]["collection"]), first["page"]
    while page["next_cursor"]:
        query = {"items-per-page": "2", "sortby": "create_time asc", "cursor": page["next_cursor"]}
        answer = hub.get("/threads", params=query)
        found, page = found + answer["_embedded"]["collection"], answer["page"]

    assert [entry["id"] for entry in found][:5] == wanted
    assert len(found) == 6

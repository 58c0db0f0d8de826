"""The ten isolation rules of the contract, each with partners A and B and, where it matters, tenants 1 and 2."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from tests.sandbox.trading_grid.community import API, Caller, Community

GEMINI = {"system": "gemini", "instance": "prod", "object_type": "issue", "external_id": "90417"}


def without_trace(body: Any) -> Any:
    """A problem without the one member that may differ."""
    return {name: value for name, value in body.items() if name != "trace_id"}


def test_i1_a_partner_sees_its_own_partner_visible_objects_only(hub: Caller, acme: Caller, globex: Caller) -> None:
    """Given visible and internal threads, posts and documents, when partners read, then each gets only its own
    visible ones."""
    visible, internal = hub.thread(), hub.thread(visibility="internal")
    said, hidden = hub.say(visible, "for you"), hub.say(visible, "for us", "internal")
    linked, kept = hub.document(), hub.document(name="memo.pdf")
    hub.call("PUT", f"/threads/{visible['id']}/documents/{linked['id']}", {"visibility": "partner"})

    for path in (f"/threads/{visible['id']}", f"/posts/{said['id']}", f"/documents/{linked['id']}"):
        acme.get(path)
        globex.get(path, 404)
    for path in (f"/threads/{internal['id']}", f"/posts/{hidden['id']}", f"/documents/{kept['id']}"):
        acme.get(path, 404)


def test_i2_a_foreign_object_answers_like_a_missing_one(hub: Caller, globex: Caller) -> None:
    """Given partner A's thread, when partner B reads, writes or changes it, then the answers equal those for
    no thread at all."""
    thread = hub.thread()
    post = {"kind": "message", "visibility": "partner", "body": {"format": "plain", "text": "x"}}

    for method, tail, body, match in (
        ("GET", "", None, None), ("POST", "/posts", post, None), ("PATCH", "", {"title": "x"}, '"r1"'),
        ("PUT", "/external-references", GEMINI, None), ("PUT", "/documents/doc_none", {"visibility": "partner"}, None),
    ):  # fmt: skip
        foreign = globex.call(method, f"/threads/{thread['id']}{tail}", body, match=match)
        nothing = globex.call(method, f"/threads/thr_none{tail}", body, match=match)
        assert foreign.status_code == nothing.status_code == 404
        assert without_trace(foreign.json()) == without_trace(nothing.json())


def test_i3_internal_work_moves_nothing_that_a_partner_can_see(hub: Caller, acme: Caller) -> None:
    """Given a thread, when the hub works internally on it, then counts, revision, times, sequences and feed
    stay as they were."""
    thread = hub.thread(description="opening")
    before, cursor = acme.call("GET", f"/threads/{thread['id']}"), acme.get("/events", params={"after": "latest"})

    hub.say(thread, "root cause: wave 12", "internal")
    hub.put(f"/threads/{thread['id']}/external-references", GEMINI)
    now = hub.get(f"/threads/{thread['id']}")
    hub.patch(f"/threads/{thread['id']}", {"assignee": "J. Doe"}, match=now)
    hub.thread(visibility="internal")

    after = acme.call("GET", f"/threads/{thread['id']}")
    assert after.json() == before.json()
    assert after.headers["ETag"] == before.headers["ETag"]
    assert acme.get("/threads", params={"include-total": "true"})["total"] == 1
    assert acme.events(cursor["page"]["next_cursor"]) == []
    assert acme.say(thread, "answer")["sequence"] == 2
    assert [event["sequence"] for event in acme.events()] == [1, 2, 3]


def test_i4_no_write_ties_two_partners_together(hub: Caller, acme: Caller, globex: Caller) -> None:
    """Given objects of A and B, when a write would tie them, then the hub gets 422 and a partner 404."""
    of_a, of_b = hub.thread(), hub.thread("prt_globex")
    paper, post = hub.document(), hub.say(of_a, "A's")
    evidence = hub.post(f"/threads/{of_b['id']}/evidence-requests", {
        "title": "POD", "document_class": "proof_of_delivery", "due_time": "2030-01-01T00:00:00Z"})  # fmt: skip
    now = hub.get(f"/threads/{of_b['id']}")
    message = {"kind": "message", "visibility": "partner", "body": {"format": "plain", "text": "x"}}
    writes: list[tuple[str, str, Any, Any]] = [
        ("PUT", f"/threads/{of_b['id']}/participants/grp_acme_log", {"kind": "partner_team"}, None),
        ("PUT", f"/threads/{of_b['id']}/documents/{paper['id']}", {"visibility": "partner"}, None),
        ("POST", f"/documents/{paper['id']}/shares",
         {"principal_type": "partner", "principal_id": "prt_globex", "permission": "view"}, None),
        ("POST", f"/threads/{of_b['id']}/posts", message | {"attachments": [{"document_id": paper["id"]}]}, None),
        ("POST", f"/threads/{of_b['id']}/posts", message | {"reply_to": post["id"]}, None),
        ("PATCH", f"/threads/{of_b['id']}", {"related_thread_ids": [of_a["id"]]}, now),
        ("POST", f"/evidence-requests/{evidence['id']}/fulfilments", {"document_id": paper["id"]}, None),
    ]  # fmt: skip

    for method, path, body, match in writes:
        refused = hub.call(method, path, body, match=match)
        assert (refused.status_code, refused.json()["code"]) == (422, "cross_partner_reference"), path
        as_partner = globex.call(method, path, body, match=f'"r{globex.get("/threads/" + of_b["id"])["revision"]}"')
        assert as_partner.status_code == 404, path
    acme.post("/threads", {"partner_id": "prt_globex", "type": "question", "title": "x"}, 404)


def test_i5_what_is_the_hubs_own_never_reaches_a_partner(hub: Caller, acme: Caller) -> None:
    """Given a resolved thread full of internal facts, when the partner reads everything, then none of the
    marked words is in it."""
    thread = hub.thread(external_references=[GEMINI | {"external_id": "SECRET-1"}],
                        origin={"system": "gemini", "correlation_id": "SECRET-2"})  # fmt: skip
    hub.say(thread, "SECRET-3", "internal")
    hub.say(thread, "hello", origin={"system": "gemini", "correlation_id": "SECRET-4"})
    now = hub.get(f"/threads/{thread['id']}")
    hub.patch(f"/threads/{thread['id']}", {"assignee": "SECRET-5"}, match=now)
    hub.move(thread, "assigned", reason="SECRET-6")
    hub.move(thread, "resolved", resolution={"outcome": "credited", "summary": "Credited.", "root_cause": "SECRET-7"})

    read = [acme.call("GET", path).text for path in (
        "/threads", f"/threads/{thread['id']}", f"/threads/{thread['id']}/posts", "/events?after=earliest",
        "/partners", "/workspaces", "/partner-groups", "/onboarding-cases")]  # fmt: skip

    assert "SECRET" not in "".join(read)
    assert "Case sync" not in "".join(read)
    assert "casebridge" not in "".join(read)


def test_i5_a_mixed_change_names_only_its_visible_fields_to_the_partner(hub: Caller, acme: Caller) -> None:
    """Given a patch of title and assignee at once, when its event is read, then the partner learns of the
    title only."""
    thread = hub.thread()

    hub.patch(f"/threads/{thread['id']}", {"title": "Short by 8", "assignee": "J. Doe"}, match=thread)

    assert hub.events()[-1]["changed_fields"] == ["title", "assignee"]
    assert acme.events()[-1]["changed_fields"] == ["title"]


def test_i5_internal_is_never_upgraded_by_an_update(hub: Caller) -> None:
    """Given an internal thread and an internal link, when an update would show them to the partner, then 422
    visibility_violation."""
    thread, paper = hub.thread(visibility="internal"), hub.document()
    open_thread = hub.thread()
    hub.call("PUT", f"/threads/{open_thread['id']}/documents/{paper['id']}", {"visibility": "internal"})

    for method, path, body in (
        ("PATCH", f"/threads/{thread['id']}", {"visibility": "partner"}),
        ("PUT", f"/threads/{open_thread['id']}/documents/{paper['id']}", {"visibility": "partner"}),
    ):
        refused = hub.call(method, path, body, match=thread)
        assert (refused.status_code, refused.json()["code"]) == (422, "visibility_violation")


def test_i6_the_feed_filters_with_the_rights_of_the_moment(community: Community, hub: Caller, acme: Caller) -> None:
    """Given a visible thread that is hidden again unread, when feeds are read, then its events are gone for
    the partner, and no event has a body."""
    thread = hub.thread(description="UNIQUE-TEXT")
    narrow = community.caller("casebridge-narrow")
    hub.patch(f"/threads/{thread['id']}", {"visibility": "internal"}, match=hub.get(f"/threads/{thread['id']}"))
    other = hub.thread("prt_globex")

    assert acme.events() == []
    assert {event["thread_id"] for event in hub.events()} == {thread["id"], other["id"]}
    assert {event["thread_id"] for event in narrow.events()} == {thread["id"]}
    assert "UNIQUE-TEXT" not in str(hub.events())


def test_i7_cursors_keys_and_blobs_are_bound_to_their_principal(
    community: Community, hub: Caller, acme: Caller
) -> None:
    """Given the hub's cursor, key and blob, when others use them, then they are unknown: 400, a fresh effect, 422."""
    thread = hub.thread()
    cursor, narrow = hub.get("/events", params={"after": "latest"})["page"]["next_cursor"], "casebridge-narrow"
    hub.thread()
    listed = hub.get("/threads", params={"items-per-page": "1"})["page"]["next_cursor"]

    for path in (f"/events?after={cursor}", f"/threads?items-per-page=1&cursor={listed}"):
        for caller in (acme, community.caller(narrow)):
            assert caller.get(path, 400)["code"] == "invalid_cursor"
    body = {"kind": "message", "visibility": "partner", "body": {"format": "plain", "text": "same key"}}
    mine = hub.post(f"/threads/{thread['id']}/posts", body, key="shared-key-1")
    theirs = acme.post(f"/threads/{thread['id']}/posts", body, key="shared-key-1")
    assert mine["id"] != theirs["id"]
    blob = hub.blob("a.pdf", b"%PDF-1")
    stolen = {"name": "a", "document_class": "other", "classification": "public",
              "renditions": [{"rendition_type": "primary", "source": "FILE_ID", "blob_id": blob["id"]}]}  # fmt: skip
    assert acme.post("/documents", stolen, 422)["code"] == "validation_failed"


def test_i8_content_is_checked_on_each_read(community: Community, hub: Caller, acme: Caller) -> None:
    """Given a shared document, when the share runs out, then the next read of its content is 404; no address
    works without a token."""
    paper = hub.document()
    ends = {"principal_type": "partner", "principal_id": "prt_acme", "permission": "view"}
    in_an_hour = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    hub.post(f"/documents/{paper['id']}/shares", ends | {"expires_time": in_an_hour})
    assert acme.call("GET", f"/documents/{paper['id']}/content").content.startswith(b"%PDF")

    community.later(7_200)

    again = community.caller("acme-partner")
    assert again.call("GET", f"/documents/{paper['id']}/content").status_code == 404
    place = f"{community.url}{API}/documents/{paper['id']}/content"
    assert requests.get(place, timeout=10).status_code == 401


def test_i9_answers_that_differ_by_caller_say_so(hub: Caller, acme: Caller) -> None:
    """Given hub and partner, when both read the same address, then both answers vary by Authorization and are
    private."""
    thread = hub.thread()

    for caller in (hub, acme):
        for path in (f"/threads/{thread['id']}", "/threads", "/threads/none", "/events?after=latest"):
            answer = caller.call("GET", path)
            assert answer.headers["Vary"] == "Authorization"
            assert answer.headers["Cache-Control"].startswith("private")


def test_i10_two_tenants_share_nothing(community: Community, hub: Caller) -> None:
    """Given two tenants, when one writes, then the other sees no id, key, reference or sequence number of it."""
    other = community.caller("casebridge-other")
    body = {"type": "question", "title": "Hi", "visibility": "partner", "external_references": [GEMINI]}
    first = hub.post("/threads", body | {"partner_id": "prt_acme"}, key="same-key-9")
    second = other.post("/threads", body | {"partner_id": "prt_umbra"}, key="same-key-9")

    other.get(f"/threads/{first['id']}", 404)
    assert other.post("/threads", body | {"partner_id": "prt_acme"}, 422)["code"] == "validation_failed"
    assert first["id"] != second["id"]
    cursor = hub.get("/events", params={"after": "latest"})["page"]["next_cursor"]
    assert other.get("/events", 400, params={"after": cursor})["code"] == "invalid_cursor"
    mine, theirs = ({event["sequence"] for event in caller.events()} for caller in (hub, other))
    assert mine.isdisjoint(theirs)
    token = requests.post(f"{community.url}/tenants/tnt_other/oauth2/token", timeout=10,
                          data={"grant_type": "client_credentials"},
                          auth=("casebridge", "sandbox-trading-grid-secret"))  # fmt: skip
    assert (token.status_code, token.json()["error"]) == (401, "invalid_client")

"""Posts: what is stored, who may write and edit, what a redaction leaves."""

from __future__ import annotations

from tests.sandbox.trading_grid.community import Caller, Community

RESOLUTION = {"outcome": "credited", "summary": "Done."}


def test_html_is_sanitised_on_write(hub: Caller, acme: Caller, community: Community) -> None:
    """Given HTML with a script, when posted, then answer, reader and journal all have the clean text."""
    thread = acme.thread()

    post = acme.say(thread, "", body={"format": "html", "text": "<b>Hi</b><script>alert(1)</script>"})

    assert post["body"]["text"] == "<b>Hi</b>"
    assert hub.get(f"/posts/{post['id']}")["body"]["text"] == "<b>Hi</b>"
    assert community.effects("post_created")[-1]["body"] == "<b>Hi</b>"


def test_a_post_reaches_the_journal_with_its_marks(hub: Caller, community: Community) -> None:
    """Given a post with origin and reference, when written, then the effect holds both, with visibility and
    author."""
    thread = hub.thread()
    mark = {"system": "zendesk", "object_type": "comment", "external_id": "77"}

    hub.say(thread, "hello", origin={"system": "zendesk", "correlation_id": "c-1"}, external_references=[mark])

    (entry,) = community.effects("post_created")
    assert entry["origin"] == {"system": "zendesk", "correlation_id": "c-1"}
    assert (entry["external_references"], entry["visibility"], entry["by"]) == ([mark], "partner", "client:casebridge")
    again = hub.say(thread, "hello", external_references=[mark], status=409)
    assert (again["code"], again["existing_id"]) == ("external_reference_exists", entry["obj"])


def test_a_partner_visible_post_needs_a_visible_thread(hub: Caller, acme: Caller) -> None:
    """Given an internal thread or an internal post to answer, when something visible is written, then
    visibility_violation."""
    hidden, thread = hub.thread(visibility="internal"), hub.thread()
    note = hub.say(thread, "for us", "internal")

    assert hub.say(hidden, "x", status=422)["code"] == "visibility_violation"
    assert hub.say(thread, "x", reply_to=note["id"], status=422)["code"] == "visibility_violation"
    assert acme.say(thread, "x", "internal", status=422)["code"] == "visibility_violation"


def test_an_attachment_must_be_as_visible_as_its_post(hub: Caller) -> None:
    """Given a document that the partner cannot see, when a visible post carries it, then 422; once linked it goes."""
    thread, paper = hub.thread(), hub.document()
    attached = [{"document_id": paper["id"]}]
    assert hub.say(thread, "see file", attachments=attached, status=422)["code"] == "visibility_violation"

    hub.call("PUT", f"/threads/{thread['id']}/documents/{paper['id']}", {"visibility": "partner"})

    post = hub.say(thread, "see file", attachments=attached)
    assert post["attachments"] == [{"document_id": paper["id"], "version": 1}]


def test_a_partners_post_reopens_a_closed_thread_and_the_hubs_does_not(hub: Caller, acme: Caller) -> None:
    """Given a closed thread, when the hub posts, then 409; when the partner does, then in_progress with
    thread.reopened first."""
    thread = hub.thread()
    hub.move(thread, "assigned")
    hub.move(thread, "resolved", resolution=RESOLUTION)
    hub.move(thread, "closed")
    assert hub.say(thread, "one more thing", status=409)["code"] == "conflict"

    acme.say(thread, "not yet")

    assert hub.get(f"/threads/{thread['id']}")["state"] == "in_progress"
    assert [event["type"] for event in hub.events()][-2:] == ["thread.reopened", "post.created"]


def test_only_the_author_edits_and_only_for_a_quarter_of_an_hour(
    hub: Caller, acme: Caller, community: Community
) -> None:
    """Given a partner's post, when the hub edits it, then 409; its author may, until 15 minutes have passed."""
    post = acme.say(acme.thread(), "frist")
    path, wanted = f"/posts/{post['id']}", {"body": {"format": "plain", "text": "first"}}
    assert hub.patch(path, wanted, 409, match=post)["code"] == "conflict"

    edited = acme.patch(path, wanted, match=post)
    community.later(14 * 60 + 50)
    community.later(15 * 60 + 1)

    assert (edited["edited"], edited["body"]["text"]) == (True, "first")
    late = community.caller("acme-partner")
    assert late.patch(path, wanted, 409, match=edited)["code"] == "conflict"


def test_a_redaction_leaves_a_tombstone(hub: Caller, acme: Caller, community: Community) -> None:
    """Given a post, when the hub redacts it, then its text is gone for all, its place stays; a partner may not
    redact."""
    thread = acme.thread()
    post = acme.say(thread, "IBAN 123")
    path = f"/posts/{post['id']}/redactions"
    acme.post(path, {"reason": "bank data"}, 404, match=post)

    hub.post(path, {"reason": "bank data"}, 200, match=post)

    seen = acme.get(f"/posts/{post['id']}")
    assert (seen["body"], seen["redacted"]["reason"], seen["sequence"]) == (None, "bank data", post["sequence"])
    assert community.effects("post_redacted")[0]["obj"] == post["id"]
    assert hub.events()[-1]["type"] == "post.redacted"


def test_a_held_thread_keeps_its_posts(hub: Caller, acme: Caller, community: Community) -> None:
    """Given a thread under legal hold, when a post of it is redacted, then 409 legal_hold and the text stays."""
    thread = acme.thread()
    post = acme.say(thread, "evidence")
    community.switch(legal_hold=[thread["id"]])

    refused = hub.post(f"/posts/{post['id']}/redactions", {"reason": "tidy up"}, 409, match=post)

    assert refused["code"] == "legal_hold"
    assert hub.get(f"/posts/{post['id']}")["body"]["text"] == "evidence"

"""Comments: what happens to their text, the sticking default of `public`, redaction, paging."""

from __future__ import annotations

from tests.sandbox.zendesk.desk import Desk


def test_public_sticks_when_it_is_left_out(desk: Desk) -> None:
    """Given a ticket begun in public, when a note leaves `public` out, then it is public."""
    desk.create(comment={"body": "hello", "public": True})
    assert desk.say(1, body="oops")["public"] is True
    desk.create(comment={"body": "hello", "public": False})
    assert desk.say(2, body="fine")["public"] is False
    desk.say(2, body="now public", public=True)
    assert desk.say(2, body="oops")["public"] is True


def test_metadata_comes_back_as_custom(desk: Desk) -> None:
    """Given a mark in `metadata`, when the comment is listed, then it stands under `metadata.custom`."""
    desk.create()
    desk.update(1, comment={"body": "x", "public": False}, metadata={"casebridge": {"delivery": "d1"}})
    assert desk.comments(1)[-1]["metadata"]["custom"] == {"casebridge": {"delivery": "d1"}}
    assert desk.effects("comment_added")[-1]["marks"] == {"casebridge": {"delivery": "d1"}}


def test_the_comment_event_s_id_is_the_comment_s_id(desk: Desk) -> None:
    """Given an update with a comment, when answered, then event id and audit id lead to the comment."""
    desk.create()
    audit = desk.update(1, comment={"body": "x", "public": False}).json()["audit"]
    comment = desk.comments(1)[-1]
    assert (comment["id"], comment["audit_id"]) == (audit["events"][0]["id"], audit["id"])
    assert desk.effects("comment_added")[-1]["comment_id"] == comment["id"]


def test_a_body_loses_tags_blanks_and_empty_lines(desk: Desk) -> None:
    """Given HTML and runs of blanks in `body`, when stored, then tags are gone and runs are one."""
    desk.create()
    comment = desk.say(1, body="a   b\n\n\n  <b>c</b> 3 < 4 & 5", public=False)
    assert comment["body"] == "a b\nc 3 < 4 & 5"
    assert "a b<br>c 3 &lt; 4 &amp; 5" in comment["html_body"]


def test_an_html_body_is_sanitised_and_wrapped(desk: Desk) -> None:
    """Given scripts and handlers in `html_body`, when stored, then only harmless elements remain."""
    desk.create()
    comment = desk.say(
        1, html_body='<p onclick="x()">hi<script>bad()</script><br><a href="javascript:x">l</a></p>', public=False
    )
    assert comment["html_body"] == '<div class="zd-comment" dir="auto"><p>hi<br><a>l</a></p></div>'
    assert comment["body"] == "hi\nl"


def test_a_comment_above_64_kb_is_cut_without_an_error(desk: Desk) -> None:
    """Given 70,000 bytes, when written, then 200 and 65,536 bytes are kept, never half a character."""
    desk.create()
    comment = desk.say(1, body="ä" * 35_000, public=False)
    assert comment["body"] == "ä" * 32_768


def test_placeholders_expand_in_agents_comments_only(desk: Desk) -> None:
    """Given `{{…}}`, when an agent writes it, it is replaced or eaten; escaped or by an end user it stays."""
    desk.create()
    assert desk.say(1, body="no {{ticket.id}} and {{secret}}!", public=False)["body"] == "no 1 and !"
    assert desk.say(1, html_body="<p>&#123;&#123;ticket.id}}</p>", public=False)["body"] == "{{ticket.id}}"
    assert desk.say(1, body="{{ticket.id}}", author_id=9201)["body"] == "{{ticket.id}}"


def test_the_comment_after_the_limit_is_refused_but_fields_are_not(desk: Desk) -> None:
    """Given a full ticket, when commented, then 422; a status still changes."""
    desk.settings(comment_limit=2)
    desk.create()
    desk.say(1, body="second", public=False)
    assert desk.update(1, comment={"body": "third", "public": False}).status_code == 422
    assert desk.update(1, status="open").status_code == 200
    assert len(desk.comments(1)) == 2


def test_cursor_pages_end_by_has_more_and_not_by_links_next(desk: Desk) -> None:
    """Given five comments, when paged by two, then `links.next` is set even on the last page."""
    desk.create("0")
    for number in range(1, 5):
        desk.say(1, body=str(number), public=False)
    seen, query = [], {"page[size]": "2", "include": "users"}
    while True:
        page = desk.call("GET", "/tickets/1/comments", params=query).json()
        seen += [comment["body"] for comment in page["comments"]]
        assert [user["id"] for user in page["users"]] == [9001]
        assert page["links"]["next"] is not None
        if not page["meta"]["has_more"]:
            break
        query["page[after]"] = page["meta"]["after_cursor"]
    assert seen == ["0", "1", "2", "3", "4"]
    newest = desk.call("GET", "/tickets/1/comments", params={"sort": "-created_at", "page[size]": "2"}).json()
    assert [comment["body"] for comment in newest["comments"]] == ["4", "3"]
    older = desk.session.get(newest["links"]["next"]).json()
    assert [comment["body"] for comment in older["comments"]] == ["2", "1"]
    back = desk.session.get(older["links"]["prev"]).json()
    assert [comment["body"] for comment in back["comments"]] == ["4", "3"]


def test_offset_paging_ends_at_ten_thousand_rows(desk: Desk) -> None:
    """Given offset paging, when page 101 is asked for, then 400."""
    assert desk.call("GET", "/tickets", params={"page": "100"}).status_code == 200
    assert desk.call("GET", "/tickets", params={"page": "101"}).status_code == 400


def test_redaction_blackens_the_text_everywhere(desk: Desk) -> None:
    """Given a card number, when redacted, then neither comment, audit nor description holds it."""
    desk.create("card 4111 here")
    number = desk.comments(1)[0]["id"]
    redacted = desk.call("PUT", f"/tickets/1/comments/{number}/redact", {"text": "4111"}).json()["comment"]
    assert redacted["body"] == "card ▇▇▇▇ here"
    assert "4111" not in desk.call("GET", "/tickets/1/audits").text + desk.call("GET", "/tickets/1").text
    assert desk.effects("comment_redacted")[0]["body"] == "card ▇▇▇▇ here"
    assert desk.call("PUT", f"/tickets/1/comments/{number}/redact", {"text": "absent"}).status_code == 422


def test_marked_redaction_works_on_a_closed_ticket_where_the_string_form_does_not(desk: Desk) -> None:
    """Given a closed ticket, when redacted by text, then 422; by marked HTML it works."""
    desk.create(comment={"html_body": "<p>my <b>secret</b> id</p>", "public": False})
    desk.update(1, status="closed")
    comment = desk.comments(1)[0]
    assert desk.call("PUT", f"/tickets/1/comments/{comment['id']}/redact", {"text": "secret"}).status_code == 422
    marked = comment["html_body"].replace("<b>secret</b>", "<redact><b>secret</b></redact>")
    path = f"/comment_redactions/{comment['id']}"
    done = desk.call("PUT", path, {"ticket_id": 1, "html_body": marked}).json()["comment"]
    assert (done["body"], "<b>▇▇▇▇▇▇</b>" in done["html_body"]) == ("my ▇▇▇▇▇▇ id", True)
    forged = {"ticket_id": 1, "html_body": "<redact>x</redact> other words"}
    assert desk.call("PUT", path, forged).status_code == 422


def test_made_private_is_one_way_and_moves_only_the_export(desk: Desk) -> None:
    """Given a public comment, when made private, then it is internal and `updated_at` stays."""
    before = desk.create(comment={"body": "x", "public": True})
    number = desk.comments(1)[0]["id"]
    desk.pass_time(30)
    assert desk.call("PUT", f"/tickets/1/comments/{number}/make_private").json() == ""
    assert desk.comments(1)[0]["public"] is False
    assert (desk.show(1)["is_public"], desk.show(1)["updated_at"]) == (False, before["updated_at"])

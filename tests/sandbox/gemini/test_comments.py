"""Comments: one group reads each, nobody edits another's, and what is stored may differ from what was asked."""

from tests.sandbox.gemini.help_desk import EVERYONE, INTERNAL, PARTNER, HelpDesk


def test_the_group_is_stored_by_id_and_shown_by_name(desk: HelpDesk) -> None:
    """Given a comment for the partner group, when read back, then entity and Dto hold id and name of it."""
    item_id = desk.item()["Id"]
    dto = desk.comment(item_id, "<p>For you</p>", Visibility=PARTNER)
    assert (dto["BaseEntity"]["Visibility"], dto["Visibility"]) == (PARTNER, "Partner visible")
    (effect,) = desk.effects("comment_added")
    assert (effect["parent"], effect["visibility"], effect["body"]) == (str(item_id), PARTNER, "<p>For you</p>")


def test_a_comment_without_a_group_is_for_everyone(desk: HelpDesk) -> None:
    """Given no Visibility, when a comment is added or edited, then everyone reads it."""
    item_id = desk.item()["Id"]
    made = desk.comment(item_id, Visibility=INTERNAL)["BaseEntity"]
    assert desk.comment(item_id)["BaseEntity"]["Visibility"] == EVERYONE
    edit = {"Id": made["Id"], "IssueId": item_id, "Comment": "<p>edited</p>"}
    assert desk.ask("PUT", f"/items/{item_id}/comments", edit)["BaseEntity"]["Visibility"] == EVERYONE
    (effect,) = desk.effects("comment_changed")
    assert (effect["old_visibility"], effect["visibility"]) == (INTERNAL, EVERYONE)


def test_a_site_may_store_another_group_than_asked_for(desk: HelpDesk) -> None:
    """Given the switch, when an internal comment is sent, then the answer tells that it became another group's."""
    desk.set(store_comments_for_group=EVERYONE)
    assert desk.comment(desk.item()["Id"], Visibility=INTERNAL)["BaseEntity"]["Visibility"] == EVERYONE


def test_comments_of_a_foreign_group_are_silently_missing(desk: HelpDesk) -> None:
    """Given an API user outside the team, when it lists, searches or reads by id, then the note does not exist."""
    item_id = desk.item()["Id"]
    note = desk.comment(item_id, "<p>secret</p>", user="anna", Visibility=INTERNAL)["BaseEntity"]["Id"]
    desk.set(user_groups={"casebridge": [1, 3, 5]})
    assert desk.ask("GET", f"/items/{item_id}/comments") == []
    assert "secret" not in str(desk.search())
    assert desk.try_to("GET", f"/items/{item_id}/comments/{note}").status_code == 404
    assert len(desk.ask("GET", f"/items/{item_id}/comments", user="anna")) == 1


def test_nobody_edits_or_removes_anothers_comment(desk: HelpDesk) -> None:
    """Given a comment of the API user, when anna edits or deletes it, then 403 comes and the text stays."""
    item_id = desk.item()["Id"]
    made = desk.comment(item_id, "<p>mine</p>", Visibility=PARTNER)["BaseEntity"]["Id"]
    edit = {"Id": made, "IssueId": item_id, "Comment": "<p>hers</p>", "Visibility": PARTNER}
    assert desk.try_to("PUT", f"/items/{item_id}/comments", edit, user="anna").status_code == 403
    assert desk.try_to("DELETE", f"/items/{item_id}/comments/{made}", user="anna").status_code == 403
    assert desk.ask("GET", f"/items/{item_id}/comments/{made}")["BaseEntity"]["Comment"] == "<p>mine</p>"


def test_writing_as_somebody_else_is_refused_unless_the_site_allows_it(desk: HelpDesk) -> None:
    """Given a foreign UserId, when a comment is sent, then 403 comes; with impersonation it is anna's."""
    item_id = desk.item()["Id"]
    body = {"IssueId": item_id, "Comment": "<p>x</p>", "UserId": 21, "Visibility": PARTNER}
    assert desk.try_to("POST", f"/items/{item_id}/comments", body).status_code == 403
    desk.set(impersonation=True)
    assert desk.ask("POST", f"/items/{item_id}/comments", body)["BaseEntity"]["UserId"] == 21


def test_a_comments_origin_may_be_kept_or_not(desk: HelpDesk) -> None:
    """Given OriginatorData on a comment, when read back, then it is there, or not there at all, by the site."""
    item_id = desk.item()["Id"]
    dto = desk.comment(item_id, Visibility=PARTNER, OriginatorType=5, OriginatorData="op:1")
    assert dto["BaseEntity"]["OriginatorData"] == "op:1"
    desk.set(comment_originator=False)
    (listed,) = desk.ask("GET", f"/items/{item_id}/comments")
    assert "OriginatorData" not in listed["BaseEntity"]


def test_a_wrong_comment_is_refused_without_effect(desk: HelpDesk) -> None:
    """Given another item's id, an unknown group, no text or no list, when posted, then 400 and no effect."""
    item_id = desk.item()["Id"]
    good = {"IssueId": item_id, "Comment": "<p>x</p>", "Visibility": PARTNER}
    for wrong in ({**good, "IssueId": item_id + 1}, {**good, "Visibility": 99}, {**good, "Comment": " "}, [good]):
        assert desk.try_to("POST", f"/items/{item_id}/comments", wrong).status_code == 400
    assert desk.effects("comment_added") == []


def test_a_deleted_comment_takes_its_files_along(desk: HelpDesk) -> None:
    """Given a comment with a file, when its author deletes it, then both are gone and the effect is logged."""
    item_id = desk.item()["Id"]
    files = [{"Name": "a.txt", "Content": "YQ=="}]
    made = desk.comment(item_id, Visibility=INTERNAL, Attachments=files)["BaseEntity"]["Id"]
    desk.ask("DELETE", f"/items/{item_id}/comments/{made}")
    item = desk.ask("GET", f"/items/{item_id}")
    assert (item["Comments"], item["Attachments"]) == ([], [])
    assert len(desk.effects("comment_deleted")) == 1

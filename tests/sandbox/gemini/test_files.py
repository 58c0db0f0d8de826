"""Files: base64 in JSON, a ceiling that answers in HTML, and readers who are those of the comment."""

import base64
import hashlib

import pytest

from tests.sandbox.gemini.help_desk import INTERNAL, HelpDesk

BYTES = bytes(range(256)) * 5


def upload(item_id: int, **members: object) -> dict[str, object]:
    """The body of an upload."""
    content = base64.b64encode(BYTES).decode("ascii")
    return {
        "ProjectId": 12,
        "IssueId": item_id,
        "Name": "proof.pdf",
        "ContentType": "application/pdf",
        "ContentLength": len(BYTES),
        "Content": content,
        **members,
    }


def test_the_bytes_come_back_as_they_were_sent(desk: HelpDesk) -> None:
    """Given an upload, when the file is got by id and by the site's link, then the bytes are the same."""
    item_id = desk.item()["Id"]
    made = desk.ask("POST", f"/items/{item_id}/attachments", upload(item_id))["BaseEntity"]["Id"]
    entity = desk.ask("GET", f"/items/{item_id}/attachments/{made}")["BaseEntity"]
    assert base64.b64decode(entity["Content"]) == BYTES
    raw = desk.session.get(
        f"{desk.url}/gemini/project/12/item/attachment",
        params={"issueid": item_id, "fileid": made},
        auth=("casebridge", "sandbox-gemini-key"),
    )
    assert raw.content == BYTES
    assert desk.effects("file_added")[0]["sha256"] == hashlib.sha256(BYTES).hexdigest()


def test_the_list_holds_no_content_and_a_get_may_hold_none_either(desk: HelpDesk) -> None:
    """Given a file, when listed, then Content is null; when the site is switched so, in the single one too."""
    item_id = desk.item()["Id"]
    made = desk.ask("POST", f"/items/{item_id}/attachments", upload(item_id))["BaseEntity"]["Id"]
    assert desk.ask("GET", f"/items/{item_id}/attachments")[0]["BaseEntity"]["Content"] is None
    desk.set(attachment_content=False, attachment_site_link=False)
    assert desk.ask("GET", f"/items/{item_id}/attachments/{made}")["BaseEntity"]["Content"] is None
    link = f"{desk.url}/gemini/project/12/item/attachment?issueid={item_id}&fileid={made}"
    assert desk.session.get(link, allow_redirects=False, auth=("casebridge", "sandbox-gemini-key")).status_code == 302


def test_above_the_ceiling_a_web_page_answers_404(desk: HelpDesk) -> None:
    """Given a request above the filter's limit, when sent, then IIS's page comes and nothing is stored."""
    item_id = desk.item()["Id"]
    desk.set(max_request_bytes=1000)
    answer = desk.try_to("POST", f"/items/{item_id}/attachments", upload(item_id))
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (404, "text/html")
    assert "404.13" in answer.text
    assert desk.effects("file_added") == []


def test_a_file_on_an_internal_comment_is_the_comments_readers_only(desk: HelpDesk) -> None:
    """Given a file on a note, when somebody outside the group asks for it, then it does not exist."""
    item_id = desk.item()["Id"]
    note = desk.comment(item_id, Visibility=INTERNAL, user="anna")["BaseEntity"]["Id"]
    body = upload(item_id, CommentId=note)
    made = desk.ask("POST", f"/items/{item_id}/attachments", body, user="anna")["BaseEntity"]["Id"]
    desk.set(user_groups={"casebridge": [1, 3]})
    assert desk.ask("GET", f"/items/{item_id}/attachments") == []
    assert desk.try_to("GET", f"/items/{item_id}/attachments/{made}").status_code == 404
    assert desk.effects("file_added")[0]["visibility"] == INTERNAL


def test_a_put_replaces_the_file_under_its_id(desk: HelpDesk) -> None:
    """Given a file, when new bytes are PUT, then id and place stay; when deleted, it is gone."""
    item_id = desk.item()["Id"]
    made = desk.ask("POST", f"/items/{item_id}/attachments", upload(item_id))["BaseEntity"]["Id"]
    after = desk.ask("PUT", f"/items/{item_id}/attachments", upload(item_id, Id=made, Content="YQ==", ContentLength=1))[
        "BaseEntity"
    ]
    assert (after["Id"], after["ContentLength"]) == (made, 1)
    desk.ask("DELETE", f"/items/{item_id}/attachments/{made}")
    assert desk.ask("GET", f"/items/{item_id}/attachments") == []


@pytest.mark.parametrize("wrong", [{"Content": "%%%"}, {"Name": ""}, {"ContentLength": 1}, {"CommentId": 7}])
def test_a_wrong_upload_is_refused_without_effect(desk: HelpDesk, wrong: dict[str, object]) -> None:
    """Given content that is no base64, no name, a false length or comment, when posted, then 400 and no file."""
    item_id = desk.item()["Id"]
    assert desk.try_to("POST", f"/items/{item_id}/attachments", upload(item_id, **wrong)).status_code == 400
    assert desk.effects("file_added") == []

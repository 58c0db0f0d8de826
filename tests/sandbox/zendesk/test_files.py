"""Files: upload tokens, guessed types, late scanning, limits, downloads, redaction."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
import requests

from tests.sandbox.zendesk.desk import Desk, JsonObject


def upload(desk: Desk, name: str = "a.txt", content: bytes = b"hello", **options: Any) -> requests.Response:
    """Upload raw bytes."""
    return desk.session.post(
        f"{desk.url}/api/v2/uploads.json",
        params={"filename": name, **options},
        data=content,
        headers={"content-type": "application/octet-stream"},
    )


def attach(desk: Desk, name: str = "a.txt") -> JsonObject:
    """A ticket whose second comment carries one file; gives the file."""
    desk.create()
    token = upload(desk, name).json()["upload"]["token"]
    return dict(desk.say(1, body="see file", public=False, uploads=[token])["attachments"][0])


def test_an_upload_answers_json_labelled_as_text_and_guesses_the_type(desk: Desk) -> None:
    """Given octets, when uploaded, then 201, text/plain, a type by the name and a token for an hour."""
    answer = upload(desk, "order.pdf")
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (201, "text/plain")
    kept = answer.json()["upload"]
    assert (kept["attachment"]["content_type"], kept["attachment"]["size"]) == ("application/pdf", 5)
    assert kept["attachment"]["malware_scan_result"] == "not_scanned"
    second = upload(desk, "b.txt", token=kept["token"]).json()["upload"]
    assert [item["file_name"] for item in second["attachments"]] == ["order.pdf", "b.txt"]


def test_one_comment_consumes_a_token(desk: Desk) -> None:
    """Given a used token, when a second comment brings it, then 422 and no comment."""
    desk.create()
    token = upload(desk).json()["upload"]["token"]
    assert desk.say(1, body="x", public=False, uploads=[token])["attachments"][0]["file_name"] == "a.txt"
    assert desk.update(1, comment={"body": "y", "public": False, "uploads": [token]}).status_code == 422
    assert len(desk.comments(1)) == 2
    added = desk.effects("file_added")
    assert [(entry["file_name"], entry["size"]) for entry in added] == [("a.txt", 5)]
    assert added[0]["sha256"] == hashlib.sha256(b"hello").hexdigest()


def test_a_token_dies_after_an_hour(desk: Desk) -> None:
    """Given an unused token, when an hour has passed, then 422."""
    desk.create()
    token = upload(desk).json()["upload"]["token"]
    desk.pass_time(3601)
    desk.session.headers["authorization"] = f"Bearer {desk.login().json()['access_token']}"
    assert desk.update(1, comment={"body": "y", "public": False, "uploads": [token]}).status_code == 422


@pytest.mark.parametrize("status", [413, 422])
def test_a_file_above_the_account_s_limit_is_refused(desk: Desk, status: int) -> None:
    """Given a limit of 4 bytes, when 5 come, then the configured status; the limit is in the account's settings."""
    desk.settings(attachment_size=4, oversize_status=status)
    assert upload(desk).status_code == status
    settings = desk.call("GET", "/account/settings").json()["settings"]
    assert settings["limits"]["attachment_size"] == 4


def test_a_contradicting_extension_is_refused_when_the_check_is_on(desk: Desk) -> None:
    """Given text named .pdf, when types are checked, then 422 AttachmentUnprocessable."""
    desk.settings(check_file_type=True)
    assert upload(desk, "a.pdf").json()["error"] == "AttachmentUnprocessable"
    assert upload(desk, "a.pdf", b"%PDF-1.7").status_code == 201


def test_the_scanner_is_late_and_an_infected_file_cannot_be_downloaded(desk: Desk) -> None:
    """Given an infected file, when time passes, then the result appears and the download is 403."""
    desk.settings(scan_seconds=60, scan_result="malware_found")
    file = attach(desk)
    assert file["malware_scan_result"] == "not_scanned"
    assert desk.session.get(file["content_url"]).content == b"hello"
    desk.pass_time(61)
    assert desk.comments(1)[-1]["attachments"][0]["malware_scan_result"] == "malware_found"
    assert desk.session.get(file["content_url"]).status_code == 403


def test_credentials_sent_on_to_the_storage_are_noticed(desk: Desk) -> None:
    """Given a redirect to another host name, when the credentials follow, then 400 and a journal entry."""
    desk.settings(attachment_redirect=True)
    file = attach(desk)
    there = desk.session.get(file["content_url"], allow_redirects=False).headers["location"]
    assert there.startswith("http://localhost:")
    storage = there.replace("localhost", "127.0.0.1")
    assert desk.session.get(storage).status_code == 400
    assert desk.effects("credentials_leaked")[0]["obj"] == str(file["id"])
    assert requests.get(storage, timeout=10).content == b"hello"


def test_private_attachments_need_a_login(desk: Desk) -> None:
    """Given private attachments, when asked for without credentials, then 401."""
    desk.settings(private_attachments=True)
    file = attach(desk)
    assert requests.get(file["content_url"], timeout=10).status_code == 401
    assert desk.session.get(file["content_url"]).content == b"hello"


def test_inline_images_are_missing_unless_asked_for(desk: Desk) -> None:
    """Given an image within the text, when comments are listed, then it needs include_inline_images."""
    desk.create()
    kept = upload(desk, "pic.png").json()["upload"]
    html = f'<p><img src="{kept["attachment"]["content_url"]}"></p> see above'
    desk.update(1, comment={"html_body": html, "public": False, "uploads": [kept["token"]]})
    assert desk.comments(1)[-1]["attachments"] == []
    assert desk.comments(1, include_inline_images="true")[-1]["attachments"][0]["inline"] is True


def test_a_merge_copies_the_source_s_files(desk: Desk) -> None:
    """Given a source with a file, when merged, then the target's note carries a copy under an id of its own."""
    file = attach(desk)
    desk.create()
    desk.call("POST", "/tickets/2/merge", {"ids": [1]})
    copy = desk.comments(2)[-1]["attachments"][0]
    assert (copy["file_name"], copy["id"] != file["id"]) == ("a.txt", True)
    assert desk.session.get(copy["content_url"]).content == b"hello"


def test_a_redacted_file_becomes_an_empty_text(desk: Desk) -> None:
    """Given an attachment, when redacted, then it is an empty redacted.txt."""
    file, comment = attach(desk), desk.comments(1)[-1]
    path = f"/tickets/1/comments/{comment['id']}/attachments/{file['id']}/redact"
    left = desk.call("PUT", path, {}).json()["attachment"]
    assert (left["file_name"], left["size"]) == ("redacted.txt", 0)
    assert desk.session.get(file["content_url"]).content == b""
    assert desk.effects("attachment_redacted")[0]["comment_id"] == comment["id"]

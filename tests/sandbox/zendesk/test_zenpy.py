"""A client that others wrote, zenpy, works with the sandbox as it does with Zendesk."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.sandbox.zendesk.desk import Desk

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # zenpy's own imports warn on new Pythons
    from zenpy import Zenpy
    from zenpy.lib.api_objects import Comment, Ticket
    from zenpy.lib.exception import APIException, RecordNotFoundException


@pytest.fixture
def zenpy(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client pointed at the sandbox."""
    monkeypatch.setenv("ZENPY_FORCE_NETLOC", urlsplit(desk.url).netloc)
    monkeypatch.setenv("ZENPY_FORCE_SCHEME", "http")
    client = Zenpy(subdomain="sim", oauth_token=desk.token)
    client.disable_caching()
    yield client
    client.tickets.session.close()


def test_create_comment_and_read_back(zenpy: Any) -> None:
    """Given a ticket made by zenpy, when commented, then comments, audits and list show it."""
    audit = zenpy.tickets.create(Ticket(subject="x", external_id="g1", comment=Comment(body="one", public=False)))
    ticket = audit.ticket
    ticket.comment = Comment(body="two", public=False)
    ticket.status = "pending"
    updated = zenpy.tickets.update(ticket)
    assert (updated.ticket.status, updated.audit.events[0]["type"]) == ("pending", "Comment")
    comments = list(zenpy.tickets.comments(ticket=ticket.id))
    assert [(comment.body, comment.public) for comment in comments] == [("one", False), ("two", False)]
    assert [item.id for item in zenpy.tickets.audits(ticket=ticket.id)] == [audit.audit.id, updated.audit.id]
    assert [item.id for item in zenpy.tickets(external_id="g1")] == [ticket.id]
    assert zenpy.tickets(id=ticket.id).status == "pending"


def test_more_comments_than_a_page(zenpy: Any, desk: Desk) -> None:
    """Given 130 comments, when zenpy lists them, then it walks both pages and stops."""
    desk.settings(per_ticket_limit=False)
    desk.create("0")
    for number in range(1, 130):
        desk.update(1, comment={"body": str(number), "public": False})
    assert [comment.body for comment in zenpy.tickets.comments(ticket=1)] == [str(number) for number in range(130)]


def test_tags_through_their_own_endpoint(zenpy: Any, desk: Desk) -> None:
    """Given zenpy's tag calls, when used, then the ticket's tags follow."""
    desk.create(tags=["a"])
    assert list(zenpy.tickets.add_tags(1, ["b"])) == ["a", "b"]
    zenpy.tickets.delete_tags(1, ["a"])
    assert desk.show(1)["tags"] == ["b"]
    assert list(zenpy.tickets.set_tags(1, ["c"])) == ["c"]


def test_upload_and_redact(zenpy: Any, desk: Desk, tmp_path: Path) -> None:
    """Given a file uploaded by zenpy, when attached and redacted, then text and file are blacked out."""
    desk.create()
    file = tmp_path / "order.txt"
    file.write_text("4711")
    upload = zenpy.attachments.upload(str(file))
    zenpy.tickets.update(Ticket(id=1, comment=Comment(body="secret file", public=False, uploads=[upload.token])))
    comment = list(zenpy.tickets.comments(ticket=1))[-1]
    assert comment.attachments[0].size == 4
    assert zenpy.tickets.comment_redact(1, comment.id, "secret").body == "▇▇▇▇▇▇ file"
    zenpy.attachments.redact(1, comment.id, comment.attachments[0].id)
    assert desk.comments(1)[-1]["attachments"][0]["file_name"] == "redacted.txt"


def test_the_cursor_export(zenpy: Any, desk: Desk) -> None:
    """Given tickets, when exported by zenpy, then all come, and its cursor leads on."""
    desk.settings(export_lag_seconds=0)
    for _ in range(3):
        desk.create()
    page = zenpy.tickets.incremental(paginate_by_time=False, start_time=0)
    assert [ticket.id for ticket in page] == [1, 2, 3]
    desk.update(2, status="open")
    again = zenpy.tickets.incremental(paginate_by_time=False, cursor=page.after_cursor)
    assert [ticket.id for ticket in again] == [2]


def test_people_and_fields(zenpy: Any) -> None:
    """Given the start data, when zenpy asks, then users, organizations, groups, fields and statuses come."""
    assert zenpy.users.me().id == 9001
    assert zenpy.users(id=9101).role == "agent"
    assert {user.id for user in zenpy.users()} >= {9001, 9101, 9102}
    assert zenpy.organizations(id=500).external_id == "acme"
    assert [item.id for item in zenpy.organizations()] == [500, 501, 502]
    assert [group.id for group in zenpy.groups()] == [70]
    assert next(iter(zenpy.ticket_fields())).id == 360001


def test_refusals_become_zenpy_s_errors(zenpy: Any, desk: Desk) -> None:
    """Given a missing and a closed ticket, when written by zenpy, then its own errors rise."""
    desk.create()
    desk.update(1, status="closed")
    with pytest.raises(RecordNotFoundException):
        zenpy.tickets(id=99)
    with pytest.raises(APIException, match="closed prevents ticket update"):
        zenpy.tickets.update(Ticket(id=1, comment=Comment(body="late", public=False)))


def test_a_job_of_a_merge(zenpy: Any, desk: Desk) -> None:
    """Given two tickets, when merged by zenpy, then its job ends completed."""
    desk.create()
    desk.create()
    job = zenpy.tickets.merge(target=1, source=2)
    states = [zenpy.job_status(id=job.id).status for _ in range(2)]
    assert states == ["working", "completed"]

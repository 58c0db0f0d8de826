"""Every answer of the core routes is what Zendesk's own OpenAPI text describes."""

from __future__ import annotations

import jsonschema
import pytest
import requests

from tests.sandbox.zendesk import contract
from tests.sandbox.zendesk.desk import Desk

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not contract.SHARED.is_dir(), reason=f"no contracts at {contract.SHARED}"),
]

CORE = {
    "POST /oauth/tokens",
    "POST /api/v2/tickets",
    "GET /api/v2/tickets",
    "GET /api/v2/tickets/{ticket_id}",
    "PUT /api/v2/tickets/{ticket_id}",
    "DELETE /api/v2/tickets/{ticket_id}",
    "GET /api/v2/tickets/show_many",
    "GET /api/v2/tickets/{ticket_id}/comments",
    "GET /api/v2/tickets/{ticket_id}/comments/count",
    "GET /api/v2/tickets/{ticket_id}/audits",
    "GET /api/v2/tickets/{ticket_id}/audits/{ticket_audit_id}",
    "GET /api/v2/tickets/{ticket_id}/tags",
    "PUT /api/v2/tickets/{ticket_id}/tags",
    "POST /api/v2/tickets/{ticket_id}/tags",
    "DELETE /api/v2/tickets/{ticket_id}/tags",
    "GET /api/v2/tickets/{ticket_id}/related",
    "POST /api/v2/tickets/{ticket_id}/merge",
    "GET /api/v2/job_statuses/{job_status_id}",
    "POST /api/v2/uploads",
    "GET /api/v2/attachments/{attachment_id}",
    "PUT /api/v2/comment_redactions/{ticket_comment_id}",
    "PUT /api/v2/tickets/{ticket_id}/comments/{ticket_comment_id}/redact",
    "PUT /api/v2/tickets/{ticket_id}/comments/{ticket_comment_id}/make_private",
    "PUT /api/v2/tickets/{ticket_id}/comments/{comment_id}/attachments/{attachment_id}/redact",
    "GET /api/v2/incremental/tickets/cursor",
    "GET /api/v2/search",
    "GET /api/v2/users/me",
    "GET /api/v2/users/{user_id}",
    "GET /api/v2/users/show_many",
    "GET /api/v2/users",
    "GET /api/v2/organizations",
    "GET /api/v2/organizations/{organization_id}",
    "GET /api/v2/organizations/show_many",
    "GET /api/v2/groups",
    "GET /api/v2/groups/{group_id}",
    "GET /api/v2/ticket_fields",
    "GET /api/v2/ticket_fields/{ticket_field_id}",
    "GET /api/v2/custom_statuses",
    "GET /api/v2/account/settings",
}


def test_every_core_answer_is_described(desk: Desk) -> None:
    """Given a walk over every core route, when answered, then status and body are in the contract."""
    seen: set[str] = set()

    def checked(answer: requests.Response, *_: object, **__: object) -> None:
        assert answer.ok, answer.text
        seen.add(contract.check(answer))

    desk.settings(export_lag_seconds=0, search_lag_seconds=0)
    desk.session.hooks["response"].append(checked)
    walk(desk)
    assert seen == CORE


def walk(desk: Desk) -> None:
    """One request at least to every core route."""
    desk.login()
    for _ in range(3):
        desk.create(tags=["a"], external_id="g1", custom_fields=[{"id": 360001, "value": "acme"}])
    upload = desk.session.post(f"{desk.url}/api/v2/uploads?filename=a.txt", data=b"x").json()["upload"]
    comment = desk.say(1, body="hello secret", public=True, uploads=[upload["token"]])
    desk.update(1, status="open", priority="low", tags=["a", "b"], assignee_id=9101)
    desk.show(1)
    at, file = f"/tickets/1/comments/{comment['id']}", comment["attachments"][0]["id"]
    desk.call("PUT", f"{at}/redact", {"text": "secret"})
    marked = desk.comments(1)[-1]["html_body"].replace("hello", "<redact>hello</redact>")
    desk.call("PUT", f"/comment_redactions/{comment['id']}", {"ticket_id": 1, "html_body": marked})
    desk.call("PUT", f"{at}/attachments/{file}/redact", {})
    desk.call("PUT", f"{at}/make_private")
    audit = desk.call("GET", "/tickets/1/audits").json()["audits"][0]["id"]
    for path in (
        f"/attachments/{file}",
        f"/tickets/1/audits/{audit}",
        "/tickets/1/comments/count",
        "/tickets/1/tags",
        "/tickets/1/related",
        "/tickets",
        "/tickets/show_many?ids=1,2",
        "/search?query=type:ticket",
        "/incremental/tickets/cursor?start_time=0",
        *DIRECTORY,
    ):
        desk.call("GET", path)
    for method in ("PUT", "POST", "DELETE"):
        desk.call(method, "/tickets/1/tags", {"tags": ["c"]})
    job = desk.call("POST", "/tickets/1/merge", {"ids": [2]}).json()["job_status"]
    for _ in range(2):
        desk.call("GET", f"/job_statuses/{job['id']}")
    desk.call("DELETE", "/tickets/3")


DIRECTORY = (
    "/users/me",
    "/users/9101",
    "/users/show_many?ids=9001,9101",
    "/users",
    "/organizations",
    "/organizations/500",
    "/organizations/show_many?external_ids=acme",
    "/groups",
    "/groups/70",
    "/ticket_fields",
    "/ticket_fields/360002",
    "/custom_statuses",
    "/account/settings",
)


def test_the_checker_refuses_what_the_contract_does_not_say(desk: Desk) -> None:
    """Given an answer whose tags are text, when checked, then it is refused, so that passing means something."""
    desk.create()
    answer = desk.call("GET", "/tickets/1")
    answer._content = answer.content.replace(b'"tags":[]', b'"tags":"none"')
    with pytest.raises(jsonschema.ValidationError):
        contract.check(answer)

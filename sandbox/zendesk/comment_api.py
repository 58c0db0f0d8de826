"""/tickets/…/comments and /audits, make_private, redaction, uploads and attachments."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from . import attachments, auth, comments, tickets
from .account import Account, File
from .data import JsonObject
from .endpoint import Call, answer, api_route, refusal
from .errors import ApiError, bad_request, not_found
from .paging import paged


def routes(account: Account) -> list[Route]:
    """The API routes of this module."""
    one = "/tickets/{ticket_id:int}/comments/{comment_id:int}"
    table = (
        ("GET", "/tickets/{ticket_id:int}/comments", "tickets", list_comments),
        ("GET", "/tickets/{ticket_id:int}/comments/count", "tickets", count_comments),
        ("GET", "/tickets/{ticket_id:int}/audits", "auditlogs", list_audits),
        ("GET", "/tickets/{ticket_id:int}/audits/{audit_id:int}", "auditlogs", show_audit),
        ("PUT", f"{one}/make_private", "tickets", make_private),
        ("PUT", f"{one}/redact", "tickets", redact_text),
        ("PUT", f"{one}/attachments/{{attachment_id:int}}/redact", "tickets", redact_file),
        ("PUT", "/comment_redactions/{comment_id:int}", "tickets", redact_marked),
        ("POST", "/uploads", "tickets", upload),
        ("DELETE", "/uploads/{token}", "tickets", forget_upload),
        ("GET", "/attachments/{attachment_id:int}", "tickets", show_attachment),
    )
    return [api_route(account, method, path, resource, handler) for method, path, resource, handler in table]


def list_comments(call: Call) -> Response:
    """Comments, oldest first unless `sort=-created_at` or `sort_order=desc`; inline images only on request."""
    ticket = tickets.find(call.account, call.number("ticket_id"))
    attachments.settle_scans(call.account)
    descending = call.query("sort").startswith("-") or call.query("sort_order") == "desc"
    page = paged(call, ticket.comments, descending=descending)
    rows = page.rows
    if call.query("include_inline_images") != "true":
        rows = [attachments.without_inline(comment) for comment in rows]
    return answer({"comments": rows, **_included(call, rows), **page.envelope})


def count_comments(call: Call) -> Response:
    """How many comments there are."""
    ticket = tickets.find(call.account, call.number("ticket_id"))
    return answer({"count": {"value": len(ticket.comments), "refreshed_at": ticket.wire["updated_at"]}})


def list_audits(call: Call) -> Response:
    """Audits, oldest first unless asked otherwise."""
    ticket = tickets.find(call.account, call.number("ticket_id"))
    descending = call.query("sort").startswith("-") or call.query("sort_order") == "desc"
    page = paged(call, ticket.audits, descending=descending)
    return answer({"audits": page.rows, **_included(call, page.rows), **page.envelope})


def show_audit(call: Call) -> Response:
    """One audit."""
    ticket = tickets.find(call.account, call.number("ticket_id"))
    audit = next((audit for audit in ticket.audits if audit["id"] == call.number("audit_id")), None)
    if audit is None:
        raise not_found()
    return answer({"audit": audit})


def make_private(call: Call) -> Response:
    """An empty text as the answer."""
    comments.make_private(call.account, call.actor, call.number("comment_id"), call.number("ticket_id"))
    return answer("")


def redact_text(call: Call) -> Response:
    """Black out a string."""
    secret = str(call.json().get("text") or "")
    return answer(
        {
            "comment": comments.redact_text(
                call.account, call.actor, call.number("comment_id"), call.number("ticket_id"), secret
            )
        }
    )


def redact_marked(call: Call) -> Response:
    """Black out what is marked in the HTML."""
    wanted = call.json()
    if not isinstance(wanted.get("ticket_id"), int):
        raise bad_request("ParameterMissing", "param is missing or the value is empty: ticket_id")
    return answer(
        {
            "comment": comments.redact_marked(
                call.account, call.actor, call.number("comment_id"), wanted["ticket_id"], str(wanted.get("html_body"))
            )
        }
    )


def redact_file(call: Call) -> Response:
    """Replace a file by an empty one."""
    return answer(
        {
            "attachment": comments.redact_file(
                call.account,
                call.actor,
                call.number("comment_id"),
                call.number("ticket_id"),
                call.number("attachment_id"),
            )
        }
    )


def upload(call: Call) -> Response:
    """201 whose JSON is labelled text/plain, as recorded."""
    name = call.query("filename")
    if not name:
        raise bad_request("ParameterMissing", "param is missing or the value is empty: filename")
    kept = attachments.upload(
        call.account, name, call.request.headers.get("content-type", ""), call.body, call.query("token") or None
    )
    file = kept.files[-1]
    call.account.kit.journal.record("upload_created", str(file.wire["id"]), by=call.actor.by, **attachments.facts(file))
    response = answer(attachments.upload_shown(kept), 201)
    response.headers["content-type"] = "text/plain; charset=utf-8"
    return response


def forget_upload(call: Call) -> Response:
    """204: an unused token and its files are gone."""
    kept = attachments.live_upload(call.account, call.request.path_params["token"])
    for file in attachments.consume(call.account, [kept.token]):
        del call.account.files[file.wire["id"]], call.account.file_by_token[file.token]
    return Response(status_code=204)


def show_attachment(call: Call) -> Response:
    """One attachment with the scanner's present result."""
    attachments.settle_scans(call.account)
    file = call.account.files.get(call.number("attachment_id"))
    if file is None:
        raise not_found()
    return answer({"attachment": file.wire})


class Content:
    """`content_url` and the storage behind it: bytes for whoever holds the address."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def routes(self) -> list[Route]:
        """The routes outside the API."""
        return [Route("/attachments/token/{token}/", self.content), Route("/storage/{token}", self.storage)]

    async def content(self, request: Request) -> Response:
        """The file, 403 for an infected one, or 302 to the storage on another host name (setting)."""
        attachments.settle_scans(self._account)
        try:
            if self._account.settings.private_attachments:
                auth.authenticate(self._account, request.headers.get("authorization"))
            file = self._file(request)
        except ApiError as error:
            return refusal(error)
        if self._account.settings.attachment_redirect:
            port = request.url.port or 80
            return RedirectResponse(f"http://localhost:{port}/storage/{file.token}", 302)
        return _sent(file)

    async def storage(self, request: Request) -> Response:
        """The storage refuses a request that brings Zendesk's credentials along, and the journal tells of it."""
        try:
            file = self._file(request)
        except ApiError as error:
            return refusal(error)
        if "authorization" in request.headers:
            self._account.kit.journal.record("credentials_leaked", str(file.wire["id"]), by="storage")
            return Response("Only one auth mechanism allowed", 400)
        return _sent(file)

    def _file(self, request: Request) -> File:
        file = self._account.file_by_token.get(request.path_params["token"])
        if file is None:
            raise not_found()
        if attachments.infected(file):
            raise ApiError(403, {"error": "Forbidden", "description": "The attachment is infected"})
        return file


def _sent(file: File) -> Response:
    return Response(file.content, 200, {"content-disposition": "attachment"}, file.wire["content_type"])


def _included(call: Call, rows: list[JsonObject]) -> JsonObject:
    """Side-loaded authors, when asked for by `include=users`."""
    if "users" not in call.query("include").split(","):
        return {}
    numbers = dict.fromkeys(row["author_id"] for row in rows)
    return {"users": [call.account.users[number] for number in numbers]}

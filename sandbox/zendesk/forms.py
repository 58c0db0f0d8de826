"""What people do by form: the same functions as the API's, as the chosen agent or customer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.kit.page import done, refused

from . import attachments, comments, data, tickets
from .account import Account, Ticket
from .actor import Actor
from .data import JsonObject
from .errors import ApiError, closed, invalid, not_found

Ids = dict[str, Any]
Step = Callable[[Request, FormData, Actor], Ids]


class Forms:
    """One method a form; each returns the ids that JSON callers get, `ticket_id` among them."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def routes(self) -> list[Route]:
        """The POST routes."""
        ticket = "/person/tickets/{ticket_id:int}"
        table: tuple[tuple[str, Step], ...] = (
            ("/person/tickets", self._create),
            (f"{ticket}/comment", self._comment),
            (f"{ticket}/escalate", self._escalate),
            (f"{ticket}/status", self._status),
            (f"{ticket}/tags", self._tags),
            (f"{ticket}/fields", self._fields),
            (f"{ticket}/merge", self._merge),
            (f"{ticket}/close", self._close),
            (f"{ticket}/follow-up", self._follow_up),
            (f"{ticket}/delete", self._delete),
            ("/person/comments/{comment_id:int}/redact", self._redact),
            ("/person/comments/{comment_id:int}/private", self._private),
            ("/person/attachments/{attachment_id:int}/redact", self._redact_file),
        )
        return [self._route(path, step) for path, step in table]

    def _route(self, path: str, step: Step) -> Route:
        async def serve(request: Request) -> Response:
            self._account.base_url = f"{request.url.scheme}://{request.url.netloc}"
            async with request.form() as form:
                request.state.files = await _files(form)
                try:
                    ids = step(request, form, self._actor(request, form))
                except ApiError as error:
                    return refused(request, error.reason, status=error.status)
            home = "/" if ids.pop("gone", False) else f"/person/tickets/{ids['ticket_id']}"
            return done(request, home, **ids)

        return Route(path, serve, methods=["POST"])

    def _actor(self, request: Request, form: FormData) -> Actor:
        number = _text(form, "as") or str(data.AGENT_IDS[0])
        user = self._account.users.get(int(number) if number.isdigit() else 0)
        if user is None:
            raise invalid("as", f"There is no user {number}")
        client = request.client.host if request.client else ""
        return Actor(user, "web", request.headers.get("user-agent", ""), client)

    def _ticket(self, request: Request) -> Ticket:
        return tickets.find(self._account, request.path_params["ticket_id"])

    def _create(self, request: Request, form: FormData, actor: Actor) -> Ids:
        organization_id = int(_text(form, "organization_id") or 0)
        customer = next(
            (
                user["id"]
                for user in self._account.users.values()
                if organization_id and user["organization_id"] == organization_id
            ),
            actor.id,
        )
        ticket, audit = tickets.create(
            self._account,
            actor,
            {
                "subject": _text(form, "subject"),
                "requester_id": customer,
                "group_id": data.GROUP_ID,
                "comment": self._asked_comment(request, form, "public"),
                "priority": _text(form, "priority") or None,
                "tags": _text(form, "tags").split(),
                "custom_fields": _asked_fields(form),
            },
        )
        return _ids(ticket, audit)

    def _comment(self, request: Request, form: FormData, actor: Actor) -> Ids:
        """A customer's reply is always public and reopens a ticket that waited or was solved."""
        ticket = self._ticket(request)
        wanted: JsonObject = {"comment": self._asked_comment(request, form, "private")}
        if not actor.is_staff and ticket.wire["status"] in ("pending", "hold", "solved"):
            wanted["status"] = "open"
        return _ids(ticket, tickets.update(self._account, actor, ticket, wanted))

    def _escalate(self, request: Request, form: FormData, actor: Actor) -> Ids:  # noqa: ARG002 -- one signature
        return self._tagged(self._ticket(request), actor, [data.ESCALATE_TAG], [])

    def _status(self, request: Request, form: FormData, actor: Actor) -> Ids:
        ticket = self._ticket(request)
        return _ids(ticket, tickets.update(self._account, actor, ticket, {"status": _text(form, "status")}))

    def _tags(self, request: Request, form: FormData, actor: Actor) -> Ids:
        return self._tagged(self._ticket(request), actor, _text(form, "add").split(), _text(form, "remove").split())

    def _tagged(self, ticket: Ticket, actor: Actor, added: list[str], removed: list[str]) -> Ids:
        kept = [tag for tag in (*ticket.wire["tags"], *added) if tag not in removed]
        return _ids(ticket, tickets.update(self._account, actor, ticket, {"tags": kept}))

    def _fields(self, request: Request, form: FormData, actor: Actor) -> Ids:
        ticket = self._ticket(request)
        wanted: JsonObject = {"custom_fields": _asked_fields(form)}
        if "priority" in form:
            wanted["priority"] = _text(form, "priority") or None
        return _ids(ticket, tickets.update(self._account, actor, ticket, wanted))

    def _merge(self, request: Request, form: FormData, actor: Actor) -> Ids:
        source, into = self._ticket(request), _text(form, "into")
        target = tickets.find(self._account, int(into) if into.isdigit() else 0)
        if target is source:
            raise invalid("base", "Merge: a ticket cannot be merged into itself")
        if "closed" in (source.wire["status"], target.wire["status"]):
            raise closed()
        tickets.merge(self._account, actor, target, [source], {})
        return {"ticket_id": target.id, "merged_ticket_id": source.id}

    def _close(self, request: Request, form: FormData, actor: Actor) -> Ids:  # noqa: ARG002 -- one signature
        ticket = self._ticket(request)
        if ticket.wire["status"] != "solved":
            raise invalid("status", "Status: only a solved ticket can be closed")
        return _ids(ticket, tickets.update(self._account, actor, ticket, {"status": "closed"}))

    def _follow_up(self, request: Request, form: FormData, actor: Actor) -> Ids:
        source = self._ticket(request)
        ticket, audit = tickets.create(
            self._account,
            actor,
            {
                "subject": f"Re: {source.wire['subject']}",
                "requester_id": source.wire["requester_id"],
                "comment": self._asked_comment(request, form, "private"),
                "via_followup_source_id": source.id,
            },
        )
        return _ids(ticket, audit)

    def _delete(self, request: Request, form: FormData, actor: Actor) -> Ids:  # noqa: ARG002 -- one signature
        ticket = self._ticket(request)
        tickets.delete(self._account, actor, ticket)
        return {"ticket_id": ticket.id, "gone": True}

    def _redact(self, request: Request, form: FormData, actor: Actor) -> Ids:
        ticket, comment = comments.by_id(self._account, request.path_params["comment_id"])
        secret = _text(form, "text") or comment["body"]
        comments.redact_text(self._account, actor, comment["id"], ticket.id, secret)
        return {"ticket_id": ticket.id, "comment_id": comment["id"]}

    def _private(self, request: Request, form: FormData, actor: Actor) -> Ids:  # noqa: ARG002 -- one signature
        ticket, comment = comments.by_id(self._account, request.path_params["comment_id"])
        comments.make_private(self._account, actor, comment["id"], ticket.id)
        return {"ticket_id": ticket.id, "comment_id": comment["id"]}

    def _redact_file(self, request: Request, form: FormData, actor: Actor) -> Ids:  # noqa: ARG002 -- one signature
        number = request.path_params["attachment_id"]
        file = self._account.files.get(number)
        if file is None or file.comment_id is None:
            raise not_found()
        ticket, comment = comments.by_id(self._account, file.comment_id)
        comments.redact_file(self._account, actor, comment["id"], ticket.id, number)
        return {"ticket_id": ticket.id, "comment_id": comment["id"], "attachment_id": number}

    def _asked_comment(self, request: Request, form: FormData, default: str) -> JsonObject:
        tokens = [
            attachments.upload(self._account, name, kind, content, None).token
            for name, kind, content in request.state.files
        ]
        public = (_text(form, "visibility") or default) == "public"
        return {"body": _text(form, "body"), "public": public, "uploads": tokens}


async def _files(form: FormData) -> list[tuple[str, str, bytes]]:
    """Name, type and content of the files, read before the step, which must not wait."""
    return [
        (item.filename, item.content_type or "", await item.read())
        for name, item in form.multi_items()
        if name == "file" and isinstance(item, UploadFile) and item.filename
    ]


def _asked_fields(form: FormData) -> list[JsonObject]:
    return [
        {"id": int(name.removeprefix("field_")), "value": str(value) or None}
        for name, value in form.multi_items()
        if name.startswith("field_") and name.removeprefix("field_").isdigit()
    ]


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else ""


def _ids(ticket: Ticket, audit: JsonObject) -> Ids:
    said = next((event["id"] for event in audit["events"] if event["type"] == "Comment"), None)
    return {"ticket_id": ticket.id, "audit_id": audit["id"], "comment_id": said}

"""Person pages: what agents and customers see; their forms are handled in `forms`."""

from __future__ import annotations

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.kit import page as html

from . import data, tickets
from .account import Account, Ticket
from .data import JsonObject
from .errors import ApiError
from .forms import Forms

_SHOWN = 100
_VISIBILITY = (("private", "Internal note"), ("public", "Public reply"))


class Pages:
    """The pages and, beside them, the forms' routes."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def routes(self) -> list[Route]:
        """All routes for people."""
        return [
            Route("/", self.start),
            Route("/person/tickets/new", self.new),
            Route("/person/tickets/{ticket_id:int}", self.ticket),
            Route("/person/customer/tickets/{ticket_id:int}", self.customer),
            *Forms(self._account).routes(),
        ]

    async def start(self, request: Request) -> Response:  # noqa: ARG002 -- Starlette hands the request in
        """The newest hundred tickets."""
        newest = [ticket for ticket in reversed(self._account.tickets.values()) if not ticket.deleted][:100]
        rows = [
            (
                html.link(f"/person/tickets/{ticket.id}", f"#{ticket.id}"),
                ticket.wire["subject"],
                ticket.wire["status"],
                self._organization(ticket),
                ", ".join(ticket.wire["tags"]),
                ticket.wire["updated_at"],
            )
            for ticket in newest
        ]
        return html.page(
            "Zendesk sandbox: tickets",
            html.link("/person/tickets/new", "New ticket"),
            html.table(("Ticket", "Subject", "Status", "Organization", "Tags", "Updated"), rows),
        )

    async def new(self, request: Request) -> Response:  # noqa: ARG002 -- Starlette hands the request in
        """The form for a new ticket."""
        organizations = [(number, item["name"]) for number, item in self._account.organizations.items()]
        return html.page(
            "New ticket",
            html.form(
                "/person/tickets",
                "New ticket",
                self._acting(),
                html.choice("organization_id", "Organization of the customer", organizations),
                html.text_field("subject", "Subject", required=True),
                html.text_area("body", "First comment", required=True),
                html.choice("visibility", "Kind of comment", _VISIBILITY, "public"),
                html.choice("priority", "Priority", [("", "none"), *((word, word) for word in data.PRIORITIES)]),
                html.text_field("tags", "Tags, separated by blanks"),
                *self._fields({}),
                submit="Create",
            ),
        )

    async def ticket(self, request: Request) -> Response:
        """One ticket as an agent sees it, with everything an agent may do."""
        try:
            ticket = tickets.find(self._account, request.path_params["ticket_id"])
        except ApiError as error:
            return html.refused(request, error.reason, status=error.status)
        heading = "Conversation" if len(ticket.comments) <= _SHOWN else f"The newest {_SHOWN} comments"
        parts = [self._facts(ticket), html.heading(heading), *self._conversation(ticket)]
        parts += self._closed(ticket) if ticket.wire["status"] == "closed" else self._actions(ticket)
        return html.page(f"#{ticket.id} {ticket.wire['subject']}", *parts)

    async def customer(self, request: Request) -> Response:
        """One ticket as its requester sees it: public comments only."""
        try:
            ticket = tickets.find(self._account, request.path_params["ticket_id"])
        except ApiError as error:
            return html.refused(request, error.reason, status=error.status)
        shown = [
            html.paragraph(f"{self._name(comment)}: {comment['body']}")
            for comment in ticket.comments
            if comment["public"]
        ]
        return html.page(
            f"Request {ticket.id}: {ticket.wire['subject']}",
            *shown,
            html.form(
                f"/person/tickets/{ticket.id}/comment",
                "Reply",
                html.hidden("as", ticket.wire["requester_id"]),
                html.text_area("body", "Your reply", required=True),
                html.file_field("file", "File"),
                files=True,
            ),
        )

    def _facts(self, ticket: Ticket) -> Markup:
        wire = ticket.wire
        custom = {item["id"]: item["value"] for item in wire["custom_fields"]}
        fields = [(field["title"], custom.get(field["id"]) or "") for field in self._account.ticket_fields]
        follow_ups = Markup(", ").join(
            html.link(f"/person/tickets/{number}", f"#{number}") for number in wire["followup_ids"]
        )
        return html.table(
            ("Field", "Value"),
            [
                ("Status", wire["status"]),
                ("Priority", wire["priority"] or ""),
                ("Tags", ", ".join(wire["tags"])),
                ("Organization", self._organization(ticket)),
                ("External id", wire["external_id"] or ""),
                ("Follow-up tickets", follow_ups),
                ("Customer's view", html.link(f"/person/customer/tickets/{ticket.id}", "open")),
                *fields,
            ],
        )

    def _conversation(self, ticket: Ticket) -> list[Markup]:
        return [
            Markup("<section>{}{}{}{}</section>").format(
                html.heading(
                    f"{'Public reply' if comment['public'] else 'Internal note'} by {self._name(comment)}, "
                    f"{comment['created_at']} (comment {comment['id']})"
                ),
                html.paragraph(comment["body"]),
                self._files(comment),
                self._redaction(comment),
            )
            for comment in ticket.comments[-_SHOWN:]
        ]

    def _files(self, comment: JsonObject) -> Markup:
        return Markup("").join(
            Markup("{}{}").format(
                html.link(item["content_url"], f"{item['file_name']} ({item['size']} bytes)"),
                html.form(f"/person/attachments/{item['id']}/redact", "File", self._acting(), submit="Redact file"),
            )
            for item in comment["attachments"]
        )

    def _redaction(self, comment: JsonObject) -> Markup:
        controls = [
            html.form(
                f"/person/comments/{comment['id']}/redact",
                "Redact",
                self._acting(),
                html.text_field("text", "Text to black out; empty: all of it"),
                submit="Redact text",
            )
        ]
        if comment["public"]:
            controls.append(
                html.form(
                    f"/person/comments/{comment['id']}/private", "Visibility", self._acting(), submit="Make internal"
                )
            )
        return Markup("<details><summary>Redact or hide</summary>{}</details>").format(Markup("").join(controls))

    def _actions(self, ticket: Ticket) -> list[Markup]:
        at, wire = f"/person/tickets/{ticket.id}", ticket.wire
        custom = {item["id"]: item["value"] for item in wire["custom_fields"]}
        closing = [html.form(f"{at}/close", "Close for good", self._acting(), submit="Close ticket")]
        return [
            html.form(
                f"{at}/comment",
                "Comment",
                self._acting(),
                html.choice("visibility", "Kind of comment", _VISIBILITY, "private"),
                html.text_area(
                    "body", "Text (an internal note that begins with #partner is for the partner)", required=True
                ),
                html.file_field("file", "File"),
                files=True,
                submit="Add comment",
            ),
            html.form(f"{at}/escalate", "B2B partner issue", self._acting(), submit="Escalate to partner"),
            html.form(
                f"{at}/status",
                "Status",
                self._acting(),
                html.choice("status", "Status", [(word, word) for word in data.STATUSES[1:-1]], wire["status"]),
            ),
            html.form(
                f"{at}/tags",
                "Tags",
                self._acting(),
                html.text_field("add", "Add, separated by blanks"),
                html.text_field("remove", "Remove, separated by blanks"),
            ),
            html.form(
                f"{at}/fields",
                "Fields",
                self._acting(),
                html.choice(
                    "priority",
                    "Priority",
                    [("", "none"), *((word, word) for word in data.PRIORITIES)],
                    wire["priority"] or "",
                ),
                *self._fields(custom),
            ),
            html.form(
                f"{at}/merge",
                "Merge into another ticket",
                self._acting(),
                html.text_field("into", "Number of the ticket that stays", required=True),
                submit="Merge",
            ),
            *(closing if wire["status"] == "solved" else []),
            html.form(f"{at}/delete", "Delete", self._acting(), submit="Delete ticket"),
        ]

    def _closed(self, ticket: Ticket) -> list[Markup]:
        return [
            html.paragraph("This ticket is closed for good: only a follow-up ticket can go on with it."),
            html.form(
                f"/person/tickets/{ticket.id}/follow-up",
                "Follow-up ticket",
                self._acting(),
                html.text_area("body", "First comment", required=True),
                submit="Create follow-up",
            ),
        ]

    def _fields(self, values: dict[int, str | None]) -> list[Markup]:
        options = [("", "none"), *((word, word) for word in data.EXCEPTION_TYPES)]
        return [
            html.choice(f"field_{field['id']}", field["title"], options, values.get(field["id"]) or "")
            if field["type"] == "tagger"
            else html.text_field(f"field_{field['id']}", field["title"], values.get(field["id"]) or "")
            for field in self._account.ticket_fields
        ]

    def _acting(self) -> Markup:
        agents = [(number, self._account.users[number]["name"]) for number in data.AGENT_IDS]
        return html.choice("as", "Acting as", agents)

    def _name(self, comment: JsonObject) -> str:
        return str(self._account.users[comment["author_id"]]["name"])

    def _organization(self, ticket: Ticket) -> str:
        return str(self._account.organizations.get(ticket.wire["organization_id"], {}).get("name", "none"))

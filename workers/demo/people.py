"""People at the sandbox: the forms that a partner, a resolver and an agent fill in, sent as a browser would."""

import json
import secrets
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

Ids = dict[str, Any]
ROOTS = {"gemini": "/gemini"}  # the sandbox's Gemini lies in a virtual directory; its switches lie at the server's root


class Upload(NamedTuple):
    """A file that somebody chooses in a form."""

    name: str
    content: bytes
    content_type: str = "application/octet-stream"


def multipart(fields: Mapping[str, str], file: Upload) -> tuple[bytes, str]:
    """A form with a file in its part `file`, and the media type that names the boundary (RFC 7578)."""
    boundary = secrets.token_hex(16)
    named = file.name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")  # as browsers write them
    parts = [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode() for name, value in fields.items()]
    head = f'Content-Disposition: form-data; name="file"; filename="{named}"\r\nContent-Type: {file.content_type}'
    parts.append(head.encode() + b"\r\n\r\n" + file.content)
    line = f"--{boundary}".encode()
    body = b"".join(line + b"\r\n" + part + b"\r\n" for part in parts) + line + b"--\r\n"
    return body, f"multipart/form-data; boundary={boundary}"


class People:
    """One method for each thing a person does; each returns the ids that the page answered."""

    def __init__(self, urls: Mapping[str, str]) -> None:
        self.urls = dict(urls)

    # Partners, in the Trading Grid community

    def open_thread(self, partner: str, title: str, text: str, *, file: Upload | None = None, **fields: str) -> Ids:
        """A partner opens a thread; `fields` as on the page: type, exception_type, po_number, invoice_number, ..."""
        form = {"title": title, "text": text, "type": "exception", **fields}
        return self._form("trading_grid", f"/person/{partner}/threads", form, file)

    def post(self, partner: str, thread: str, text: str, **fields: str) -> Ids:
        """A partner posts in a thread."""
        return self._form("trading_grid", f"/person/{partner}/threads/{thread}/posts", {"text": text, **fields})

    def bring(self, partner: str, thread: str, file: Upload, document_class: str = "other") -> Ids:
        """A partner brings a document into a thread."""
        path = f"/person/{partner}/threads/{thread}/documents"
        return self._form("trading_grid", path, {"document_class": document_class}, file)

    def retitle_thread(self, partner: str, thread: str, title: str) -> Ids:
        """A partner changes a thread's title."""
        return self._form("trading_grid", f"/person/{partner}/threads/{thread}/title", {"title": title})

    def move_thread(self, partner: str, thread: str, to_state: str, reason: str = "") -> Ids:
        """A partner reopens (in_progress), confirms (closed) or withdraws (withdrawn) a thread."""
        path = f"/person/{partner}/threads/{thread}/transition"
        return self._form("trading_grid", path, {"to_state": to_state, "reason": reason})

    def redact_post(self, post: str, reason: str = "personal data") -> Ids:
        """Somebody of the hub takes a post's text away."""
        return self._form("trading_grid", f"/person/hub/posts/{post}/redact", {"reason": reason})

    # Resolvers, in Gemini

    def set_status(self, item: int | str, status: str, *, as_: str = "anna", comment: str = "", group: str = "") -> Ids:
        """A resolver sets an item's status, with a comment saved together with it if one is given."""
        form = {"as": as_, "status": status, "comment": comment, "group": group}
        return self._item(item, "status", form)

    def assign(self, item: int | str, person: str, *, as_: str = "anna") -> Ids:
        """A resolver gives the item to somebody."""
        return self._item(item, "resource", {"as": as_, "resource": person})

    def comment(self, item: int | str, text: str, *, group: int, as_: str = "anna", file: Upload | None = None) -> Ids:
        """A resolver comments, for the chosen group, perhaps with a file."""
        return self._item(item, "comment", {"as": as_, "comment": text, "group": str(group)}, file)

    def edit_comment(self, item: int | str, comment: int | str, *, as_: str = "anna", **fields: str) -> Ids:
        """A resolver changes the text or the group of a comment of their own."""
        return self._item(item, f"comment/{comment}", {"as": as_, **fields})

    def retitle_item(self, item: int | str, title: str, *, as_: str = "anna") -> Ids:
        """A resolver changes the item's title."""
        return self._item(item, "title", {"as": as_, "title": title})

    def set_field(self, item: int | str, field: str, value: str, *, as_: str = "anna") -> Ids:
        """A resolver fills a custom field."""
        return self._item(item, "custom", {"as": as_, "field": field, "value": value})

    # Agents, in Zendesk

    def open_ticket(self, organization: int, subject: str, body: str, **fields: str) -> Ids:
        """An agent takes down a ticket of a customer; `field_360003` and so on set its fields."""
        form = {"organization_id": str(organization), "subject": subject, "body": body, **fields}
        ids = self._form("zendesk", "/person/tickets", form)
        chosen = {name: value for name, value in fields.items() if name.startswith("field_")}
        return ids if not chosen else {**ids, **self._ticket(ids["ticket_id"], "fields", chosen)}

    def say(
        self,
        ticket: int | str,
        body: str,
        *,
        visibility: str = "private",
        as_: str = "9101",
        file: Upload | None = None,
    ) -> Ids:
        """An agent writes a private or public comment, perhaps with a file."""
        return self._ticket(ticket, "comment", {"as": as_, "body": body, "visibility": visibility}, file)

    def escalate(self, ticket: int | str, *, as_: str = "9101") -> Ids:
        """An agent marks the ticket for the partner."""
        return self._ticket(ticket, "escalate", {"as": as_})

    def ticket_form(self, ticket: int | str, form: str, **fields: str) -> Ids:
        """Any other form of the ticket's page: status, tags, fields, merge, close, delete."""
        return self._ticket(ticket, form, {"as": "9101", **fields})

    # Looking, and the sandbox's own switches

    def journal(self, system: str, since: int = 0) -> list[Ids]:
        """Every effect that really happened at a system, oldest first."""
        return cast("list[Ids]", self._json(system, f"/_sandbox/journal?since={since}")["entries"])

    def switch(self, system: str, path: str, value: Any, method: str = "PUT") -> Any:
        """Set one of the sandbox's switches, e.g. `faults`, `hooks`, `clock` or the system's own name."""
        return self._json(system, f"/_sandbox/{path}", value, method)

    def look(self, system: str, path: str) -> Any:
        """Read one of the sandbox's own pages, e.g. `state`."""
        return self._json(system, f"/_sandbox/{path}")

    def reset(self) -> None:
        """All three systems back to their start data."""
        for system in self.urls:
            self._json(system, "/_sandbox/reset", {}, "POST")

    def _item(self, item: int | str, form: str, fields: Mapping[str, str], file: Upload | None = None) -> Ids:
        return self._form("gemini", f"/gemini/person/items/{item}/{form}", fields, file)

    def _ticket(self, ticket: int | str, form: str, fields: Mapping[str, str], file: Upload | None = None) -> Ids:
        return self._form("zendesk", f"/person/tickets/{ticket}/{form}", fields, file)

    def _form(self, system: str, path: str, fields: Mapping[str, str], file: Upload | None = None) -> Ids:
        if file is None:
            body, kind = urllib.parse.urlencode(fields).encode(), "application/x-www-form-urlencoded"
        else:
            body, kind = multipart(fields, file)
        return cast("Ids", self._call(system, path, body, kind, "POST"))

    def _json(self, system: str, path: str, value: Any = None, method: str = "GET") -> Any:
        body = None if value is None else json.dumps(value).encode()
        return self._call(system, path, body, "application/json", method)

    def _call(self, system: str, path: str, body: bytes | None, kind: str, method: str) -> Any:
        root = self.urls[system].removesuffix(ROOTS.get(system, ""))
        headers = {"Accept": "application/json", "Content-Type": kind}
        request = urllib.request.Request(root + path, body, headers, method=method)  # noqa: S310 -- our own sandbox
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 -- our own sandbox
            text = answer.read()
        return json.loads(text) if text else None

"""The requests that casebridge makes of Zendesk: every one with `public: false`, our mark and, where due, a guard."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.connector import Link, Work
from pipeline.connectors.zendesk.audits import NAMESPACE
from pipeline.connectors.zendesk.settings import KIND, SYSTEM
from pipeline.domain.files import safe_name
from pipeline.plan import Request, Slot, Stored
from schemas.content import File

FOLLOW_UP = "follow_up"  # step that makes a ticket in place of one that takes no more
CREATE = "create"
UPLOAD = "upload"
READ_TICKET = "ticket"
READ_COMMENTS = "comments"
READ_SETTINGS = "settings"
Body = Mapping[str, Any]


def current(work: Work) -> Link:
    """The link that the operation acts on: through the follow-ups that took its place, to the newest."""
    link = work.link
    for _ in work.links:  # a chain is no longer than the links there are
        later = work.links.get(link.replaced_by) if link.replaced_by is not None else None
        if later is None or (later.system, later.kind) != (SYSTEM, KIND):
            break
        link = later
    return link


def metadata(work: Work, mark: str) -> Body:
    """Our mark, which comes back as `metadata.custom` of the audit and of its comment (sheet 5.5)."""
    details = getattr(work.operation, "details", {})
    return {NAMESPACE: {"op": mark, "hop": int(details.get("hop", 1))}}


def private(html_body: str, uploads: Sequence[str | Slot] = ()) -> Body:
    """A comment that only agents read. `public` is always sent: the ticket's first value sticks otherwise."""
    return {"html_body": html_body, "public": False, **({"uploads": list(uploads)} if uploads else {})}


def update(step: str, ticket: str, values: Body, work: Work, mark: str) -> Request:
    """Change a ticket."""
    body = {"ticket": {**values, "metadata": metadata(work, mark)}}
    return Request(step, "PUT", f"/tickets/{ticket}", body=body)


def guard(ticket: Body) -> Body:
    """The write applies only to the ticket as it was read (sheet 3.4). `safe_update: false` would mean the same."""
    stamp = ticket.get("updated_at")
    return {"safe_update": True, "updated_stamp": stamp} if stamp else {}


def create(step: str, values: Body, work: Work) -> Request:
    """Make a ticket; the key makes a repeat within 2 hours harmless, so the body must not change under it."""
    body = {"ticket": {**values, "metadata": metadata(work, work.mark)}}
    return Request(step, "POST", "/tickets", headers=(("Idempotency-Key", work.idem_key),), body=body)


def upload(file: File, sha256: str, step: str = UPLOAD) -> Request:
    """Bytes for a comment to come; sent last, as the token lives 60 minutes by the book (sheet 4)."""
    return Request(
        step,
        "POST",
        "/uploads",
        query=(("filename", safe_name(file.name)),),
        headers=(("Content-Type", file.content_type),),
        body=Stored(sha256, file.size),
    )


def read_ticket(ticket: str) -> Request:
    """The ticket as it stands."""
    return Request(READ_TICKET, "GET", f"/tickets/{ticket}", reads=True)


def read_comments(ticket: str) -> Request:
    """The newest hundred comments with their metadata: what we said a moment ago is among them."""
    query = (("sort", "-created_at"), ("page[size]", "100"))
    return Request(READ_COMMENTS, "GET", f"/tickets/{ticket}/comments", query=query, reads=True)


def read_by_external_id(step: str, external_id: str) -> Request:
    """Tickets with this external id: the search's index lags by minutes, this list does not (sheet 2.5)."""
    return Request(step, "GET", "/tickets", query=(("external_id", external_id),), reads=True)


def read_settings() -> Request:
    """The account's settings; `limits.attachment_size` differs by account (sheet 4)."""
    return Request(READ_SETTINGS, "GET", "/account/settings", reads=True, keeps_seconds=600.0)

"""Taking back what was copied: every text of our comment becomes black bars, on closed tickets too (flows Z2.12)."""

import re
from dataclasses import dataclass

from pipeline.connector import Facts, Work
from pipeline.connectors.zendesk.wire import Json, identifier
from pipeline.domain.reason import Reason
from pipeline.errors import PermanentError
from pipeline.plan import Request
from schemas.operation import Redact

STEP = "audit-"
BAR = "\u2587"  # what Zendesk puts in the place of each character
_PIECE = re.compile(r"(<[^>]*>)|([^<]+)")
_LINK = re.compile(r"<(a|img)\b([^>]*?)(/?)>")


@dataclass(frozen=True)
class Copy:
    """One comment of ours, where it stands."""

    ticket: str
    comment: str
    audit: str


def copies(operation: Redact, work: Work) -> tuple[Copy, ...]:
    """Our copies of the redacted part, as their receipts told. Raises where none is known."""
    places = (number.split(":") for kind, number in work.parts.get(operation.origin, ()) if kind == "copy")
    found = tuple(Copy(*place) for place in places if len(place) == 3)
    if not found:
        raise PermanentError(Reason.REJECTED, f"no comment of ours is known for {operation.origin}: redact it by hand")
    return found


def read_copies(operation: Redact, work: Work) -> tuple[Request, ...]:
    """The audits that made the copies: they hold the comments' HTML, which a redaction must repeat."""
    return tuple(
        Request(STEP + copy.audit, "GET", f"/tickets/{copy.ticket}/audits/{copy.audit}", reads=True)
        for copy in copies(operation, work)
    )


def redactions(operation: Redact, work: Work, facts: Facts) -> tuple[Request, ...]:
    """One request for each of our comments that still shows a character."""
    made = ((copy, _event(copy, facts)) for copy in copies(operation, work))
    return tuple(_redaction(copy, event) for copy, event in made if event is not None and _shows(event))


def _redaction(copy: Copy, event: Json) -> Request:
    body: Json = {"ticket_id": int(copy.ticket), "html_body": marked(str(event.get("html_body") or ""))}
    urls = [row["content_url"] for row in event.get("attachments") or [] if row.get("content_url")]
    if urls:
        body["external_attachment_urls"] = urls
    return Request(f"redact-{copy.comment}", "PUT", f"/comment_redactions/{copy.comment}", body=body)


def marked(html: str) -> str:
    """The comment's HTML with every text inside <redact> and every link marked for removal."""
    return "".join(_mark(tag, text) for tag, text in _PIECE.findall(html))


def _mark(tag: str, text: str) -> str:
    if tag:
        return _LINK.sub(r"<\1\2 redact\3>", tag)
    return f"<redact>{text}</redact>" if text.strip() else text


def _shows(event: Json) -> bool:
    return re.sub(rf"<[^>]*>|&nbsp;|[\s{BAR}]", "", str(event.get("html_body") or "")) != ""


def _event(copy: Copy, facts: Facts) -> Json | None:
    audit = (facts.get(STEP + copy.audit) or {}).get("audit") or {}
    events = (event for event in audit.get("events") or [] if event.get("type") == "Comment")
    return next((event for event in events if identifier(event.get("id")) == copy.comment), None)

"""Comments: adding one to a ticket, making one private, redacting text or a file (sheet 2.2, 3.1)."""

from __future__ import annotations

from . import attachments, text
from .account import Account, File, Ticket
from .action import Action
from .actor import Actor
from .data import JsonObject
from .errors import ApiError, closed, invalid, must_be, not_found
from .placeholders import values
from .text import Text


def asked_text(wanted: JsonObject) -> str:
    """The text of a requested comment: `html_body` or `body`; blank when there is none."""
    return str(wanted.get("html_body") or wanted.get("body") or "")


def check(account: Account, ticket: Ticket | None, wanted: JsonObject) -> None:
    """Refuse a comment before anything is changed.

    Raises ApiError 400 for an author id sent as text, 422 for an unknown author, a spent or expired upload
    token, or the comment after the 5,000th.
    """
    author = wanted.get("author_id")
    if author is not None and not isinstance(author, int):
        raise must_be("author_id", "integer", "tickets")
    if author is not None and author not in account.users:
        raise invalid("author", "Author: is invalid")
    if ticket is not None and len(ticket.comments) >= account.settings.comment_limit:
        raise invalid("base", f"Ticket: cannot have more than {account.settings.comment_limit} comments")
    for token in wanted.get("uploads") or []:
        attachments.live_upload(account, str(token))


def add(action: Action, wanted: JsonObject) -> JsonObject | None:
    """Add a checked comment to the action's ticket; a blank one is dropped without an error.

    Without `public` the ticket's own state decides: public once any comment was (the sticking default).
    """
    if not asked_text(wanted).strip():
        return None
    account, ticket = action.account, action.ticket
    author = account.users[wanted.get("author_id") or action.actor.id]
    asked = wanted.get("public", ticket.wire["is_public"] if ticket.comments else True)
    public = author["role"] == "end-user" or bool(asked)
    made = _text(action, author, wanted)
    files = attachments.consume(account, wanted.get("uploads") or [])
    comment = _store(action, author, made, public, files)
    _announce(action, comment, author, files)
    return comment


def make_private(account: Account, actor: Actor, comment_id: int, ticket_id: int) -> None:
    """Turn a public comment into an internal note, one way; an internal one stays as it is."""
    ticket, comment = _found(account, comment_id, ticket_id)
    if ticket.wire["status"] == "closed":
        raise closed()
    if not comment["public"]:
        return
    comment["public"] = False
    ticket.wire["is_public"] = any(item["public"] for item in ticket.comments)
    action = Action(account, ticket, actor)
    action.event("CommentPrivacyChange", comment_id=comment_id, public=False)
    action.tell("comment_made_private", _event(account, comment))
    action.note("comment_made_private", comment_id, comment_id=comment_id, public=False)
    action.commit(touch=False)


def redact_text(account: Account, actor: Actor, comment_id: int, ticket_id: int, secret: str) -> JsonObject:
    """Black out every occurrence of `secret`; refused on a closed ticket and when it does not occur."""
    ticket, comment = _found(account, comment_id, ticket_id)
    if ticket.wire["status"] == "closed":
        raise closed()
    if not secret or secret not in comment["body"]:
        raise invalid("text", "Text: was not found in the comment")
    return _redacted(account, actor, ticket, comment, text.redact_string(_as_text(comment), secret))


def redact_marked(account: Account, actor: Actor, comment_id: int, ticket_id: int, html: str) -> JsonObject:
    """Black out what `<redact>` marks in the comment's `html_body`; closed tickets too."""
    ticket, comment = _found(account, comment_id, ticket_id)
    if html == comment["html_body"] or text.without_marks(html) != comment["html_body"]:
        raise invalid("html_body", "Html body: must be the comment's own with redact tags added")
    return _redacted(account, actor, ticket, comment, text.redact_marked(html))


def redact_file(account: Account, actor: Actor, comment_id: int, ticket_id: int, attachment_id: int) -> JsonObject:
    """Replace a comment's attachment by an empty `redacted.txt`."""
    ticket, comment = _found(account, comment_id, ticket_id)
    file = account.files.get(attachment_id)
    if file is None or file.comment_id != comment_id:
        raise not_found()
    attachments.redact(file)
    action = Action(account, ticket, actor)
    action.event("AttachmentRedactionEvent", attachment_id=attachment_id, comment_id=comment_id)
    action.tell("attachment_redacted_from_comment", _event(account, comment, file))
    action.note("attachment_redacted", attachment_id, comment_id=comment_id)
    action.commit(touch=False)
    return file.wire


def _found(account: Account, comment_id: int, ticket_id: int) -> tuple[Ticket, JsonObject]:
    found = account.comments.get(comment_id)
    if found is None or found[0].id != ticket_id or found[0].deleted:
        raise not_found()
    return found


def _text(action: Action, author: JsonObject, wanted: JsonObject) -> Text:
    """The stored text: cut, placeholders expanded and Markdown rendered for agents' comments only."""
    by_agent = author["role"] != "end-user"
    source = text.cut(asked_text(wanted))
    if by_agent and "{{" in source:
        source = text.expand(source, values(action.account, action.ticket.wire, action.actor))
    return text.from_html(source) if wanted.get("html_body") else text.from_body(source, markdown=by_agent)


def _store(action: Action, author: JsonObject, made: Text, public: bool, files: list[File]) -> JsonObject:
    ticket = action.ticket
    comment_id = action.account.next_event_id()
    for file in files:
        file.comment_id = comment_id
        file.wire["inline"] = file.wire["content_url"] in made.html_body
    comment = {
        "id": comment_id,
        "type": "Comment",
        "author_id": author["id"],
        "body": made.body,
        "html_body": made.html_body,
        "plain_body": made.plain_body,
        "public": public,
        "attachments": [file.wire for file in files],
        "audit_id": action.audit_id,
        "via": action.actor.via,
        "created_at": action.at,
        "metadata": action.metadata,
    }
    ticket.comments.append(comment)
    action.account.comments[comment_id] = (ticket, comment)
    ticket.wire["is_public"] = public or (ticket.wire["is_public"] and len(ticket.comments) > 1)
    return comment


def _announce(action: Action, comment: JsonObject, author: JsonObject, files: list[File]) -> None:
    shown = {
        name: comment[name]
        for name in ("author_id", "body", "html_body", "plain_body", "public", "attachments", "audit_id")
    }
    action.event("Comment", comment["id"], **shown)
    action.tell("comment_added", _event(action.account, comment))
    for file in files:
        action.tell("attachment_linked_to_comment", _event(action.account, comment, file))
    action.note(
        "comment_added",
        comment["id"],
        comment_id=comment["id"],
        body=comment["body"],
        public=comment["public"],
        author=author["id"],
        first=len(action.ticket.comments) == 1,
        attachments=[file.wire["file_name"] for file in files],
    )
    for file in files:
        action.note("file_added", file.wire["id"], comment_id=comment["id"], **attachments.facts(file))


def _redacted(account: Account, actor: Actor, ticket: Ticket, comment: JsonObject, made: Text) -> JsonObject:
    """Put the redacted text everywhere the old one stands: comment, audit and the ticket's description."""
    if ticket.wire["description"] == comment["body"]:
        ticket.wire["description"] = made.body
    new = {"body": made.body, "html_body": made.html_body, "plain_body": made.plain_body}
    comment.update(new)
    for audit in ticket.audits:
        for event in audit["events"]:
            if event["id"] == comment["id"]:
                event.update(new)
    action = Action(account, ticket, actor)
    action.event("CommentRedactionEvent", comment_id=comment["id"])
    action.tell("comment_redacted", _event(account, comment))
    action.note("comment_redacted", comment["id"], comment_id=comment["id"], body=made.body)
    action.commit(touch=False)
    return comment


def _as_text(comment: JsonObject) -> Text:
    return Text(comment["body"], comment["html_body"], comment["plain_body"])


def _event(account: Account, comment: JsonObject, file: File | None = None) -> JsonObject:
    """A comment as webhook events show it: no HTML, no list of files, ids as text."""
    author = account.users[comment["author_id"]]
    shown = {
        "id": str(comment["id"]),
        "body": comment["body"],
        "is_public": comment["public"],
        "author": {"id": str(author["id"]), "is_staff": author["role"] != "end-user", "name": author["name"]},
    }
    if file is not None:
        shown["attachment"] = {
            "id": str(file.wire["id"]),
            "content_type": file.wire["content_type"],
            "is_public": comment["public"],
            "content_url": file.wire["content_url"],
            "filename": file.wire["file_name"],
        }
    return {"comment": shown}


def by_id(account: Account, comment_id: int) -> tuple[Ticket, JsonObject]:
    """A comment and its ticket; raises ApiError 404."""
    found = account.comments.get(comment_id)
    if found is None:
        raise not_found()
    return found


def wanted_comment(ticket: JsonObject) -> JsonObject:
    """The comment of a create or update request: an object, or bare text; the old name is `description`."""
    asked = ticket.get("comment")
    if asked is None and "description" in ticket:
        asked = {"body": ticket["description"]}
    if isinstance(asked, str):
        asked = {"body": asked}
    if asked is not None and not isinstance(asked, dict):
        raise ApiError(400, {"error": "InvalidParameter", "description": "comment must be an object"})
    return asked or {}

"""Comments: said, found again by their mark, and taken back by the same user who wrote them."""

from typing import Any

from pipeline.connector import Facts, Work
from pipeline.connectors.gemini import facts as read
from pipeline.connectors.gemini.changes import mark_line
from pipeline.connectors.gemini.settings import Options
from pipeline.connectors.gemini.site import user_id
from pipeline.connectors.gemini.texts import group_of, mark_html, said_html
from pipeline.connectors.gemini.wire import entity, optional
from pipeline.domain.reason import Reason
from pipeline.errors import PermanentError
from pipeline.plan import Answers, Request
from schemas.content import Visibility
from schemas.operation import Comment, Redact

WITHDRAWN = "<p>(text withdrawn)</p>"


def facts(options: Options) -> tuple[Request, ...]:
    """Our user id: every comment names its author."""
    return (read.me(options),)


def plan(comment: Comment, work: Work, found: Facts, options: Options) -> tuple[Request, ...]:
    """One new comment, its audience always in the body."""
    return (post(work, said_html(comment, work, options), comment.text.visibility, found, options),)


def post(work: Work, markup: str, visibility: Visibility, found: Facts, options: Options) -> Request:
    """The request for a comment of ours; `markup` ends with our mark."""
    number = read.item_number(work)
    body = {
        "IssueId": number,
        "ProjectId": options.project,
        "UserId": read.my_id(found, options),
        "Comment": markup,
        "Visibility": group_of(visibility, options),
    }
    return Request("comment", "POST", f"/items/{number}/comments", body=body)


def find(work: Work, options: Options) -> tuple[Request, ...]:
    """All comments that we may see; our user proves that this is all of ours."""
    return (read.me(options), Request("comments", "GET", f"/items/{work.link.slot}/comments", reads=True))


def found_comment(work: Work, answers: Answers, options: Options) -> str | None:
    """The id of our own comment with our mark on its last line. Raises AuthError for a refused log-in."""
    known = read.answers_as_facts(answers)
    me = user_id(known.get("me"), options.username)
    for row in read.rows(known, "comments"):
        if optional(row.get("UserId")) == me and work.mark in mark_line(str(row.get("Comment") or "")):
            return str(row.get("Id"))
    return None


def redact_facts(work: Work) -> tuple[Request, ...]:
    """The comments as they stand: a PUT replaces one whole, its audience included."""
    return (Request("comments", "GET", f"/items/{work.link.slot}/comments", reads=True),)


def redact_plan(redact: Redact, work: Work, found: Facts) -> tuple[Request, ...]:
    """The copies of the withdrawn text, each under its own Visibility. Raises PermanentError where none is known."""
    ours = {number for kind, number in work.parts.get(redact.origin, ()) if kind == "comment"}
    if not ours:
        raise PermanentError(
            Reason.REJECTED,
            f"no comment of ours is known for {redact.origin}: look at the item, its description may hold the text",
        )
    stored = [row for row in read.rows(found, "comments") if str(row.get("Id")) in ours]
    return tuple(_withdraw(work, row) for row in stored if WITHDRAWN not in str(row.get("Comment")))


def _withdraw(work: Work, stored: Any) -> Request:
    body = {name: value for name, value in entity(stored).items() if value is not None}
    body["Comment"] = WITHDRAWN + mark_html(work)
    return Request(f"redact:{body['Id']}", "PUT", f"/items/{work.link.slot}/comments", body=body)

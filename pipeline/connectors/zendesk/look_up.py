"""Looking before repeating, and what a write left behind: comments, audits, tickets (sheet 5.5)."""

from collections.abc import Iterator

from pipeline.connector import Work
from pipeline.connectors.zendesk import requests, say, values, wire
from pipeline.connectors.zendesk.audits import marks_of
from pipeline.connectors.zendesk.settings import KIND, SYSTEM
from pipeline.connectors.zendesk.wire import Json, identifier
from pipeline.plan import Answer, Answers, Receipt, Request
from schemas.change import ObjectRef
from schemas.operation import Attach, Comment, Create

_TICKETS = "tickets"
_FOLLOW_UPS = "follow_ups"


def reads(work: Work) -> tuple[Request, ...]:
    """For a create the tickets with our external id; for a note the newest comments, and a follow-up."""
    operation = work.operation
    if isinstance(operation, Create):
        return (requests.read_by_external_id(_TICKETS, values.external_id(operation, work)),)
    ticket = identifier(requests.current(work).external_id)
    if ticket is None:
        return ()
    found = [requests.read_comments(ticket)]
    if isinstance(operation, Comment | Attach):
        found.append(requests.read_by_external_id(_FOLLOW_UPS, say.follow_up_id(work.mark)))
    return tuple(found)


def made_ticket(work: Work, answers: Answers, root_url: str) -> Receipt | None:
    """The ticket of an earlier attempt: the one with exactly our external id, the oldest where there are several."""
    assert isinstance(work.operation, Create)
    number = _oldest(answers.get(_TICKETS), values.external_id(work.operation, work))
    return Receipt(bound=_ref(number), url=wire.page(root_url, number)) if number else None


def made_note(work: Work, answers: Answers, total: int, root_url: str) -> Receipt | None:
    """The note of an earlier attempt, whole: all its parts on the ticket, or a follow-up ticket that carries it."""
    number = _oldest(answers.get(_FOLLOW_UPS), say.follow_up_id(work.mark))
    if number and total == 1:
        return _moved(work, number, root_url)  # with more parts the create is repeated under its key, then the rest
    rows = _rows(answers.get(requests.READ_COMMENTS), "comments")
    facts = {requests.READ_COMMENTS: {"comments": rows}}
    if len(say.parts_there(facts, work, total)) < total:
        return None
    wanted = set(say.part_marks(work.mark, total))
    ticket = requests.current(work).external_id
    ours = [row for row in rows if wanted & set(marks_of(row))]
    return Receipt(parts=tuple(part for row in ours for part in _parts_of_comment(row, ticket)))


def receipt(work: Work, answers: Answers, root_url: str) -> Receipt:
    """The ids in the answers; a ticket that is not the one we wrote to took its place."""
    parts = tuple(dict.fromkeys(part for answer in answers.values() for part in _parts_of_audit(answer)))
    created = _created(answers)
    if created is None:
        return Receipt(parts=parts)
    if isinstance(work.operation, Create):
        return Receipt(parts=parts, bound=_ref(created), url=wire.page(root_url, created))
    moved = _moved(work, created, root_url)
    return Receipt(
        parts=parts, bound=moved.bound, url=moved.url, facts=moved.facts, closed_link_ids=moved.closed_link_ids
    )


def _moved(work: Work, number: str, root_url: str) -> Receipt:
    old = requests.current(work)
    return Receipt(
        bound=_ref(number),
        url=wire.page(root_url, number),
        closed_link_ids=(old.id,),
    )


def _created(answers: Answers) -> str | None:
    for step in (requests.CREATE, requests.FOLLOW_UP):
        ticket = _member(answers.get(step), "ticket")
        if ticket:
            return identifier(ticket.get("id"))
    return None


def _parts_of_audit(answer: Answer) -> Iterator[tuple[str, str]]:
    """The comment ids (an audit event's id is its comment's id), their files and the audit's own id."""
    audit = _member(answer, "audit")
    for event in audit.get("events") or []:
        if event.get("type") == "Comment":
            ticket = audit.get("ticket_id") or _member(answer, "ticket").get("id")
            yield from _parts_of_comment({**event, "audit_id": audit.get("id")}, ticket)
    yield from _numbered("audit", audit.get("id"))


def _parts_of_comment(row: Json, ticket: object) -> Iterator[tuple[str, str]]:
    """`copy` says where the comment stands, for a redaction: the link may lead to a follow-up by then."""
    yield from _numbered("comment", row.get("id"))
    where = [identifier(value) for value in (ticket, row.get("id"), row.get("audit_id"))]
    if all(where):
        yield "copy", ":".join(str(number) for number in where)
    for file in row.get("attachments") or []:
        yield from _numbered("attachment", file.get("id"))
    yield from _numbered("audit", row.get("audit_id"))


def _numbered(kind: str, value: object) -> Iterator[tuple[str, str]]:
    number = identifier(value)
    if number is not None:
        yield kind, number


def _oldest(answer: Answer | None, external_id: str) -> str | None:
    rows = _rows(answer, "tickets")
    ids = [identifier(row.get("id")) for row in rows if row.get("external_id") == external_id]
    return min((number for number in ids if number), key=int, default=None)


def _rows(answer: Answer | None, member: str) -> list[Json]:
    if answer is None or answer.status != 200:
        return []
    return [row for row in wire.parse(answer, member) if isinstance(row, dict)]


def _member(answer: Answer | None, name: str) -> Json:
    """One member of a JSON answer; empty where the answer has none (uploads have no audit)."""
    if answer is None or not 200 <= answer.status < 300:
        return {}
    try:
        body = answer.json
    except ValueError:
        return {}
    found = body.get(name) if isinstance(body, dict) else None
    return found if isinstance(found, dict) else {}


def _ref(number: str) -> ObjectRef:
    return ObjectRef(SYSTEM, KIND, number)

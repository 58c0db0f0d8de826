"""Notes on a ticket: in parts where long, and on a follow-up ticket where the ticket takes no more."""

from collections.abc import Iterable, Sequence

from pipeline.connector import Facts, Work
from pipeline.connectors.zendesk import requests, texts, values
from pipeline.connectors.zendesk.audits import marks_of
from pipeline.connectors.zendesk.judge import refusal_of
from pipeline.connectors.zendesk.requests import FOLLOW_UP, current, private
from pipeline.connectors.zendesk.settings import SYSTEM, Options
from pipeline.connectors.zendesk.values import ticket_in
from pipeline.connectors.zendesk.wire import Json, identifier, word
from pipeline.domain.files import why_not_copied
from pipeline.domain.reason import Reason
from pipeline.errors import PermanentError
from pipeline.plan import Plan, Request, Slot
from schemas.content import File, Side
from schemas.operation import Attach, Comment

DEFAULT_FILE_LIMIT = 52_428_800  # bytes; the documented example of the account's own setting
GUARDS = ("status", "safe_update", "updated_stamp")  # keys that only an update knows


def comment(operation: Comment, work: Work, facts: Facts, options: Options) -> Plan:
    """A private note; a partner's words open a solved ticket again, and a typed update fills its field."""
    ticket = ticket_in(facts)
    field = values.update_field(operation, options)
    also: Json = {**field, **(requests.guard(ticket) if field else {})}
    if reopens(operation, options) and word(ticket.get("status")) == "solved":
        also["status"] = "open"
    missing = _missing(operation.files, facts)
    bodies = texts.comment_bodies(operation, work, missing)
    uploads = [
        requests.upload(file, file.stored, upload_step(number))
        for number, file in enumerate(operation.files, start=1)
        if file.stored is not None and not missing.get(file.external_id)
    ]
    tokens = tuple(Slot(request.step, "upload.token") for request in uploads)
    return plan(bodies, work, facts, also=also, uploads=tokens, before=tuple(uploads), may_follow_up=not operation.note)


def upload_step(number: int) -> str:
    """The step that uploads a comment's n-th file, from 1."""
    return f"{requests.UPLOAD}-{number}"


def reopens(operation: Comment, options: Options) -> bool:
    """Whether this comment may open a solved ticket: only a partner's own words do."""
    return options.reopen_solved and operation.author.side is Side.PARTNER and not operation.note


def attach(operation: Attach, work: Work, facts: Facts) -> Plan:
    """The bytes with a note, or a note that names the file and says why its bytes are not here."""
    missing = _why_not(operation, facts)
    bodies = file_bodies(operation, missing)
    if missing or operation.stored is None:
        return plan(bodies, work, facts)
    token = Slot(requests.UPLOAD, "upload.token")
    return plan(bodies, work, facts, uploads=(token,), before=(requests.upload(operation.file, operation.stored),))


def file_bodies(operation: Attach, missing: str) -> list[str]:
    """The note that carries or names a file; `missing` says why only its name is here."""
    lines = [f"File: {texts.file_line(operation.file)}", *([texts.escape(missing)] if missing else [])]
    head = texts.note(*lines)
    if operation.text is None:
        return [head]
    return texts.bodies(lambda part: head + (f"<p>{part}</p>" if part else ""), operation.text)


def _missing(files: Sequence[File], facts: Facts) -> dict[str, str]:
    """Why a comment's files are only named in it, by file. After two refusals the words go alone (flows.md Z2.9)."""
    steps = [upload_step(number) for number in range(1, len(files) + 1)]
    refused = {step: str(facts[refusal_of(step)]) for step in steps if facts.get(refusal_of(step))}
    found: dict[str, str] = {}
    for step, file in zip(steps, files, strict=True):
        why = why_not_copied(file, _limit(facts) if file.stored is not None else None)
        if not why and step in refused:
            why = f"Zendesk refused the file: {refused[step]}"
        elif not why and file.stored is not None and len(refused) > 1:
            why = "It was left out, as Zendesk refused other files."
        if why:
            found[file.external_id] = why
    return found


def _why_not(operation: Attach, facts: Facts) -> str:
    why = why_not_copied(operation.file, _limit(facts) if operation.stored is not None else None)
    if not why and facts.get(refusal_of(requests.UPLOAD)):
        return f"Zendesk refused the file: {facts[refusal_of(requests.UPLOAD)]}"
    return why


def _limit(facts: Facts) -> int:
    settings = (facts.get(requests.READ_SETTINGS) or {}).get("settings") or {}
    return int((settings.get("limits") or {}).get("attachment_size") or DEFAULT_FILE_LIMIT)


def plan(
    bodies: Sequence[str],
    work: Work,
    facts: Facts,
    *,
    also: Json | None = None,
    uploads: tuple[Slot, ...] = (),
    before: tuple[Request, ...] = (),
    may_follow_up: bool = True,
) -> Plan:
    """The bodies as private comments, those left out that are there already; `also` goes with the first of them."""
    if takes_no_more(facts):
        if not may_follow_up:
            reason = Reason.TARGET_FULL if facts.get("full") else Reason.TARGET_CLOSED
            raise PermanentError(reason, "the ticket takes no comments and this note needs no new one")
        kept = {key: value for key, value in (also or {}).items() if key not in GUARDS}
        return Plan(SYSTEM, (*before, *_follow_up(bodies, work, facts, kept, uploads)))
    there = parts_there(facts, work, len(bodies))
    sent = parts(bodies, current(work).slot, work, also or {}, uploads, skip=there)
    return Plan(SYSTEM, (*before, *sent) if sent else ())


def takes_no_more(facts: Facts) -> bool:
    """Closed, or full of comments: only a new ticket can carry the text."""
    return bool(facts.get("closed") or facts.get("full") or word(ticket_in(facts).get("status")) == "closed")


def part_marks(mark: str, total: int) -> list[str]:
    """The mark of each part: the delivery's own where there is one part, numbered ones otherwise."""
    return [mark] if total == 1 else [f"{mark}-{number}" for number in range(1, total + 1)]


def parts_there(facts: Facts, work: Work, total: int) -> set[int]:
    """The numbers (from 1) of the parts that stand on the ticket already, under our mark."""
    rows = (facts.get(requests.READ_COMMENTS) or {}).get("comments") or []
    written = {mark for row in rows for mark in marks_of(row)}
    return {number for number, mark in enumerate(part_marks(work.mark, total), start=1) if mark in written}


def follow_up_id(mark: str) -> str:
    """The external id by which a follow-up is found again."""
    return f"casebridge:{mark}"


def parts(
    bodies: Sequence[str], ticket: str, work: Work, also: Json, uploads: tuple[Slot, ...], skip: Iterable[int]
) -> tuple[Request, ...]:
    """One update for each part that is not left out; files go with the last one."""
    total, left_out = len(bodies), set(skip)
    made: list[Request] = []
    for number, (html, mark) in enumerate(zip(bodies, part_marks(work.mark, total), strict=True), start=1):
        if number in left_out:
            continue
        step = "comment" if total == 1 else f"comment-{number}"
        values_ = {"comment": private(html, uploads if number == total else ()), **(also if number == 1 else {})}
        made.append(requests.update(step, ticket, values_, work, mark))
    return tuple(made)


def _follow_up(
    bodies: Sequence[str], work: Work, facts: Facts, also: Json, uploads: tuple[Slot, ...]
) -> tuple[Request, ...]:
    """A ticket in place of one that takes no more: its subject, requester and fields are those of the old one."""
    link, ticket = current(work), ticket_in(facts)
    number = identifier(link.external_id)
    if number is None:
        raise PermanentError(Reason.NO_BINDING, "a ticket that was never made cannot be followed up")
    reads = () if ticket else (requests.read_ticket(number),)
    head = texts.note(f"Goes on from {texts.anchor(f'ticket #{number}', link.url)}.")
    single = len(bodies) == 1
    made = {
        "subject": ticket.get("subject") if ticket else Slot(requests.READ_TICKET, "ticket.subject"),
        "requester_id": ticket.get("requester_id") if ticket else Slot(requests.READ_TICKET, "ticket.requester_id"),
        "custom_fields": _kept_fields(ticket, also),
        "external_id": follow_up_id(work.mark),
        "comment": private(head + bodies[0], uploads if single else ()),
        **({} if facts.get("full") else {"via_followup_source_id": int(number)}),
        **{key: value for key, value in also.items() if key != "custom_fields"},
    }
    rest = parts(bodies, str(Slot(FOLLOW_UP, "ticket.id")), work, {}, uploads, skip={1})
    return (*reads, requests.create(FOLLOW_UP, made, work), *rest)


def _kept_fields(ticket: Json, also: Json) -> list[Json] | Slot:
    """The old ticket's field values: the partner and the references are in them. New values go before old ones."""
    if not ticket:
        return Slot(requests.READ_TICKET, "ticket.custom_fields")
    rows = {row["id"]: row["value"] for row in ticket.get("custom_fields") or [] if row.get("value") is not None}
    rows |= {row["id"]: row["value"] for row in also.get("custom_fields") or []}
    return [{"id": number, "value": value} for number, value in rows.items()]

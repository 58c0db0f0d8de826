"""Z1: an agent escalates a ticket; the partner gets a thread with what was written for the partner, nothing else."""

import re
from collections.abc import Iterable
from dataclasses import replace

from msgspec import structs

from pipeline.config import Config, Partner
from pipeline.connector import Link
from pipeline.domain.identity import case_key
from pipeline.domain.milestones import ours
from pipeline.domain.text import to_plain
from pipeline.flow import Flow, Move, Opening, Planned, Situation, Step
from pipeline.flows._files import arrived, attached
from pipeline.flows._ticket_words import cleaned, description_of, field_text, shown_to_agent, title_of
from pipeline.flows._words import CASEBRIDGE, note, origin_of, relayed
from schemas.change import Change, ChangeKind, ObjectRef
from schemas.content import Author, Format, Side, Text, Visibility
from schemas.operation import Bind, Comment, Create, Redact

CODE = "Z1"
NOBODY = ""  # the partner of a case that still waits to be told its partner
WAKING = frozenset({ChangeKind.MARKED, ChangeKind.FIELDS, ChangeKind.OPENED})
WITHDRAWN = "The support team has withdrawn its request. This thread stays open."
ASK_PARTNER = (
    "This ticket is marked for a partner, but neither its partner field nor its organization names one that casebridge"
    " knows. Nothing has been sent. Set the partner field: the thread opens by itself."
)
ASK_WORDS = (
    "The partner's thread shows only the reference fields so far. To add words, fill the field for the partner's"
    " description before escalating, or write a private comment that begins with {prefix}."
)
REFUSED = "The thread for {partner} could not be opened. {why}"


def opens(change: Change, config: Config) -> Iterable[Opening]:
    """A marked ticket opens one case for each of its partners; without one it waits in a case of nobody's.

    So does the question what becomes of a thread that was refused: the partner's own case waits for that thread.
    """
    ticket = change.snapshot
    nobodys = Opening(NOBODY, f"object:{ticket.ref}", exclusive=False)
    if change.kind is ChangeKind.REFUSED:
        return (nobodys,) if change.details.get("flow") == CODE else ()
    if change.kind not in WAKING or not _is_marked(change, config):
        return ()
    partners = partners_of(change, config)
    if not partners:
        return (nobodys,)
    key = case_key(ticket.exception_type, ticket.references, str(ticket.ref))
    return tuple(Opening(partner.key, key, exclusive=False) for partner in partners)


def route(situation: Situation) -> Iterable[Step | Move]:
    """Escalation, words for the partner, withdrawal, merge."""
    kind = situation.change.kind
    if situation.case.partner is None:
        return _ask(situation)
    if kind is ChangeKind.MERGED:
        into = ObjectRef("zendesk", "ticket", str(situation.change.details["into"]))
        return [Move(situation.here.id, into)]
    if situation.opened:
        return _escalate(situation)
    if kind is ChangeKind.MARKED and situation.change.details.get("mark") == "escalate":
        return _escalate_again(situation)
    if kind is ChangeKind.UNMARKED and situation.change.details.get("mark") == "escalate":
        return [_withdrawn(thread) for thread in _threads(situation)]
    return _words(situation)


def partners_of(change: Change, config: Config) -> list[Partner]:
    """The partners that the ticket names: its field (several, by comma or blank), else its organization."""
    ticket = change.snapshot
    named = str((ticket.extra.get("fields") or {}).get("partner") or "")
    hints = re.split(r"[,;\s]+", named.strip()) if named.strip() else [ticket.partner_hint or ""]
    found = (
        config.partner(hint) or config.partner_at("zendesk", hint) or config.partner_at("trading_grid", hint)
        for hint in hints
        if hint
    )
    return list({partner.key: partner for partner in found if partner is not None}.values())


def _is_marked(change: Change, config: Config) -> bool:
    tag = config.sections.get("zendesk", {}).get("escalate_tag", "b2b_partner_issue")
    return change.details.get("mark") == "escalate" or tag in (change.snapshot.extra.get("tags") or [])


def _ask(situation: Situation) -> list[Step]:
    """In the case of nobody's: which partner, once; and what to do where a partner's thread was refused (Z1.11)."""
    change = situation.change
    if change.kind is ChangeKind.REFUSED:
        partner = situation.config.partner(str(change.details["partner"]))
        name = partner.name or partner.key if partner is not None else "the partner"
        return [note(CODE, "refused", situation.here, REFUSED.format(partner=name, why=change.details["why"]))]
    return [note(CODE, "ask_partner", situation.here, ASK_PARTNER)] if situation.opened else []


def _escalate(situation: Situation) -> list[Step]:
    """A thread of its own; or, where the case has one already, the ticket joins it (Z5.2)."""
    threads = _threads(situation)
    text = description_of(situation)
    if threads:
        steps = [_say(situation, f"join_{thread.id}", thread, text) for thread in threads if text is not None]
        return [*steps, *(_bound(situation, thread) for thread in threads), *_to_items(situation, text)]
    thread = Planned(-1, "trading_grid", "thread")
    steps = [
        Step(CODE, "create", "trading_grid", _create(situation, thread, text), plans=thread),
        Step(CODE, "bind", "zendesk", Bind(link_id=situation.here.id, counterpart_link_id=-1), needs=("create",)),
        note(CODE, "shown", situation.here, shown_to_agent(situation, text)),
    ]
    if text is None:
        prefix = situation.config.sections.get("zendesk", {}).get("partner_comment_prefix", "#partner")
        steps.append(note(CODE, "ask_words", situation.here, ASK_WORDS.format(prefix=prefix)))
    return [*steps, *_to_items(situation, text)]


def _create(situation: Situation, thread: Planned, text: Text | None) -> Create:
    ticket, partner = situation.change.snapshot, situation.case.partner
    assert partner is not None
    several = len(partners_of(situation.change, situation.config)) > 1
    number = ticket.ref.external_id
    return Create(
        link_id=thread.id,
        object_kind="thread",
        title=Text(title_of(situation), Format.PLAIN, Visibility.PARTNER),
        body=text,
        partner=partner.key,
        partner_name=partner.name or partner.key,
        partner_id=partner.ids.get("trading_grid"),
        author=Author(Side.HUB, name="Support"),
        type="exception" if ticket.exception_type else "question",
        exception_type=ticket.exception_type,
        priority=ticket.priority,
        references=ticket.references,
        origin=str(ticket.ref),
        details={"external_id": f"{number}:{partner.key}" if several else number},
    )


def _escalate_again(situation: Situation) -> list[Step]:
    """Marked again: the thread is there, the field's text becomes a post (Z1.7); comments were relayed already."""
    text = field_text(situation) if _is_addressed(situation) else None
    return [] if text is None else [_say(situation, f"again_{t.id}", t, text) for t in _threads(situation)]


def _words(situation: Situation) -> Iterable[Step]:
    """A private comment that begins with the mark -> thread and item; all else stays in the ticket."""
    change = situation.change
    if change.kind in {ChangeKind.NARROWED, ChangeKind.REDACTED}:
        links = (*_threads(situation), *situation.case.current("gemini", "item"))
        origin = origin_of(change)
        return [Step(CODE, f"redact_{k.id}", k.system, Redact(link_id=k.id, origin=origin)) for k in links]
    if not _is_addressed(situation):
        return ()
    if change.kind is ChangeKind.FILE:
        return _file(situation)
    if change.kind is not ChangeKind.SAID or change.text is None:
        return ()
    if change.text.visibility is not Visibility.PARTNER:
        if not situation.config.settings.share_internal or change.author.side is not Side.HUB:
            return ()
        return relayed(CODE, situation, situation.case.current("gemini", "item"), visibility=Visibility.INTERNAL)
    return _to_partner(situation, change.text)


def _is_addressed(situation: Situation) -> bool:
    """Whether the ticket still speaks to this partner: not when its field names others (a wrong one was corrected)."""
    named = str((situation.change.snapshot.extra.get("fields") or {}).get("partner") or "")
    return not named.strip() or situation.case.partner in partners_of(situation.change, situation.config)


def _to_partner(situation: Situation, text: Text) -> list[Step]:
    """Words for the partner, without personal data of the customer; where some was removed the ticket shows it."""
    links = (*_threads(situation), *situation.case.current("gemini", "item"))
    body = cleaned(situation, text.body)
    safe = replace(situation, change=structs.replace(situation.change, text=structs.replace(text, body=body)))
    steps = [*relayed(CODE, safe, links, visibility=Visibility.PARTNER), *attached(CODE, situation, links)]
    if body != text.body:
        shown = to_plain(structs.replace(text, body=body))
        steps.append(note(CODE, "shown_again", situation.here, f"Sent without personal data: {shown}"))
    return steps


def _file(situation: Situation) -> list[Step]:
    """The scan of a file has ended; only one in a comment for the partner leaves the ticket (Z3.5)."""
    if any(file.visibility is not Visibility.PARTNER for file in situation.change.files):
        return []
    return arrived(CODE, situation, (*_threads(situation), *situation.case.current("gemini", "item")))


def _to_items(situation: Situation, text: Text | None) -> list[Step]:
    if text is None:
        return []
    return [_say(situation, f"item_{item.id}", item, text) for item in situation.case.current("gemini", "item")]


def _say(situation: Situation, name: str, link: Link, text: Text) -> Step:
    author = structs.replace(situation.change.author, side=Side.HUB, name="Support")
    said = Comment(link_id=link.id, text=text, author=author, at=situation.change.at)
    return Step(CODE, name, link.system, said)


def _withdrawn(thread: Link) -> Step:
    """A status post in casebridge's own words; the thread stays (Z1.10)."""
    said = Comment(link_id=thread.id, text=ours(WITHDRAWN), author=CASEBRIDGE, note=True)
    return Step(CODE, f"withdrawn_{thread.id}", thread.system, said)


def _bound(situation: Situation, thread: Link) -> Step:
    bind = Bind(link_id=situation.here.id, counterpart_link_id=thread.id)
    return Step(CODE, f"bind_{thread.id}", "zendesk", bind)


def _threads(situation: Situation) -> tuple[Link, ...]:
    return situation.case.current("trading_grid", "thread")


FLOWS = (Flow(CODE, "Ticket is escalated to the partner", "zendesk", route, opens),)

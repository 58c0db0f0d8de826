"""G1: a partner's exception, dispute or transaction issue becomes a Gemini item with its whole context."""

from collections.abc import Iterable
from dataclasses import replace

from msgspec import structs

from pipeline.config import Config
from pipeline.connector import Link
from pipeline.domain.identity import case_key
from pipeline.domain.milestones import Milestone, ours
from pipeline.domain.reason import Reason
from pipeline.errors import SkippedError
from pipeline.flow import Flow, Opening, Planned, Situation, Step
from pipeline.flows._files import arrived, attached
from pipeline.flows._words import others, partner_of, relayed, signed
from schemas.change import Change, ChangeKind
from schemas.content import Format, Side, Text, Visibility
from schemas.operation import Bind, Create, Fields, State, Title

CODE = "G1"
CASE_TYPES = frozenset({"exception", "dispute", "transaction_issue", "chargeback", "compliance"})
NUMBER = "{{number}}"  # the item's number stands here once it exists


def opens(change: Change, config: Config) -> Iterable[Opening]:
    """A thread that a partner began opens (or joins) the case of its partner and case key."""
    if change.kind is not ChangeKind.OPENED:
        return ()
    if change.author.side is not Side.PARTNER:
        raise SkippedError(Reason.NOT_ROUTED, "the thread was not opened by a partner")
    thread = change.snapshot
    if thread.type not in CASE_TYPES:
        raise SkippedError(Reason.NOT_ROUTED, f"a thread of type {thread.type} opens no case")
    partner = partner_of("trading_grid", thread.partner_hint or "", config)
    key = case_key(thread.exception_type, thread.references, str(change.ref))
    return (Opening(partner.key, key),)


def route(situation: Situation) -> Iterable[Step]:
    """The item with its fields, the binding on the thread, and the word of receipt with the case number."""
    change = situation.change
    if change.kind is ChangeKind.TITLE:
        return _retitle(situation)
    if change.kind is ChangeKind.FILE:
        return arrived(CODE, situation, situation.case.current("gemini", "item"))
    if change.kind is not ChangeKind.OPENED or not situation.opened:
        return ()
    items = situation.case.current("gemini", "item")
    return _join(situation, items) if items else _open(situation)


def _open(situation: Situation) -> list[Step]:
    thread, here = situation.change.snapshot, situation.here
    item = Planned(-1, "gemini", "item")
    partner = situation.case.partner
    assert partner is not None
    create = Create(
        link_id=item.id,
        object_kind="item",
        title=_title(situation),
        body=thread.first_text,
        partner=partner.key,
        partner_name=partner.name or partner.key,
        partner_id=partner.ids.get("gemini"),
        author=signed(situation.change.author, situation),
        type="case",
        exception_type=thread.exception_type,
        priority=thread.priority,
        references=thread.references,
        origin_url=thread.url,
        origin=str(thread.ref),
        details=thread.extra | _earlier_item(situation),
    )
    fields = {
        "ExternalReference": str(thread.ref),
        "PartnerName": partner.name or partner.key,
        "TransactionReferences": ", ".join(f"{ref.kind} {ref.value}" for ref in thread.references),
    }
    known = situation.config.sections.get("gemini", {}).get("fields", {})
    wanted = {name: value for name, value in fields.items() if name in known and value}
    steps = [Step(CODE, "create", "gemini", create, plans=item)]
    if wanted:
        steps.append(Step(CODE, "fields", "gemini", Fields(link_id=item.id, values=wanted)))
    steps += attached(CODE, situation, [item.link])
    bind = Bind(link_id=here.id, counterpart_link_id=item.id)
    steps.append(Step(CODE, "bind", "trading_grid", bind, needs=("create",)))
    steps += _relate(situation, situation.case.earlier)
    steps.append(Step(CODE, "received", "trading_grid", _received(here, item.id), needs=("create",)))
    return [*steps, *_to_tickets(situation)]


def _join(situation: Situation, items: tuple[Link, ...]) -> list[Step]:
    """The case has its item already: the post goes there, the new thread names the older ones (G1.2, G1.3)."""
    steps = [*_first_words(situation, items, Visibility.PARTNER), *attached(CODE, situation, items)]
    steps += _relate(situation, others(situation, "trading_grid", "thread"))
    steps.append(Step(CODE, "received", "trading_grid", _received(situation.here, items[0].id)))
    return [*steps, *_to_tickets(situation)]


def _relate(situation: Situation, links: Iterable[Link]) -> list[Step]:
    """The thread names the older ones of its case, or of the case before it whose join window has passed (rule 2)."""
    older = [link.external_id for link in links if link.kind == "thread" and link.external_id]
    if not older:
        return []
    fields = Fields(link_id=situation.here.id, values={"related_thread_ids": older})
    return [Step(CODE, "relate", "trading_grid", fields)]


def _earlier_item(situation: Situation) -> dict[str, dict[str, str]]:
    """The item of the case before this one, for the description's table."""
    keys = [str(link.facts.get("key") or link.external_id) for link in situation.case.earlier if link.kind == "item"]
    return {"facts": {"Earlier case": ", ".join(keys)}} if keys else {}


def _received(here: Link, item_link: int) -> State:
    milestone = Milestone("received")
    note = ours(f"We have received your message. Your case number is {NUMBER}.")
    return State(
        link_id=here.id,
        state=milestone.state,
        label=milestone.label,
        public_note=note,
        details={"number_of": item_link},
    )


def _to_tickets(situation: Situation) -> list[Step]:
    return _first_words(situation, situation.case.current("zendesk", "ticket"), Visibility.INTERNAL)


def _first_words(situation: Situation, links: tuple[Link, ...], visibility: Visibility) -> list[Step]:
    change = situation.change
    if change.snapshot.first_text is None or not links:
        return []
    first = structs.replace(
        change, text=change.snapshot.first_text, part_id=change.details.get("first_post_id") or change.part_id
    )
    return relayed(CODE, replace(situation, change=first), links, visibility=visibility)


def _title(situation: Situation) -> Text:
    return Text(situation.change.snapshot.title, Format.PLAIN, Visibility.PARTNER)


def _retitle(situation: Situation) -> list[Step]:
    """The item's title follows the thread's, unless a colleague has changed it since (G1.6)."""
    if situation.change.author.side is not Side.PARTNER:
        return []
    return [
        Step(
            CODE,
            f"title_{item.id}",
            "gemini",
            Title(link_id=item.id, title=_title(situation), previous=item.facts.get("title")),
        )
        for item in situation.case.current("gemini", "item")
    ]


FLOWS = (Flow(CODE, "Partner exception becomes a case", "trading_grid", route, opens),)

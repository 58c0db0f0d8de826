"""G2: as the item moves on, the partner sees the milestone; what the partner does to the thread moves the item.

Authority (decisions D7): Gemini, when bound, owns the milestone and Zendesk follows it; without an item Zendesk owns
it; what a partner does (reopen, confirm, withdraw) always applies.
"""

from collections.abc import Iterable

from pipeline.config import Config
from pipeline.connector import Link
from pipeline.domain.milestones import LABELS, Milestone, ours, parse
from pipeline.domain.reason import Reason
from pipeline.errors import SkippedError
from pipeline.flow import Flow, Situation, Step
from pipeline.flows._words import milestone_of, note
from schemas.change import Change, ChangeKind
from schemas.content import Format, Side, Text, Visibility
from schemas.operation import State

CODE = "G2"
RESOLUTION_FIELD = "PublicResolution"
NEED_TEXT = frozenset({"resolved", "closed"})  # a thread closes by way of resolved, and that wants its text
EARLY = frozenset({"new", "received", "assigned"})
TICKET_STATES = {"new": "received", "open": "in_progress", "pending": "awaiting_partner", "hold": "awaiting_approval",
                 "solved": "resolved", "closed": "closed"}  # fmt: skip
SUPPORT_RESOLVED = "The support team has resolved this case."


def from_item(situation: Situation) -> Iterable[Step]:
    """Gemini -> thread and ticket."""
    change = situation.change
    if change.kind is ChangeKind.STATE:
        return _moved(situation, _item_milestone(situation))
    if change.kind is ChangeKind.FIELDS and RESOLUTION_FIELD in change.details.get("fields", {}):
        milestone = milestone_of("gemini", change.snapshot.state, situation.config)
        return _moved(situation, milestone) if milestone.state in NEED_TEXT else ()
    return ()


def from_ticket(situation: Situation) -> Iterable[Step]:
    """Zendesk -> thread, while no item owns the milestone; else a note tells the team what the agent did."""
    change = situation.change
    if change.kind is not ChangeKind.STATE:
        return ()
    items = situation.case.current("gemini", "item")
    if items:
        sentence = f"The Zendesk ticket's status is now {change.snapshot.state}."
        return [note(CODE, f"tell_{item.id}", item, sentence) for item in items]
    status = str(change.details.get("after") or change.snapshot.state).lower()
    milestone = parse(TICKET_STATES.get(status, ""))
    if milestone is None:
        raise SkippedError(Reason.NOT_ROUTED, f"ticket status {status!r} is no milestone")
    resolution = ours(SUPPORT_RESOLVED) if milestone.state in NEED_TEXT else None
    return _to_threads(situation, milestone, resolution)


def from_thread(situation: Situation) -> Iterable[Step]:
    """What a partner did to the thread: reopened, confirmed (closed) or withdrew it."""
    change = situation.change
    if change.kind is not ChangeKind.STATE or change.author.side is not Side.PARTNER:
        return ()
    state = change.snapshot.state
    done = {"in_progress": "reopened", "closed": "confirmed", "withdrawn": "withdrew"}.get(state)
    if done is None:
        return ()
    if state == "withdrawn":
        both = (*situation.case.current("gemini", "item"), *situation.case.current("zendesk", "ticket"))
        return [note(CODE, f"withdrawn_{link.id}", link, "The partner has withdrawn the thread.") for link in both]
    return [*_reopen_or_close(situation, state), *_to_tickets(situation, Milestone(state), by_partner=True)]


def _item_milestone(situation: Situation) -> Milestone:
    change = situation.change
    if not change.details.get("assigned"):
        return milestone_of("gemini", change.details.get("after") or change.snapshot.state, situation.config)
    current = milestone_of("gemini", change.snapshot.state, situation.config)
    if current.state not in EARLY:
        raise SkippedError(Reason.NOT_ROUTED, f"only the person changed; the milestone stays {LABELS[current.state]}")
    return Milestone("assigned")  # never the person's name (G2.11)


def _moved(situation: Situation, milestone: Milestone) -> list[Step]:
    resolution = None
    if milestone.state in NEED_TEXT:
        text = str(situation.change.snapshot.extra.get("public_resolution") or "").strip()
        if not text:
            return [_ask_for_resolution(situation)]
        resolution = Text(text, Format.PLAIN, Visibility.PARTNER)
    return [*_to_threads(situation, milestone, resolution), *_to_tickets(situation, milestone)]


def _ask_for_resolution(situation: Situation) -> Step:
    sentence = (
        f"The item is {situation.change.snapshot.state}, but its field {RESOLUTION_FIELD} is empty, so the partner has"
        " not been told."
        " Fill the field with the text for the partner: the milestone goes out by itself."
    )
    return note(CODE, "ask_resolution", situation.here, sentence)


def _to_threads(situation: Situation, milestone: Milestone, resolution: Text | None) -> list[Step]:
    def step(thread: Link) -> Step:
        operation = State(
            link_id=thread.id,
            state=milestone.state,
            awaiting_reason=milestone.awaiting_reason,
            label=milestone.label,
            public_note=resolution if milestone.state == "resolved" else milestone.note,
            resolution=resolution,
            reason=f"{situation.here.system} moved it to {milestone}",
        )
        return Step(CODE, f"thread_{thread.id}", "trading_grid", operation, settles=True)

    return [step(thread) for thread in situation.case.current("trading_grid", "thread")]


def _to_tickets(situation: Situation, milestone: Milestone, *, by_partner: bool = False) -> list[Step]:
    def step(ticket: Link) -> Step:
        operation = State(
            link_id=ticket.id,
            state=milestone.state,
            awaiting_reason=milestone.awaiting_reason,
            details={"by_partner": True} if by_partner else {},
        )
        return Step(CODE, f"ticket_{ticket.id}", "zendesk", operation, settles=True)

    return [step(ticket) for ticket in situation.case.current("zendesk", "ticket")]


def _reopen_or_close(situation: Situation, state: str) -> list[Step]:
    """The item follows the partner; where its workflow has no way back a new one carries the case on (G2.7)."""
    thread = situation.change.snapshot
    reopen = {"title": thread.title, "body": "The partner has reopened the thread.", "origin": str(thread.ref)}
    details = {"reopen": reopen} if state == "in_progress" else {}
    return [
        Step(CODE, f"item_{item.id}", "gemini", State(link_id=item.id, state=state, reason="partner", details=details))
        for item in situation.case.current("gemini", "item")
    ]


def _gemini_state(change: Change, config: Config) -> str | None:
    label = change.details.get("after") or change.snapshot.state
    found = parse(str(config.sections.get("gemini", {}).get("statuses", {}).get(label, "")))
    return None if found is None else str(found)


FLOWS = (
    Flow(CODE, "Milestones go back to the partner", "gemini", from_item, state_of=_gemini_state),
    Flow(CODE, "Status without an item", "zendesk", from_ticket),
    Flow(CODE, "What a partner does to the thread", "trading_grid", from_thread),
)

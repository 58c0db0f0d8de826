"""Z2: a partner's post appears in the ticket as an internal note; only an agent publishes it."""

from collections.abc import Iterable

from pipeline.connector import Link
from pipeline.domain.states import LinkState
from pipeline.flow import Flow, Situation, Step
from pipeline.flows._files import arrived
from pipeline.flows._words import origin_of, relayed
from pipeline.flows.g6_conversation import refuse_server_posts
from schemas.change import ChangeKind
from schemas.content import Visibility
from schemas.operation import Redact

CODE = "Z2"


def route(situation: Situation) -> Iterable[Step]:
    """Posts as private notes with their files, redactions as redactions, on every ticket of the case."""
    change = situation.change
    tickets = situation.case.current("zendesk", "ticket")
    if change.kind is ChangeKind.REDACTED:
        origin = origin_of(change)
        return [
            Step(CODE, f"redact_{ticket.id}", "zendesk", Redact(link_id=ticket.id, origin=origin)) for ticket in tickets
        ]
    if change.kind is ChangeKind.FILE:
        return arrived(CODE, situation, tickets)
    if change.kind not in {ChangeKind.SAID, ChangeKind.EDITED} or change.text is None:
        return ()
    refuse_server_posts(situation)
    return relayed(CODE, situation, tickets or _gone(situation), visibility=Visibility.INTERNAL)


def _gone(situation: Situation) -> tuple[Link, ...]:
    """Tickets that were deleted: words for them are tried and parked as `target_gone`, never dropped (Z2.11)."""
    links = (link for link in situation.case.links if link.system == "zendesk" and link.replaced_by is None)
    return tuple(link for link in links if link.state == LinkState.GONE.value)


FLOWS = (Flow(CODE, "Partner update returns to the ticket", "trading_grid", route),)

"""Z2: a partner's post appears in the ticket as an internal note; only an agent publishes it."""

from collections.abc import Iterable

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
    return relayed(CODE, situation, tickets, visibility=Visibility.INTERNAL)


FLOWS = (Flow(CODE, "Partner update returns to the ticket", "trading_grid", route),)

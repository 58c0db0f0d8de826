"""Rule 8: an object deleted at its source is told to the teams by a note; its counterparts are never deleted."""

from collections.abc import Iterable

from pipeline.flow import Flow, Situation, Step
from pipeline.flows._words import note, others
from schemas.change import ChangeKind

CODE = "R8"
TITLES = {"trading_grid": "Trading Grid thread", "gemini": "Gemini item", "zendesk": "Zendesk ticket"}


def route(situation: Situation) -> Iterable[Step]:
    """An internal note on the case's other items and tickets; what a team deletes is no word for the partner."""
    if situation.change.kind is not ChangeKind.DELETED:
        return ()
    ref = situation.change.ref
    sentence = f"{TITLES[ref.system]} {ref.external_id} was deleted there. Nothing was deleted here."
    teams = (*others(situation, "gemini", "item"), *others(situation, "zendesk", "ticket"))
    return [note(CODE, f"deleted_{link.id}", link, sentence) for link in teams]


FLOWS = tuple(Flow(CODE, "Deleted at its source", system, route) for system in TITLES)

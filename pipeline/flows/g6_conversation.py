"""G6: the partner's words reach the item, visible comments reach thread and ticket; the rest stays inside."""

from collections.abc import Iterable

from pipeline.connector import Link
from pipeline.domain.reason import Reason
from pipeline.errors import SkippedError
from pipeline.flow import Flow, Situation, Step
from pipeline.flows._files import arrived, attached
from pipeline.flows._words import note, origin_of, others, relayed
from schemas.change import ChangeKind
from schemas.content import Side, Visibility
from schemas.operation import Redact

CODE = "G6"
SERVER_POSTS = frozenset({"status", "system"})


def from_thread(situation: Situation) -> Iterable[Step]:
    """A post of the thread -> the item, in the partner group; the first post came with the item itself."""
    change = situation.change
    items = situation.case.current("gemini", "item")
    if change.kind is ChangeKind.REDACTED:
        return [_redact(situation, item.id, "gemini") for item in items]
    if change.kind not in {ChangeKind.SAID, ChangeKind.EDITED} or change.text is None:
        return ()
    refuse_server_posts(situation)
    return [
        *relayed(CODE, situation, items, visibility=Visibility.PARTNER),
        *attached(CODE, situation, items),
    ]


def from_item(situation: Situation) -> Iterable[Step]:
    """A comment in the partner group -> thread and ticket. Every other comment stays in Gemini (G6.1)."""
    change = situation.change
    if change.kind is ChangeKind.REDACTED or change.kind is ChangeKind.NARROWED:
        return _take_back(situation)
    if change.kind is ChangeKind.FILE:
        return _file(situation)
    if change.kind not in {ChangeKind.SAID, ChangeKind.EDITED} or change.text is None:
        return ()
    if change.text.visibility is not Visibility.PARTNER:
        return _share_internal(situation)
    threads, tickets = _threads(situation), situation.case.current("zendesk", "ticket")
    return [
        *relayed(CODE, situation, threads, visibility=Visibility.PARTNER),
        *attached(CODE, situation, threads),
        *relayed(CODE, situation, tickets, visibility=Visibility.INTERNAL),
    ]


def _file(situation: Situation) -> list[Step]:
    """A file added to a comment later; one on the item itself, or on an internal comment, stays in Gemini."""
    if any(file.visibility is not Visibility.PARTNER for file in situation.change.files):
        raise SkippedError(Reason.NOT_ROUTED, "an internal file stays where it is")
    return arrived(CODE, situation, (*_threads(situation), *situation.case.current("zendesk", "ticket")))


def _threads(situation: Situation) -> tuple[Link, ...]:
    return situation.case.current("trading_grid", "thread")


def refuse_server_posts(situation: Situation) -> None:
    """Posts that a system wrote by itself, and the first post that opened the case, are told already."""
    change = situation.change
    if change.details.get("kind") in SERVER_POSTS and change.author.side is not Side.PARTNER:
        raise SkippedError(Reason.NOT_ROUTED, "a post written by the server itself")
    if change.details.get("first") and change.kind is ChangeKind.SAID:
        raise SkippedError(Reason.DELIVERED_JOINED, "the first post went with the opening of the case")


def _share_internal(situation: Situation) -> list[Step]:
    if not situation.config.settings.share_internal:
        raise SkippedError(Reason.NOT_ROUTED, "an internal comment stays where it is")
    tickets = others(situation, "zendesk", "ticket")
    return relayed(CODE, situation, tickets, visibility=Visibility.INTERNAL)


def _take_back(situation: Situation) -> list[Step]:
    """What became internal or lost its text is taken away where it was copied; the team is told (G6.7)."""
    copies = (*_threads(situation), *situation.case.current("zendesk", "ticket"))
    steps = [_redact(situation, link.id, link.system) for link in copies]
    sentence = "A comment that partners could read was withdrawn; its copies are being redacted."
    return [*steps, note(CODE, "withdrawn", situation.here, sentence)] if steps else []


def _redact(situation: Situation, link_id: int, target: str) -> Step:
    redact = Redact(link_id=link_id, origin=origin_of(situation.change))
    return Step(CODE, f"redact_{target}_{link_id}", target, redact)


FLOWS = (
    Flow(CODE, "Partner text in Gemini", "trading_grid", from_thread),
    Flow(CODE, "Visible comments to the partner", "gemini", from_item),
)

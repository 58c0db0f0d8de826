"""What a delivery left at the site: ids for links and echoes, out of answers or out of a look-up."""

from collections.abc import Mapping
from typing import Any

from pipeline.connector import Work
from pipeline.connectors.gemini import attach, comment, create, state
from pipeline.connectors.gemini.facts import number_of
from pipeline.connectors.gemini.settings import SYSTEM, Options
from pipeline.connectors.gemini.workflow import label_of, title_of
from pipeline.plan import Answers, Receipt
from schemas.change import ObjectRef
from schemas.operation import Attach, Comment, Create, State, Title


def receipt(work: Work, answers: Answers, options: Options) -> Receipt:
    """The ids in the answers of a plan that was sent whole. Raises InvalidPayloadError."""
    if "create" in answers:
        return _item(work, answers["create"].json, options)
    parts = [(kind, str(number_of(answers[step].json))) for step, kind in PARTS.items() if step in answers]
    parts += [("comment", step.partition(":")[2]) for step in answers if step.startswith("redact:")]
    return Receipt(parts=tuple(parts), facts=_stored(answers))


def found_receipt(work: Work, answers: Answers, options: Options) -> Receipt | None:
    """The receipt of an earlier attempt, if the look-up shows one; None: certainly nothing is there."""
    match work.operation:
        case Create() as operation:
            label = options.types[create.role_of(operation, options)]
            dto = create.found_item(work, answers, operation.origin, label)
            return None if dto is None else _item(work, dto, options)
        case State() as operation if "reopen" in operation.details:
            dto = create.found_item(work, answers, state.reopen_origin(operation, work), None)
            return None if dto is None else _item(work, dto, options)
        case Attach() as operation if not attach.is_link(operation, options):
            return _part("attachment", attach.found_file(operation, answers, options))
        case Title() as operation:
            said = _part("comment", comment.found_comment(work, answers, options))
            return said or _titled(state.stored_title(operation), answers)
        case Comment() | Attach():
            return _part("comment", comment.found_comment(work, answers, options))
        case _:
            return None


PARTS = {"comment": "comment", "attach": "attachment"}  # step of the plan -> kind of what it makes


def _part(kind: str, number: str | None) -> Receipt | None:
    return None if number is None else Receipt(parts=((kind, number),))


def _titled(title: str, answers: Answers) -> Receipt | None:
    """The title stands: whoever wrote it, it is the one that ours is compared with from now on."""
    stored = title_of(answers["item"].json) if answers["item"].status == 200 else ""
    return Receipt(facts={"title": stored}) if stored == title else None


def _item(work: Work, dto: Mapping[str, Any], options: Options) -> Receipt:
    """A new item; one that takes a closed item's place closes that link."""
    number = str(number_of(dto))
    replaced = (work.operation.link_id,) if isinstance(work.operation, State) else ()
    return Receipt(
        parts=(("created", number),),
        bound=ObjectRef(SYSTEM, "item", number),
        url=options.item_url(number),
        facts={"key": str(dto.get("IssueKey") or number), "title": title_of(dto), "state_after": label_of(dto)},
        closed_link_ids=replaced,
    )


def _stored(answers: Answers) -> Mapping[str, Any]:
    """What the site made of it: event apps may store another status than the one sent, and theirs holds (G2.8)."""
    facts: dict[str, Any] = {}
    if "hop" in answers:
        facts["state_after"] = label_of(answers["hop"].json)
    if "title" in answers:
        facts["title"] = title_of(answers["title"].json)
    return facts

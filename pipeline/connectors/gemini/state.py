"""Milestones and titles: the whole item is read, changed and put back, one PUT for each hop of the workflow."""

from html import escape
from typing import Any

from pipeline.connector import Facts, Work
from pipeline.connectors.gemini import create as creation
from pipeline.connectors.gemini import facts as read
from pipeline.connectors.gemini.comment import find, post
from pipeline.connectors.gemini.settings import Options
from pipeline.connectors.gemini.texts import comment_html, mark_html
from pipeline.connectors.gemini.wire import Json, entity, optional, plain, whole
from pipeline.connectors.gemini.workflow import label_of, next_labels, shortest_path, target_labels
from pipeline.domain.reason import Reason
from pipeline.domain.text import to_html, to_plain
from pipeline.errors import PermanentError
from pipeline.plan import Merge, Request, Slot
from schemas.content import Text
from schemas.operation import State, Title


def facts(state: State, work: Work, options: Options) -> tuple[Request, ...]:
    """The item, its template's types with their workflows, and the statuses; for a reopening what a new item needs."""
    needed = (
        read.item(work),
        read.lookup("types", "type", read.OF_ITEM),
        read.lookup("statuses", "status", read.OF_ITEM),
    )
    if "reopen" not in state.details:
        return needed
    return (*needed, read.me(options), Request("linktypes", "GET", "/linktype", reads=True, keeps_seconds=300))


def plan(state: State, work: Work, found: Facts, options: Options) -> tuple[Request, ...]:
    """Nothing when it is so already; else a PUT for each hop; else a new item in the same case (flows.md G2.7).

    Raises PermanentError: unmapped_status, transition_refused.
    """
    dto = read.stored_item(found)
    wanted = target_labels(state.state, state.awaiting_reason, options)
    if label_of(dto).casefold() in {label.casefold() for label in wanted}:
        return ()
    stored, types, labels = entity(dto), read.rows(found, "types"), read.labels(found, "statuses")
    folded = {label.casefold(): number for label, number in labels.items()}
    goals = [folded[label.casefold()] for label in wanted if label.casefold() in folded]
    if not goals:
        raise PermanentError(Reason.UNMAPPED_STATUS, f"{wanted[0]} is not a status of this item's template")
    here, type_id = whole(stored, "StatusId"), optional(stored.get("TypeId"))
    path = shortest_path(types, type_id, here, goals)
    if path:
        return _hops(dto, path)
    if "reopen" in state.details:
        return _anew(state, work, found, options)
    allowed = next_labels(types, type_id, here, labels)
    raise PermanentError(
        Reason.TRANSITION_REFUSED,
        f"no way from {label_of(dto)} to {wanted[0]}: the workflow allows {allowed} next",
    )


def reopen_origin(state: State, work: Work) -> str:
    """The originator of an item that takes a closed one's place."""
    return str(state.details["reopen"].get("origin") or f"gemini:item:{work.link.slot}:reopened")


def title_facts(work: Work, options: Options) -> tuple[Request, ...]:
    """The item as it stands, and our user, should a comment take the title's place."""
    return read.item(work), read.me(options)


def title_plan(title: Title, work: Work, found: Facts, options: Options) -> tuple[Request, ...]:
    """The title, while the item still shows the one that we wrote last; else, and on a closed item, a comment.

    A title that a colleague gave since wins (flows.md G1.6). An update that leaves the status alone reopens a closed
    item where the app Auto Open Closed Item runs.
    """
    dto = read.stored_item(found)
    new, now = stored_title(title), plain(entity(dto).get("Title"))
    if new == now:
        return ()
    last = work.link.facts.get("title") or title.previous
    label = "New title:" if dto.get("IsClosed") is True else "Title given in the thread:"
    if dto.get("IsClosed") is True or (last is not None and now != plain(last)):
        return (post(work, comment_html(work, title.title, label), title.title.visibility, found, options),)
    return (Request("title", "PUT", "/items", body=read.writable(dto) | {"Title": new}),)


def title_find(work: Work, options: Options) -> tuple[Request, ...]:
    """The comment that may stand for the title, and the item: a title whose answer was lost is ours all the same."""
    return (*find(work, options), read.item(work))


def stored_title(title: Title) -> str:
    """The title as one line, which is how the site stores it."""
    return " ".join(to_plain(title.title).split())


def _hops(dto: Json, path: list[int]) -> tuple[Request, ...]:
    """Full replacements: the first of what was just read, each further one of what the previous one answered.

    The steps are via1, via2, ... and, last, hop: what stands between is judged more strictly than where it ends.
    """
    steps = [*(f"via{number}" for number in range(1, len(path))), "hop"]
    first: Any = read.writable(dto) | {"StatusId": path[0]}
    further = [
        Merge(Slot(step, "BaseEntity"), {"StatusId": status}) for step, status in zip(steps, path[1:], strict=False)
    ]
    return tuple(Request(step, "PUT", "/items", body=body) for step, body in zip(steps, [first, *further], strict=True))


def _anew(state: State, work: Work, found: Facts, options: Options) -> tuple[Request, ...]:
    """A new item like the old one, then a link between the two."""
    old, reopen = read.stored_item(found), state.details["reopen"]
    stored = entity(old)
    body = {name: stored[name] for name in ("ProjectId", "TypeId", "PriorityId") if stored.get(name) is not None}
    number, key = whole(stored, "Id"), escape(str(old.get("IssueKey") or stored["Id"]))
    before = f'<p>Continues <a href="{escape(options.item_url(number))}">{key}</a>.</p>'
    body |= {
        "Title": str(reopen.get("title") or plain(stored.get("Title"))),
        "Description": before + to_html(Text(str(reopen.get("body") or ""))) + mark_html(work),
        "ReportedBy": read.my_id(found, options),
        **creation.marks(work, reopen_origin(state, work)),
    }
    return (Request("create", "POST", "/items", body=body), *_link(number, found))


def _link(number: int, found: Facts) -> tuple[Request, ...]:
    """A link of the first type that says no more than 'related'. Left out where the site has no link types."""
    types = read.labels(found, "linktypes")
    chosen = next((types[name] for name in types if "relat" in name.casefold()), next(iter(types.values()), None))
    if chosen is None:
        return ()
    new = Slot("create", "BaseEntity.Id")
    body = {"IssueId": new, "OtherIssueId": number, "LinkTypeId": chosen}
    return (Request("link", "POST", f"/items/{new}/links", body=body),)

"""New items: one call that carries two marks, so that it is found again after a lost answer."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from pipeline.connector import Facts, Work
from pipeline.connectors.gemini import facts as read
from pipeline.connectors.gemini.search import MOST
from pipeline.connectors.gemini.settings import Options
from pipeline.connectors.gemini.site import SEARCH_SECONDS
from pipeline.connectors.gemini.texts import description_html
from pipeline.connectors.gemini.wire import Json, entity, plain
from pipeline.domain.identity import marks_in
from pipeline.domain.reason import Reason
from pipeline.domain.text import to_plain
from pipeline.errors import PermanentError
from pipeline.plan import Answers, Request
from schemas.operation import Create

BY_API = 5  # OriginatorType of items made through the API (sheet, 4.2)


def facts(create: Create, options: Options) -> tuple[Request, ...]:
    """Our user, and the template's types and priorities."""
    needed = [read.me(options), read.project(options), read.lookup("types", "type", read.OF_PROJECT)]
    if priority_label(create, options):
        needed.append(read.lookup("priorities", "priority", read.OF_PROJECT))
    return tuple(needed)


def plan(create: Create, work: Work, found: Facts, options: Options) -> tuple[Request, ...]:
    """The create. Custom values are further deliveries: the site sets none with the item (sheet, 3.3)."""
    role = role_of(create, options)
    body: dict[str, Any] = {
        "ProjectId": options.project,
        "TypeId": read.id_by_label(found, "types", options.types[role], f"types.{role}", Reason.UNMAPPED_TYPE),
        "Title": " ".join(to_plain(create.title).split()) or create.origin,
        "Description": description_html(create, work, options),
        "ReportedBy": read.my_id(found, options),
        **marks(work, create.origin),
    }
    label = priority_label(create, options)
    if label:
        line = "escalation_priority" if create.details.get("escalated") else "priorities"
        body["PriorityId"] = read.id_by_label(found, "priorities", label, line, Reason.UNMAPPED_VALUE)
    return (Request("create", "POST", "/items", body=body | _details(create, work, options)),)


def marks(work: Work, origin: str) -> dict[str, Any]:
    """OriginatorData names what the item mirrors; Tag1 names this very delivery."""
    return {"OriginatorType": BY_API, "OriginatorData": origin, "Tag1": f"ref {work.mark}"}


def find(work: Work, origin: str, options: Options) -> tuple[Request, ...]:
    """By originator, and, where that path does not exist, by creation date; our user proves the log-in."""
    bounds: dict[str, Any] = {"Projects": f"|{options.project}|", "IncludeClosed": True, "MaxItemsToReturn": MOST}
    if work.since:
        bounds["CreatedAfter"] = (work.since - timedelta(days=1)).date().isoformat()
    path = f"/items/originator/{BY_API}/name/{quote(origin, safe='')}"
    return (
        read.me(options),
        Request("originator", "GET", path, reads=True),
        Request("recent", "POST", "/items/filtered", body=bounds, reads=True, deadline_seconds=SEARCH_SECONDS),
    )


def found_item(work: Work, answers: Answers, origin: str, type_label: str | None) -> Mapping[str, Any] | None:
    """The Dto that carries our mark, or that mirrors the same origin with the same type.

    None: certainly absent. Raises PermanentError where neither look-up could show everything.
    """
    known = read.answers_as_facts(answers)
    recent = known.get("recent")
    candidates = [known.get("originator"), *(recent if isinstance(recent, list) else ())]
    items = [dto for dto in candidates if isinstance(dto, Mapping) and "Id" in entity(dto)]
    match = next((dto for dto in items if work.mark in marks_in(str(entity(dto).get("Tag1") or ""))), None)
    match = match or next((dto for dto in items if _mirrors(dto, origin, type_label)), None)
    if match is None and answers["originator"].status != 200 and len(recent or ()) >= MOST:
        raise PermanentError(Reason.MAY_HAVE_HAPPENED, f"more than {MOST} items were created since; ours may be one")
    return match


def role_of(create: Create, options: Options) -> str:
    """The role (case, task, ...) whose type the item gets: a child is a task unless its type says otherwise."""
    named = (create.type, create.object_kind)
    otherwise = "task" if create.details.get("parent_link_id") and "task" in options.types else "case"
    return next((name for name in named if name in options.types and name is not None), otherwise)


def priority_label(create: Create, options: Options) -> str | None:
    """The label to set; None leaves it to the project's default. Raises PermanentError for a missing line."""
    if create.details.get("escalated") and options.escalation_priority:
        return options.escalation_priority
    if create.priority is None or not options.priorities:
        return None
    if create.priority not in options.priorities:
        raise PermanentError(
            Reason.UNMAPPED_VALUE,
            f"casebridge.yaml: gemini.priorities: found no line {create.priority!r}, expected the label for it",
        )
    return options.priorities[create.priority]


def _details(create: Create, work: Work, options: Options) -> dict[str, Any]:
    """The deadline, and the case that a task belongs to."""
    made: dict[str, Any] = {}
    if create.details.get("due_at"):
        made["DueDate"] = site_time(create.details["due_at"], options)
    parent = work.links.get(create.details.get("parent_link_id") or 0)
    if parent is not None:
        made["ParentIssueId"] = int(parent.slot) if parent.slot.isdecimal() else parent.slot
    return made


def site_time(value: Any, options: Options) -> str:
    """An instant as the vendor's own client writes it: no fraction, no offset, in the zone of our user."""
    at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return at.astimezone(options.zone).strftime("%Y-%m-%dT%H:%M:%S")


def _mirrors(dto: Json, origin: str, type_label: str | None) -> bool:
    stored = entity(dto)
    same = stored.get("OriginatorType") == BY_API and stored.get("OriginatorData") == origin
    return same and type_label is not None and plain(dto.get("Type")).casefold() == type_label.casefold()

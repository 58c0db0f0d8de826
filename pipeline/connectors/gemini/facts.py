"""Reads that plans depend on, and how their answers are understood: labels become the ids of one template."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.connector import Facts, Work
from pipeline.connectors.gemini.settings import Options, who_am_i
from pipeline.connectors.gemini.site import user_id
from pipeline.connectors.gemini.wire import Json, entity, optional, plain, whole
from pipeline.domain.reason import Reason
from pipeline.errors import AuthError, InvalidPayloadError, PermanentError
from pipeline.plan import Request, Slot

KEEP_SECONDS = 300.0  # labels and workflows change by an administrator's hand
OF_PROJECT = Slot("project", "BaseEntity.TemplateId")
OF_ITEM = Slot("item", "Project.TemplateId")


def me(options: Options) -> Request:
    """Our own user: the author that comments name, and the proof that the log-in holds."""
    return who_am_i(options.username)


def project(options: Options) -> Request:
    """The project, for its template: ids of types and statuses differ from template to template."""
    return Request("project", "GET", f"/projects/{options.project}", reads=True, keeps_seconds=KEEP_SECONDS)


def lookup(step: str, kind: str, template: Slot) -> Request:
    """A lookup list (type, status, priority) of the template that an earlier answer names."""
    return Request(step, "GET", f"/{kind}/template/{template}", reads=True, keeps_seconds=KEEP_SECONDS)


def item(work: Work) -> Request:
    """The item, read just before it is written: a PUT replaces all of it."""
    return Request("item", "GET", f"/items/{work.link.slot}", reads=True)


def item_number(work: Work) -> int | str:
    """The item's id as bodies carry it; its slot's name while it is only planned."""
    slot = work.link.slot
    return int(slot) if slot.isdecimal() else slot


def my_id(facts: Facts, options: Options) -> int:
    """Our user id. Raises AuthError."""
    return user_id(facts.get("me"), options.username)


def stored_item(facts: Facts) -> Json:
    """The Dto of the fact `item`. Raises AuthError for null, PermanentError for none."""
    dto = facts.get("item")
    if dto is None:
        raise AuthError("item: found null, which this site answers to a refused log-in")
    if "Id" not in entity(dto):
        raise PermanentError(Reason.TARGET_GONE, "the item is not there, or not visible to casebridge's user")
    return dto  # type: ignore[no-any-return]  # a fact is parsed JSON


def writable(dto: Json) -> dict[str, Any]:
    """The whole stored entity as a PUT sends it back; a missing member means null, so nulls stay out."""
    return {name: value for name, value in entity(dto).items() if value is not None}


def rows(facts: Facts, step: str) -> Sequence[Json]:
    """The entities of a list; empty where the site has no such list."""
    found = facts.get(step)
    return [entity(row) for row in found] if isinstance(found, list) else []


def labels(facts: Facts, step: str) -> dict[str, int]:
    """Label -> id of a lookup list."""
    return {plain(row.get("Label")): whole(row, "Id") for row in rows(facts, step)}


def id_by_label(facts: Facts, step: str, label: str, line: str, reason: Reason) -> int:
    """The id of a label. Raises PermanentError that names the line of casebridge.yaml and what there is instead."""
    known = labels(facts, step)
    folded = {name.casefold(): number for name, number in known.items()}
    if label.casefold() not in folded:
        there = ", ".join(sorted(known)) or "nothing"
        raise PermanentError(reason, f"casebridge.yaml: gemini.{line}: found {label!r}, expected one of {there}")
    return folded[label.casefold()]


def field_id(options: Options, purpose: str) -> int:
    """The custom field for a purpose. Raises PermanentError that names the missing line."""
    if purpose not in options.field_ids:
        known = ", ".join(sorted(options.field_ids)) or "nothing"
        raise PermanentError(
            Reason.UNMAPPED_VALUE,
            f"casebridge.yaml: gemini.fields: found no line {purpose!r} among {known}, expected the id of that field",
        )
    return options.field_ids[purpose]


def answers_as_facts(answers: Mapping[str, Any]) -> dict[str, Any]:
    """Answers parsed, those that are no JSON left out."""
    found: dict[str, Any] = {}
    for step, answer in answers.items():
        try:
            found[step] = answer.json
        except ValueError:
            continue
    return found


def number_of(dto: Any) -> int:
    """The id of what an answer describes. Raises InvalidPayloadError."""
    found = optional(entity(dto).get("Id"))
    if found is None:
        raise InvalidPayloadError("found no Id in the answer, expected that of the written object")
    return found

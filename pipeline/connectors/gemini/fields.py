"""Fields: custom values one call each, compared before they are written; priority and deadline by a full PUT."""

from collections.abc import Mapping
from typing import Any

from pipeline.connector import Facts, Work
from pipeline.connectors.gemini import facts as read
from pipeline.connectors.gemini.create import site_time
from pipeline.connectors.gemini.settings import Options
from pipeline.connectors.gemini.wire import Json, custom_values, entity, parse_time, plain
from pipeline.domain.reason import Reason
from pipeline.domain.states import LinkState
from pipeline.errors import PermanentError
from pipeline.plan import Request
from schemas.operation import Bind, Fields

OF_ITEM = {"priority", "due_at"}  # purposes that are members of the item itself
PLANNED = LinkState.PLANNED.value
REFERENCE = "ExternalReference"  # purpose of the field that shows counterparts


def facts(fields: Fields, work: Work) -> tuple[Request, ...]:
    """The item with its custom rows; the template's priorities where one is to be set."""
    if "priority" not in fields.values:
        return (read.item(work),)
    return read.item(work), read.lookup("priorities", "priority", read.OF_ITEM)


def plan(fields: Fields, work: Work, found: Facts, options: Options) -> tuple[Request, ...]:
    """What differs, item members first. Raises PermanentError: unmapped_value, target_closed."""
    dto = _item(work, found)
    requests = _members(fields.values, dto, found, options)
    custom = {name: value for name, value in fields.values.items() if name not in OF_ITEM}
    ids = {name: read.field_id(options, name) for name in custom}  # all faults before the first write
    rows = {row.field_id: row for row in custom_values(dto)}
    for name, value in custom.items():
        row = rows.get(ids[name])
        if row is None or row.data != _text(value):
            upsert = bool(found.get(f"upsert:{name}"))
            requests.append(_custom(work, name, _data(value), ids[name], 0 if row is None else row.row_id, upsert))
    return tuple(requests)


def bind_facts(work: Work, options: Options) -> tuple[Request, ...]:
    """The item, where a field for references is configured at all."""
    return (read.item(work),) if REFERENCE in options.field_ids else ()


def bind_plan(bind: Bind, work: Work, found: Facts, options: Options) -> tuple[Request, ...]:
    """The counterpart's identity beside those that stand there already."""
    if REFERENCE not in options.field_ids:
        return ()
    other = work.links[bind.counterpart_link_id]
    named = f"{other.system}:{other.kind}:{other.slot}"
    rows = {row.field_id: row.data for row in custom_values(_item(work, found))}
    there = [text.strip() for text in rows.get(options.field_ids[REFERENCE], "").split(",") if text.strip()]
    if named in there:
        return ()
    values = {REFERENCE: ", ".join([*there, named])}
    return plan(Fields(link_id=bind.link_id, values=values), work, found, options)


def _item(work: Work, found: Facts) -> Json:
    """The item as read; one that is only planned (`explain`) will have no values of its own."""
    return {} if work.link.state == PLANNED else read.stored_item(found)


def _members(values: Mapping[str, Any], dto: Json, found: Facts, options: Options) -> list[Request]:
    """One PUT of the whole item with what differs. Never on a closed item: some sites would reopen it (trap 2)."""
    stored = entity(dto)
    changed: dict[str, Any] = {}
    if "priority" in values:
        number = _priority_id(str(values["priority"]), found, options)
        changed |= {"PriorityId": number} if stored.get("PriorityId") != number else {}
    if "due_at" in values:
        due = None if values["due_at"] is None else site_time(values["due_at"], options)
        same = parse_time(due, options.zone) == parse_time(stored.get("DueDate"), options.zone)
        changed |= {} if same else {"DueDate": due}
    if not changed:
        return []
    if dto.get("IsClosed") is True:
        raise PermanentError(Reason.TARGET_CLOSED, f"the item is closed; {', '.join(changed)} was not changed")
    return [Request("members", "PUT", "/items", body=read.writable(dto) | changed)]


def _priority_id(priority: str, found: Facts, options: Options) -> int:
    """The id for low, normal, high, urgent by `priorities`, or for `escalation` by `escalation_priority`."""
    label, line = options.priorities.get(priority), "priorities"
    if priority == "escalation":
        label, line = options.escalation_priority, "escalation_priority"
    if not label:
        raise PermanentError(
            Reason.UNMAPPED_VALUE, f"casebridge.yaml: gemini.{line}: found no label for {priority!r}, expected one"
        )
    return read.id_by_label(found, "priorities", label, line, Reason.UNMAPPED_VALUE)


def _custom(work: Work, name: str, data: Mapping[str, Any], field_id: int, row_id: int, upsert: bool) -> Request:
    """A row that exists is PUT with its id, a new one is POSTed; `upsert` is the PUT without id after a refusal."""
    number = read.item_number(work)
    body = {"CustomFieldId": field_id, "IssueId": number, **data}
    path = f"/items/{number}/customfield/data"
    if row_id > 0 and not upsert:
        return Request(f"field:{name}", "PUT", path, body={"Id": row_id, **body})
    return Request(f"field:{name}", "PUT" if upsert else "POST", path, body=body)


def _data(value: Any) -> dict[str, Any]:
    """Text for every field; a number beside it for numeric ones, which refuse text (trap 8)."""
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    return {"Data": _text(value), **({"NumericData": value} if numeric else {})}


def _text(value: Any) -> str:
    """A value as its Data holds it: nothing is the empty text, several keys stand between pipes."""
    if isinstance(value, list | tuple):
        return f"|{'|'.join(str(item) for item in value)}|" if value else ""
    return plain(value)

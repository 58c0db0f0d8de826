"""Gemini's JSON as our records: three wrappers, three date spellings, values that may come entity-encoded."""

import html
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any

from pipeline.connectors.gemini.records import Attachment, Audit, Comment, CustomValue, Item, Seen
from pipeline.domain.identity import digest
from pipeline.errors import InvalidPayloadError

Json = Mapping[str, Any]
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,7}))?(Z|[+-]\d\d:\d\d)?")
_EMPTY_YEAR = 1  # .NET writes an unset date as 0001-01-01


def entity(dto: Any) -> Json:
    """The stored entity inside a Dto: under `Entity` or `BaseEntity`, or the object itself (sheet, section 2)."""
    if not isinstance(dto, Mapping):
        raise InvalidPayloadError(f"found {type(dto).__name__}, expected an object")
    for name in ("Entity", "BaseEntity"):
        if isinstance(dto.get(name), Mapping):
            return dto[name]  # type: ignore[no-any-return]  # narrowed one line above
    return dto


def without_secrets(value: Any) -> Any:
    """The value without any `ApiKey` member: a privileged caller is sent every user's key."""
    if isinstance(value, dict):
        return {name: without_secrets(item) for name, item in value.items() if name != "ApiKey"}
    return [without_secrets(item) for item in value] if isinstance(value, list) else value


def parse_time(text: Any, zone: tzinfo) -> datetime | None:
    """An instant in UTC: with offset, with Z and up to 7 fractional digits, or bare and then in `zone`."""
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    stamp, fraction, offset = match.groups()
    try:
        at = datetime.fromisoformat(f"{stamp}.{(fraction or '0')[:6]:0<6}{'+00:00' if offset == 'Z' else offset or ''}")
        if at.year == _EMPTY_YEAR:
            return None
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def plain(value: Any) -> str:
    """A value for people: entities decoded, because custom values may come encoded (sheet, trap 7)."""
    return "" if value is None else html.unescape(str(value)).strip()


def parse_item(dto: Any, zone: tzinfo) -> Item:
    """An IssueDto. Raises InvalidPayloadError naming the member that is missing."""
    stored = entity(dto)
    number = whole(stored, "Id")
    created = _time(stored.get("Created") or dto.get("Created"), zone, f"item {number} Created")
    revised = _time(dto.get("Revised") or stored.get("Revised"), zone, f"item {number} Revised")
    return Item(
        id=number, key=str(dto.get("IssueKey") or number), project=whole(stored, "ProjectId"),
        title=plain(stored.get("Title")), description=str(stored.get("Description") or ""),
        status=plain(dto.get("Status")), type=plain(dto.get("Type")), priority=plain(dto.get("Priority")),
        closed=dto.get("IsClosed") is True, creator_id=optional(stored.get("Creator")),
        creator=str(dto.get("Creator") or ""), created=created, revised=revised,
        due=parse_time(stored.get("DueDate"), zone), parent_id=optional(stored.get("ParentIssueId")) or None,
        assigned=bool(str(stored.get("Resources") or "").strip("|")),
        originator=str(stored.get("OriginatorData") or ""), tag=str(stored.get("Tag1") or ""),
        comments=_many(dto.get("Comments"), lambda row: parse_comment(row, zone)),
        attachments=_many(dto.get("Attachments"), lambda row: parse_attachment(row, zone, created)),
        custom=custom_values(dto),
    )  # fmt: skip


def parse_comment(dto: Any, zone: tzinfo) -> Comment:
    """An IssueCommentDto. The Dto's own Visibility is the group's name, the entity's its id."""
    stored = entity(dto)
    number = whole(stored, "Id")
    visibility = stored.get("Visibility")
    return Comment(
        id=number, user_id=optional(stored.get("UserId")), author=str(stored.get("Fullname") or ""),
        markup=str(stored.get("Comment") or ""),
        visibility=visibility if isinstance(visibility, int) and not isinstance(visibility, bool) else None,
        created=_time(stored.get("Created"), zone, f"comment {number} Created"),
        revised=parse_time(stored.get("Revised"), zone),
        attachment_ids=tuple(whole(entity(row), "Id") for row in dto.get("Attachments") or ()),
    )  # fmt: skip


def parse_attachment(dto: Any, zone: tzinfo, otherwise: datetime) -> Attachment:
    """An IssueAttachmentDto; `otherwise` is the time of one that carries none."""
    stored = entity(dto)
    return Attachment(
        id=whole(stored, "Id"), name=str(stored.get("Name") or "file"),
        content_type=str(stored.get("ContentType") or "application/octet-stream"),
        size=optional(stored.get("ContentLength")) or 0, comment_id=optional(stored.get("CommentId")) or None,
        created=parse_time(stored.get("Created"), zone) or otherwise,
    )  # fmt: skip


def parse_audit(dto: Any, zone: tzinfo) -> Audit:
    """An IssueAuditDto."""
    stored = entity(dto)
    number = whole(stored, "Id")
    return Audit(
        id=number, user_id=optional(stored.get("UserId")), author=str(stored.get("Fullname") or ""),
        attribute=whole(stored, "AttributeChanged"), field=str(stored.get("FieldChanged") or ""),
        before=plain(stored.get("ValueBefore")), after=plain(stored.get("ValueAfter")),
        is_custom=stored.get("IsCustom") is True,
        created=_time(stored.get("Created"), zone, f"history {number} Created"),
    )  # fmt: skip


def custom_values(dto: Json) -> tuple[CustomValue, ...]:
    """The item's custom values; a field without a value is there with row id 0 (sheet, section 3.3)."""
    rows = []
    for row in dto.get("CustomFields") or ():
        stored = entity(row)
        date, number = stored.get("DateData"), stored.get("NumericData")
        data = stored.get("Data") or (date if number is None else number)
        shown = date or row.get("FormattedData")  # the formatted date is in the caller's locale: never parsed
        names = str(row.get("Name") or ""), str(row.get("Title") or "")
        row_id = optional(stored.get("Id")) or 0
        rows.append(CustomValue(whole(stored, "CustomFieldId"), *names, row_id, plain(data), plain(shown)))
    return tuple(rows)


def parse_seen(dto: Any, zone: tzinfo) -> Seen:
    """A row of a search. The print tells two changes within one second of Revised apart."""
    stored = entity(dto)
    parts = [str(stored.get(name)) for name in ("Title", "StatusId", "PriorityId", "Resources", "DueDate", "Timestamp")]
    for comment in map(entity, dto.get("Comments") or ()):
        parts += [str(comment.get(name)) for name in ("Id", "Visibility", "Comment")]
    parts += [str(entity(row).get("Id")) for row in dto.get("Attachments") or ()]
    parts += [f"{value.field_id}={value.data}" for value in custom_values(dto)]
    revised = parse_time(dto.get("Revised") or stored.get("Revised"), zone)
    return Seen(whole(stored, "Id"), revised, digest(*parts)[:12])


def whole(stored: Json, name: str) -> int:
    """A required number. Raises InvalidPayloadError."""
    value = optional(stored.get(name))
    if value is None:
        raise InvalidPayloadError(f"{name}: found {stored.get(name)!r}, expected a whole number")
    return value


def optional(value: Any) -> int | None:
    """A number, or the digits of one (the vendor's own samples write both); anything else is None."""
    if isinstance(value, str) and value.removeprefix("-").isdecimal():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _time(text: Any, zone: tzinfo, what: str) -> datetime:
    at = parse_time(text, zone)
    if at is None:
        raise InvalidPayloadError(f"{what}: found {text!r}, expected a date and time")
    return at


def _many(rows: Any, parse: Any) -> Any:
    return tuple(parse(row) for row in rows) if isinstance(rows, Sequence) and not isinstance(rows, str) else None

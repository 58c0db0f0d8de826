"""The item as the flows see it: one snapshot shared by every change of a reading."""

from collections.abc import Mapping

from pipeline.connectors.gemini.records import Attachment, Comment, Item
from pipeline.connectors.gemini.settings import SYSTEM, Options
from pipeline.domain.identity import marks_in
from schemas.change import ObjectRef, Snapshot
from schemas.content import Author, File, Format, Side, Text, Visibility

Owners = Mapping[int, Comment]


def make_snapshot(
    item: Item, comments: tuple[Comment, ...], attachments: tuple[Attachment, ...], options: Options, me: int
) -> Snapshot:
    """The item in our words. `extra`: key, project, role (of `types`), public_resolution, originator, is_closed,
    assigned, parent_id, due_at, fields (purpose -> value as people see it).
    """
    values = purposes(item, options)
    roles = {label: role for role, label in options.types.items()}
    return Snapshot(
        ref=ObjectRef(SYSTEM, "item", str(item.id)),
        title=item.title,
        state=item.status,
        partner_hint=values.get("Partner") or None,
        type=item.type,
        priority=item.priority,
        url=options.item_url(item.id),
        revision=item.revised.isoformat(),
        updated_at=item.revised,
        closed=item.closed,
        opened_by=author(item.creator_id, item.creator, me),
        first_text=Text(item.description, Format.HTML, Visibility.INTERNAL),
        files=files(attachments, owners_of(comments, attachments), item, options),
        bound=bound(item),
        extra={
            "key": item.key,
            "project": item.project,
            "role": roles.get(item.type),
            "public_resolution": values.get("PublicResolution", ""),
            "originator": item.originator,
            "is_closed": item.closed,
            "assigned": item.assigned,
            "parent_id": None if item.parent_id is None else str(item.parent_id),
            "due_at": item.due.isoformat() if item.due else None,
            "fields": values,
        },
    )


def purposes(item: Item, options: Options) -> dict[str, str]:
    """The configured custom fields' values, as people see them: FormattedData, else the stored value."""
    names = {number: purpose for purpose, number in options.field_ids.items()}
    return {names[row.field_id]: row.shown or row.data for row in item.custom if row.field_id in names}


def bound(item: Item) -> tuple[str, ...]:
    """What ties the item to a counterpart: its originator and our marks in Tag1."""
    return tuple(filter(None, (item.originator, *marks_in(item.tag))))


def author(user_id: int | None, name: str, me: int) -> Author:
    """People of the hub work here; rows without a user were made by the site itself."""
    if not user_id:
        return Author(Side.SYSTEM, "", name)
    return Author(Side.HUB, str(user_id), name, ours=user_id == me)


def audience(comment: Comment | None, options: Options) -> Visibility:
    """For the partner only in exactly the configured group: Everyone, unknown and missing are internal."""
    known = comment is not None and comment.visibility == options.partner_group
    return Visibility.PARTNER if known else Visibility.INTERNAL


def files(attachments: tuple[Attachment, ...], owners: Owners, item: Item, options: Options) -> tuple[File, ...]:
    """The files, each as visible as the comment that it hangs on; one on the item itself is internal."""
    return tuple(
        File(
            external_id=str(row.id),
            name=row.name,
            content_type=row.content_type,
            size=row.size,
            visibility=audience(owners.get(row.id), options),
            url=options.file_url(item.id, row.id),
        )
        for row in attachments
    )


def owners_of(comments: tuple[Comment, ...], attachments: tuple[Attachment, ...]) -> Owners:
    """Attachment id -> the comment it hangs on, by the file's CommentId, else by the comment's own list."""
    by_id = {comment.id: comment for comment in comments}
    listed = {number: comment for comment in comments for number in comment.attachment_ids}
    named = {row.id: by_id[row.comment_id] for row in attachments if row.comment_id in by_id}
    return listed | named

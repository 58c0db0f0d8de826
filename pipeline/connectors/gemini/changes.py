"""What is new on an item since it was last read: compared by id, in the order in which it happened."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from pipeline.connectors.gemini.records import Attachment, Audit, Comment, Item
from pipeline.connectors.gemini.settings import Options
from pipeline.connectors.gemini.snapshot import audience, author, owners_of
from pipeline.domain.identity import digest, marks_in
from pipeline.domain.text import comparable, to_plain
from schemas.change import Change, ChangeKind, Snapshot
from schemas.content import Author, File, Format, Side, Text, Visibility

HISTORY_KEPT = 200  # row ids remembered: rows committed out of order are still told from old ones
TITLE, ASSIGNED, PRIORITY, STATUS, DUE, CUSTOM, ATTACHMENTS = 3, 7, 9, 10, 17, 43, 38
TOLD_ELSEWHERE = {18, 19, 36, 37, ATTACHMENTS}  # created, revised, comments, history, attachments
KINDS = {TITLE: ChangeKind.TITLE, ASSIGNED: ChangeKind.STATE, PRIORITY: ChangeKind.PRIORITY, STATUS: ChangeKind.STATE,
         DUE: ChangeKind.FIELDS, CUSTOM: ChangeKind.FIELDS}  # fmt: skip


@dataclass(frozen=True)
class Observation:
    """One reading of an item: everything that was seen, and who we are."""

    item: Item
    comments: tuple[Comment, ...]
    attachments: tuple[Attachment, ...]
    history: tuple[Audit, ...]
    snapshot: Snapshot
    options: Options
    me: int
    roles: Mapping[int, tuple[str, ...]]  # user id -> roles of the configuration
    gone: tuple[int, ...] = ()  # comments known before that are deleted, or that we may no longer see

    @cached_property
    def owners(self) -> Mapping[int, Comment]:
        """Attachment id -> the comment that it hangs on."""
        return owners_of(self.comments, self.attachments)


def changes_of(seen: Observation, known: Mapping[str, Any]) -> tuple[Change, ...]:
    """The new changes, oldest first; at one instant the item comes before what was done to it."""
    found = [*_opened(seen, known), *_history(seen, known), *_files(seen, known), *_comments(seen, known)]
    order = {change.external_id: number for number, change in enumerate(found)}
    return tuple(sorted(found, key=lambda change: (change.at, order[change.external_id])))


def remember(seen: Observation, known: Mapping[str, Any]) -> dict[str, Any]:
    """What the next reading compares with; JSON values."""
    rows = sorted({*known.get("history", ()), *(row.id for row in seen.history)})
    floor = max(known.get("history_floor", 0), *rows[:-HISTORY_KEPT], 0)
    return {
        "revised": seen.item.revised.isoformat(),
        "comments": {str(comment.id): [comment.visibility, fingerprint(comment)] for comment in seen.comments},
        "attachments": sorted(row.id for row in seen.attachments),
        "history": rows[-HISTORY_KEPT:],
        "history_floor": floor,
    }


def fingerprint(comment: Comment) -> str:
    """A comment's words, without markup: the product's sanitiser may rewrite the markup alone. 64 bits tell edits."""
    return digest(comparable(Text(comment.markup, Format.HTML)))[:16]


def mark_line(markup: str) -> tuple[str, ...]:
    """Our mark, if it stands alone on the text's last line: elsewhere it is a quotation or somebody's forgery."""
    lines = to_plain(Text(markup, Format.HTML)).strip().splitlines()
    last = lines[-1].strip() if lines else ""
    found = marks_in(last)
    return found if found and last == f"ref {found[0]}" else ()


def _opened(seen: Observation, known: Mapping[str, Any]) -> Iterator[Change]:
    if known:
        return
    item = seen.item
    yield Change(
        f"created:{item.id}", ChangeKind.OPENED, item.created, author(item.creator_id, item.creator, seen.me),
        seen.snapshot, text=seen.snapshot.first_text, part_id=str(item.id), marks=marks_in(item.tag),
    )  # fmt: skip


def _history(seen: Observation, known: Mapping[str, Any]) -> Iterator[Change]:
    old, floor = set(known.get("history", ())), known.get("history_floor", 0)
    for row in sorted(seen.history, key=lambda row: row.id):
        if row.id in old or row.id <= floor or row.attribute in TOLD_ELSEWHERE:
            continue
        kind = ChangeKind.FIELDS if row.is_custom else KINDS.get(row.attribute, ChangeKind.OTHER)
        yield Change(
            f"history:{row.id}", kind, row.created, author(row.user_id, row.author, seen.me), seen.snapshot,
            part_id=str(row.id), details=_details(seen, row),
        )  # fmt: skip


def _details(seen: Observation, row: Audit) -> dict[str, Any]:
    """What changed. Never whom an item was assigned to: that name must not travel (flows.md G2.11)."""
    if row.is_custom or row.attribute == CUSTOM:
        purpose = _purpose(seen, row.field)
        details: dict[str, Any] = {"fields": {purpose: row.after}, "before": {purpose: row.before}}
    elif row.attribute == ASSIGNED:
        details = {"assigned": bool(row.after)}
    elif row.attribute == DUE:  # the row's own text is in the caller's locale
        details = {"fields": {"due_at": seen.item.due.isoformat() if seen.item.due else None}}
    else:
        details = {"before": row.before, "after": row.after}
    if row.attribute not in KINDS and not row.is_custom:
        details["attribute"] = row.attribute
    return details | {"roles": list(seen.roles.get(row.user_id or 0, ()))}


def _purpose(seen: Observation, name: str) -> str:
    """The configured purpose of the custom field that a history row names, else the field's own name."""
    purposes = {number: purpose for purpose, number in seen.options.field_ids.items()}
    for value in seen.item.custom:
        if name in (value.name, value.title) and value.field_id in purposes:
            return purposes[value.field_id]
    return name


def _files(seen: Observation, known: Mapping[str, Any]) -> Iterator[Change]:
    """Files on the item itself, and files added to a comment that was told before; others come with theirs."""
    old, told = set(known.get("attachments", ())), known.get("comments", {})
    shown = {file.external_id: file for file in seen.snapshot.files}
    for row in seen.attachments:
        owner = seen.owners.get(row.id)
        if row.id in old or (owner is not None and str(owner.id) not in told):
            continue
        details = {"comment_id": str(owner.id)} if owner else {}
        yield Change(
            f"attachment:{row.id}", ChangeKind.FILE, row.created, _uploader(seen, row, owner), seen.snapshot,
            part_id=str(row.id), files=(shown[str(row.id)],), details=details,
        )  # fmt: skip


def _uploader(seen: Observation, row: Attachment, owner: Comment | None) -> Author:
    """Attachments carry no user: their comment or their history row tells. Unknown may be us: the id decides then."""
    if owner is not None:
        return author(owner.user_id, owner.author, seen.me)
    for audit in seen.history:
        if audit.attribute == ATTACHMENTS and row.name in (audit.after, audit.field):
            return author(audit.user_id, audit.author, seen.me)
    return Author(Side.HUB, ours=True)


def _comments(seen: Observation, known: Mapping[str, Any]) -> Iterator[Change]:
    told = known.get("comments", {})
    for comment in sorted(seen.comments, key=lambda comment: comment.id):
        before = told.get(str(comment.id))
        if before is None:
            yield _comment(seen, comment, f"comment:{comment.id}", ChangeKind.SAID, comment.created)
        else:
            yield from _altered(seen, comment, before)
    for number in seen.gone:
        yield _gone(seen, number, was_partner=told[str(number)][0] == seen.options.partner_group)


def _altered(seen: Observation, comment: Comment, before: list[Any]) -> Iterator[Change]:
    """A flip to the partner is a new saying with today's text; a flip away narrows; else the text was edited."""
    was, text = before
    now_partner, was_partner = comment.visibility == seen.options.partner_group, was == seen.options.partner_group
    at = max(comment.revised or seen.item.revised, comment.created)
    stamp = f"{max(at, seen.item.revised).isoformat()}:{fingerprint(comment)[:8]}"
    if now_partner and not was_partner:
        yield _comment(seen, comment, f"comment:{comment.id}:partner:{stamp}", ChangeKind.SAID, at)
    elif was_partner and not now_partner:
        yield _comment(seen, comment, f"comment:{comment.id}:internal:{stamp}", ChangeKind.NARROWED, at)
    elif text != fingerprint(comment):
        yield _comment(seen, comment, f"comment:{comment.id}:edited:{stamp}", ChangeKind.EDITED, at)


def _comment(seen: Observation, comment: Comment, external_id: str, kind: ChangeKind, at: datetime) -> Change:
    return Change(
        external_id, kind, at, author(comment.user_id, comment.author, seen.me), seen.snapshot,
        text=Text(comment.markup, Format.HTML, audience(comment, seen.options)), part_id=str(comment.id),
        files=_files_of(seen, comment), marks=mark_line(comment.markup),
        details={"group": comment.visibility, "roles": list(seen.roles.get(comment.user_id or 0, ()))},
    )  # fmt: skip


def _files_of(seen: Observation, comment: Comment) -> tuple[File, ...]:
    wanted = {str(number) for number, owner in seen.owners.items() if owner.id == comment.id}
    return tuple(file for file in seen.snapshot.files if file.external_id in wanted)


def _gone(seen: Observation, number: int, *, was_partner: bool) -> Change:
    """A comment that was there before; one that partners saw must be taken back. The site does not tell who did it."""
    kind = ChangeKind.REDACTED if was_partner else ChangeKind.OTHER
    return Change(
        f"comment:{number}:gone", kind, seen.item.revised, Author(Side.SYSTEM), seen.snapshot,
        text=Text("", Format.HTML, Visibility.INTERNAL), part_id=str(number), details={"gone": True},
    )  # fmt: skip

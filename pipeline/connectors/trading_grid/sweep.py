"""What a thread holds that no event told us of, because the feed had forgotten it: by ids and revisions."""

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from pipeline.connectors.trading_grid.changes import Part, View, said
from pipeline.connectors.trading_grid.wire import Json, author_of, marks_of, parse_time, text_of
from schemas.change import Change, ChangeKind
from schemas.content import Author, Side

_EVER = datetime.min.replace(tzinfo=UTC)
_NEVER = datetime.max.replace(tzinfo=UTC)
_SOMEBODY = Author(Side.SYSTEM)  # the thread itself does not say who moved or renamed it


def swept_changes(
    view: View, since: str | None, known: Mapping[str, Any], told: Collection[str | None] = ()
) -> Iterator[Change]:
    """The untold changes in the thread's own order: its opening, its posts, its state, its title.

    `since` bounds threads that were never read (RFC 3339; None: nothing of theirs is news); of a thread that was read
    before, everything with an unknown id or a higher revision is. `told` are posts that an event of this very reading
    spoke of.
    """
    begin = parse_time(since) if since else (_EVER if known else _NEVER)
    if not known and _created(view.thread) > begin:
        yield _opening(view)
    for post in view.posts.values():
        part = None if post["id"] in told else _post_part(post, view, known, begin)
        if part is not None:
            yield _of_post(post, part, view)
    yield from _of_thread(view, known)


def _created(thing: Json) -> datetime:
    return parse_time(str(thing["create_time"]))


def _opening(view: View) -> Change:
    first, thread = view.first_post, view.thread
    return Change(
        external_id=f"created:{thread['id']}",
        kind=ChangeKind.OPENED,
        at=_created(thread),
        author=author_of(thread.get("created_by") or {}, view.client_id),
        snapshot=view.snapshot,
        text=text_of(first, thread),
        files=view.files_of(first),
        marks=marks_of(thread.get("origin")),
        details={"event": "sweep", "first_post_id": first.get("id")},
    )


def _post_part(post: Json, view: View, known: Mapping[str, Any], begin: datetime) -> Part | None:
    """What is news about the post, if anything is."""
    told_revision = int((known.get("posts") or {}).get(post["id"], 0))
    if not told_revision:
        return said(post, view) if _created(post) > begin else None
    if int(post.get("revision") or 1) <= told_revision:
        return None
    if post.get("redacted") is not None:
        return Part(ChangeKind.REDACTED, {}, part_id=post["id"])
    return Part(ChangeKind.EDITED, {"kind": post.get("kind")}, text_of(post, view.thread), post["id"])


def _of_post(post: Json, part: Part, view: View) -> Change:
    edited = part.kind in (ChangeKind.EDITED, ChangeKind.REDACTED)
    return Change(
        external_id=f"post:{post['id']}:r{post.get('revision')}",
        kind=part.kind,
        at=parse_time(str(post["update_time" if edited else "create_time"])),
        author=_SOMEBODY if part.kind is ChangeKind.REDACTED else author_of(post.get("author") or {}, view.client_id),
        snapshot=view.snapshot,
        text=part.text,
        part_id=part.part_id,
        files=part.files,
        marks=() if edited else marks_of(post.get("origin")),
        details={"event": "sweep", **part.details},
    )


def _of_thread(view: View, known: Mapping[str, Any]) -> Iterator[Change]:
    thread, at = view.thread, parse_time(str(view.thread["update_time"]))
    name = f"thread:{thread['id']}:r{thread.get('revision')}"
    moved = any(name in known and known[name] != thread.get(name) for name in ("state", "awaiting_reason"))
    if moved:
        details = {"event": "sweep", "before": known.get("state"), "after": thread.get("state"), "reopened": False,
                   "awaiting_reason": thread.get("awaiting_reason")}  # fmt: skip
        yield Change(f"{name}:state", ChangeKind.STATE, at, _SOMEBODY, view.snapshot, details=details)
    if "title" in known and known["title"] != thread.get("title"):
        yield Change(f"{name}:title", ChangeKind.TITLE, at, _SOMEBODY, view.snapshot, details={"event": "sweep"})

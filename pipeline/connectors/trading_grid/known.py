"""What one reading of a thread leaves for the next: told revisions of posts, told state and title."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.connectors.trading_grid.changes import View
from pipeline.connectors.trading_grid.wire import Event
from schemas.change import Change, ChangeKind

_POSTS_REMEMBERED = 500  # the newest; what is older and comes again is the same event id to the ledger


def is_old(event: Event, known: Mapping[str, Any]) -> bool:
    """Whether an earlier reading already told it, by id and revision. A redaction is told twice rather than never."""
    if event.type in ("post.created", "post.updated"):
        return event.revision <= int((known.get("posts") or {}).get(event.resource_id, 0))
    told_by_sweep = event.type in ("thread.created", "thread.state_changed", "thread.reopened")
    return told_by_sweep and event.revision <= int(known.get("swept") or 0)


def remember(
    view: View, known: Mapping[str, Any], events: Sequence[Event], changes: Sequence[Change], *, swept: bool
) -> dict[str, Any]:
    """What the next reading compares with: the told revisions of posts, and the told state and title."""
    posts = dict(known.get("posts") or {})
    for event in events:
        if event.resource_type == "post":
            posts[event.resource_id] = max(event.revision, int(posts.get(event.resource_id, 0)))
    if swept:
        posts.update({post_id: int(post.get("revision") or 1) for post_id, post in view.posts.items()})
    kinds = {change.kind for change in changes}
    told = {
        "state": _told(known, "state", view, fresh=ChangeKind.STATE in kinds),
        "awaiting_reason": _told(known, "awaiting_reason", view, fresh=ChangeKind.STATE in kinds),
        "title": _told(known, "title", view, fresh=ChangeKind.TITLE in kinds),
    }
    revision = int(view.thread.get("revision") or 0)
    newest = dict(list(posts.items())[-_POSTS_REMEMBERED:])
    seen = {"revision": revision, "swept": revision if swept else int(known.get("swept") or 0)}
    return {**told, **seen, "opening": view.opening, "posts": newest}


def _told(known: Mapping[str, Any], name: str, view: View, *, fresh: bool) -> Any:
    return view.thread.get(name) if fresh or name not in known else known[name]

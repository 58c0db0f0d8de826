"""Comments: added, edited by their author, removed."""

from __future__ import annotations

from typing import Any

from sandbox.gemini import data
from sandbox.gemini.errors import RefusedError
from sandbox.gemini.fields import COMMENTS, text, whole
from sandbox.gemini.model import Actor, Comment, Item, User
from sandbox.gemini.site import Site, may_read
from sandbox.gemini.spelling import sanitised

from .files import add_file, checked_file
from .history import audit

Json = dict[str, Any]


def add_comment(site: Site, actor: Actor, item: Item, body: Json) -> Comment:
    """Add a comment for one user group; without `Visibility` the site's default group reads it."""
    _check_place(item, body)
    group = _group(site, body)
    author = _author(site, actor, body)
    stored = sanitised(_text(body), site.settings.sanitiser)
    files = [checked_file(part) for part in body.get("Attachments") or ()]
    now = site.now()
    comment = Comment(
        site.next("comment"),
        author,
        stored,
        group,
        now,
        now,
        bool(body.get("IsClosing")),
        whole(body.get("OriginatorType") or 0, "OriginatorType"),
        text(body.get("OriginatorData"), "OriginatorData"),
    )
    item.comments[comment.id] = comment
    site.touch(item, actor.user, revise=site.settings.comment_raises_revised)
    audit(site, item, actor, COMMENTS, "Comment")
    _journal(site, actor, "comment_added", item, comment)
    for file in files:
        file.comment_id = comment.id
        add_file(site, actor, item, file)
    return comment


def edit_comment(site: Site, actor: Actor, item: Item, body: Json) -> Comment:
    """Replace one's own comment as a whole: a `Visibility` left out falls back to the site's default group."""
    _check_place(item, body)
    comment = own_comment(item, whole(body.get("Id", 0), "Id"), actor)
    group, stored = _group(site, body), sanitised(_text(body), site.settings.sanitiser)
    old_group, old_text = comment.visibility, comment.text
    comment.text, comment.visibility, comment.revised, comment.encoded = stored, group, site.now(), ""
    site.touch(item, actor.user, revise=site.settings.comment_raises_revised)
    audit(site, item, actor, COMMENTS, "Comment")
    _journal(site, actor, "comment_changed", item, comment, old_visibility=old_group, old_body=old_text)
    return comment


def remove_comment(site: Site, actor: Actor, item: Item, comment_id: int) -> None:
    """Delete one's own comment and its files."""
    comment = own_comment(item, comment_id, actor)
    del item.comments[comment_id]
    item.files = {file.id: file for file in item.files.values() if file.comment_id != comment_id}
    site.touch(item, actor.user, revise=site.settings.comment_raises_revised)
    _journal(site, actor, "comment_deleted", item, comment)


def visible_comment(item: Item, comment_id: int, reader: User) -> Comment:
    """The comment; raises RefusedError 404 when there is none that the reader may see."""
    comment = item.comments.get(comment_id)
    if comment is None or not may_read(reader, comment.visibility):
        raise RefusedError(404, f"There is no comment {comment_id} on item {item.id}")
    return comment


def own_comment(item: Item, comment_id: int, actor: Actor) -> Comment:
    """The comment, written by the actor: nobody can edit another user's; raises RefusedError 404 or 403."""
    comment = visible_comment(item, comment_id, actor.user)
    if comment.user.id != actor.user.id:
        raise RefusedError(403, f"Comment {comment_id} was written by somebody else")
    return comment


def _check_place(item: Item, body: Json) -> None:
    if whole(body.get("IssueId", 0), "IssueId") != item.id:
        raise RefusedError(400, f"IssueId {body.get('IssueId')!r} is not the item of the path, {item.id}")
    if "ProjectId" in body and whole(body["ProjectId"], "ProjectId") != item.project_id:
        raise RefusedError(400, f"ProjectId {body['ProjectId']!r} is not the item's, {item.project_id}")


def _text(body: Json) -> str:
    given = text(body.get("Comment"), "Comment")
    if not given.strip():
        raise RefusedError(400, "Comment is required")
    return given


def _group(site: Site, body: Json) -> int:
    """The group that will be stored for the group asked for."""
    group = whole(body.get("Visibility") or site.settings.default_comment_visibility, "Visibility")
    if group not in data.GROUPS:
        raise RefusedError(400, f"Visibility {group} is no user group")
    return site.settings.store_comments_for_group or group


def _author(site: Site, actor: Actor, body: Json) -> User:
    number = whole(body.get("UserId") or actor.user.id, "UserId")
    if number == actor.user.id:
        return actor.user
    if not site.settings.impersonation or number not in site.users:
        raise RefusedError(403, f"{actor.user.username} may not write for user {number}")
    return site.users[number]


def _journal(site: Site, actor: Actor, effect: str, item: Item, comment: Comment, **facts: Any) -> None:
    site.kit.journal.record(
        effect,
        str(comment.id),
        by=actor.by,
        parent=str(item.id),
        body=comment.text,
        author=comment.user.username,
        visibility=comment.visibility,
        group=data.GROUPS[comment.visibility],
        originator_type=comment.originator_type,
        originator_data=comment.originator_data,
        **facts,
    )

"""Followers of an item and links between items."""

from __future__ import annotations

from typing import Any

from sandbox.gemini import data
from sandbox.gemini.errors import RefusedError
from sandbox.gemini.fields import LINKS, whole
from sandbox.gemini.model import Actor, Item
from sandbox.gemini.site import Site
from sandbox.gemini.spelling import pipes, unpiped

from .history import audit, audit_member


def follow(site: Site, actor: Actor, item: Item, user_id: int, *, on: bool) -> None:
    """Make somebody a follower of the item, or no longer; raises RefusedError for an unknown user."""
    if user_id not in site.users:
        raise RefusedError(404, f"There is no user {user_id}")
    before = item.fields["Watchers"]
    others = [number for number in unpiped(before, "Watchers") if number != user_id]
    item.fields["Watchers"] = pipes([*others, user_id] if on else others)
    site.touch(item, actor.user)
    audit_member(site, item, actor, "Watchers", before, item.fields["Watchers"])
    site.kit.journal.record("follower_added" if on else "follower_removed", str(item.id), by=actor.by, user=user_id)


def link(site: Site, actor: Actor, item: Item, body: dict[str, Any]) -> dict[str, int]:
    """Link the item with another one; raises RefusedError."""
    if whole(body.get("IssueId", 0), "IssueId") != item.id:
        raise RefusedError(400, f"IssueId {body.get('IssueId')!r} is not the item of the path, {item.id}")
    other = site.item(whole(body.get("OtherIssueId", 0), "OtherIssueId"), actor.user)
    kind = whole(body.get("LinkTypeId", 0), "LinkTypeId")
    if kind not in data.LINK_TYPES:
        raise RefusedError(400, f"There is no link type {kind}")
    made = {"Id": site.next("link"), "IssueId": item.id, "OtherIssueId": other.id, "LinkTypeId": kind}
    for end in (item, other):
        end.links.append(made)
        site.touch(end, actor.user)
    audit(site, item, actor, LINKS, "Links", after=str(other.id))
    site.kit.journal.record(
        "link_added", str(made["Id"]), by=actor.by, parent=str(item.id), other=str(other.id), type=data.LINK_TYPES[kind]
    )
    return made

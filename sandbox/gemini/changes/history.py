"""Rows of an item's audit trail."""

from __future__ import annotations

from typing import Any

from sandbox.gemini import data
from sandbox.gemini.dto import fullname
from sandbox.gemini.fields import ATTRIBUTES, PIPE_LISTS
from sandbox.gemini.model import Actor, Audit, Item
from sandbox.gemini.site import Site
from sandbox.gemini.spelling import unpiped

_METAS = {
    "TypeId": data.TYPES,
    "StatusId": data.STATUSES,
    "PriorityId": data.PRIORITIES,
    "SeverityId": data.SEVERITIES,
    "ResolutionId": data.RESOLUTIONS,
}
_PEOPLE = frozenset({"Resources", "Watchers", "ReportedBy"})


def audit(site: Site, item: Item, actor: Actor, attribute: int, field: str, **values: Any) -> None:
    """Add one row: `values` are before, after, id_before, id_after, is_custom."""
    item.history.append(Audit(site.next("audit"), actor.user, attribute, field, site.now(), **values))


def audit_member(site: Site, item: Item, actor: Actor, name: str, before: object, after: object) -> None:
    """Add the row of a changed member, names as values and ids beside them; tags leave no row."""
    if name not in ATTRIBUTES:
        return
    named = name in _METAS or name in _PEOPLE or name in PIPE_LISTS
    audit(
        site,
        item,
        actor,
        ATTRIBUTES[name],
        name,
        before=spoken(site, name, before),
        after=spoken(site, name, after),
        id_before=_bare(before) if named else "",
        id_after=_bare(after) if named else "",
    )


def spoken(site: Site, name: str, value: Any) -> str:
    """A member's value as people read it."""
    if name in _METAS:
        return data.label(_METAS[name], value)
    if name == "Visibility":
        return data.GROUPS.get(value, "")
    if name in _PEOPLE:
        return ", ".join(fullname(site, number) for number in unpiped(str(value), name))
    return "" if value is None else str(value)


def _bare(value: object) -> str:
    return "" if value is None else str(value).strip("|")

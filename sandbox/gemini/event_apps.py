"""The two shipped event apps that rewrite what was sent: the answer's status is the truth."""

from __future__ import annotations

from typing import Any

from . import data
from .settings import Settings


def rewritten_status(settings: Settings, template_id: int, before: dict[str, Any], after: dict[str, Any]) -> int:
    """The status that is stored when an item's members change from `before` (empty: new item) to `after`."""
    statuses = data.of_template(data.STATUSES, template_id)
    status: int = after["StatusId"]
    changed = before.get("StatusId") != status
    if settings.auto_open_closed_item and before and not changed and data.STATUSES[status].flag:
        return next(meta.id for meta in statuses if not meta.flag)
    first_resource = not before.get("Resources") and bool(after["Resources"])
    if settings.auto_mark_as_assigned and first_resource and status == statuses[0].id:
        return statuses[1].id
    return status

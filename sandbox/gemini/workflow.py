"""What the site checks before it stores an item: known ids, allowed status hops, closed children."""

from __future__ import annotations

from typing import Any

from . import data
from .errors import RefusedError
from .model import Item
from .site import Site


def check_ids(project: data.Project, fields: dict[str, Any]) -> None:
    """Type and status must belong to the project's template; raises RefusedError."""
    for name, metas in (("TypeId", data.TYPES), ("StatusId", data.STATUSES)):
        meta = metas.get(fields[name])
        if meta is None or meta.template_id != project.template_id:
            raise RefusedError(400, f"{name} {fields[name]} does not belong to project {project.code}")
    if fields["Visibility"] not in data.GROUPS:
        raise RefusedError(400, f"Visibility {fields['Visibility']} is no user group")


def check_hop(site: Site, item: Item, fields: dict[str, Any]) -> None:
    """The workflow must allow the status change, and a parent closes after its children; raises RefusedError."""
    old, new = item.fields["StatusId"], fields["StatusId"]
    if old == new:
        return
    if site.settings.enforce_workflow and new not in data.WORKFLOWS[fields["TypeId"]].get(old, ()):
        names = data.label(data.STATUSES, old), data.label(data.STATUSES, new)
        raise RefusedError(400, f"The workflow does not allow to change the status from {names[0]} to {names[1]}")
    if data.STATUSES[new].flag:
        for child in item.children:
            if not data.STATUSES[site.items[child].fields["StatusId"]].flag:
                raise RefusedError(400, f"Item {item.id} cannot be closed while its child {child} is open")


def shown(type_id: int) -> dict[str, Any]:
    """A type's workflow as `GET type/template/{id}` answers it."""
    return {
        "ReferenceId": 0,
        "Status": [
            {"StatusId": status, "Transitions": [{"StatusId": target, "Groups": [1]} for target in targets]}
            for status, targets in data.WORKFLOWS[type_id].items()
        ],
    }

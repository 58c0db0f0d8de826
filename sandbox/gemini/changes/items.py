"""Items: created, and replaced as a whole."""

from __future__ import annotations

from typing import Any

from sandbox.gemini import data, workflow
from sandbox.gemini.dto import full_dto, is_closed, is_resolved
from sandbox.gemini.errors import RefusedError
from sandbox.gemini.event_apps import rewritten_status
from sandbox.gemini.fields import EMPTY, read, text, whole
from sandbox.gemini.model import Actor, Item
from sandbox.gemini.site import Site
from sandbox.gemini.spelling import sanitised, unpiped
from sandbox.gemini.webhook import fire

from .files import add_file, checked_file
from .history import audit_member, spoken

Json = dict[str, Any]
_EFFECTS = {"StatusId": "status_changed", "Title": "title_changed", "Resources": "resource_changed"}


def create_item(site: Site, actor: Actor, body: Json) -> Item:
    """Create an item from the members given; the project's defaults fill the rest."""
    project = data.PROJECTS.get(whole(body.get("ProjectId", 0), "ProjectId"))
    if project is None:
        raise RefusedError(400, f"There is no project {body.get('ProjectId')!r}")
    fields = {**EMPTY, **_defaults(project, actor), **_given(read(body))}
    _check(site, project, fields)
    files = [checked_file(part) for part in body.get("Attachments") or ()]
    fields["StatusId"] = rewritten_status(site.settings, project.template_id, {}, fields)
    now = site.now()
    item = Item(site.next("item"), project.id, fields, actor.user, actor.user, now, now)
    if fields["ParentIssueId"] is not None:
        site.items[fields["ParentIssueId"]].children.append(item.id)
    site.touch(item, actor.user)
    site.index_origin(item)
    _stamp_ends(site, item)
    _journal_creation(site, actor, item)
    for file in files:
        add_file(site, actor, item, file)
    fire(site, item.id, full_dto(site, item), None)
    return item


def replace_item(site: Site, actor: Actor, body: Json) -> Item:
    """Store the whole entity as sent: a member that is left out is wiped; event apps may change the status."""
    item = site.item(whole(body.get("Id", 0), "Id"), actor.user)
    project = data.PROJECTS[item.project_id]
    if whole(body.get("ProjectId", 0), "ProjectId") != project.id:
        raise RefusedError(400, f"Item {item.id} belongs to project {project.id}, not {body.get('ProjectId')!r}")
    fields = {**EMPTY, **read(body)}
    _check(site, project, fields)
    workflow.check_hop(site, item, fields)
    return _store(site, actor, item, fields)


def change_members(site: Site, actor: Actor, item: Item, **members: Any) -> Item:
    """Change single members, as the site's own pages do; the same checks and event apps apply."""
    return replace_item(site, actor, {"Id": item.id, "ProjectId": item.project_id, **item.fields, **members})


def _store(site: Site, actor: Actor, item: Item, fields: Json) -> Item:
    previous = full_dto(site, item)
    sent_status = fields["StatusId"]
    template = data.PROJECTS[item.project_id].template_id
    fields["StatusId"] = rewritten_status(site.settings, template, item.fields, fields)
    before, item.fields = item.fields, fields
    site.touch(item, actor.user)
    site.index_origin(item, (before["OriginatorType"], before["OriginatorData"]))
    _move_below(site, item, before["ParentIssueId"])
    _stamp_ends(site, item)
    changed = [name for name in fields if fields[name] != before[name]]
    for name in changed:
        audit_member(site, item, actor, name, before[name], fields[name])
        by = "event_app" if name == "StatusId" and fields[name] != sent_status else actor.by
        _journal_member(site, item, by, name, before[name])
    if not changed:
        site.kit.journal.record("item_saved", str(item.id), by=actor.by)
    fire(site, item.id, full_dto(site, item), previous)
    return item


def _defaults(project: data.Project, actor: Actor) -> Json:
    """The project's default values; the reporter is the creator."""
    first = {
        name: data.of_template(metas, project.template_id)[0].id
        for name, metas in (
            ("TypeId", data.TYPES),
            ("StatusId", data.STATUSES),
            ("PriorityId", data.PRIORITIES),
            ("SeverityId", data.SEVERITIES),
            ("ResolutionId", data.RESOLUTIONS),
        )
    }
    return {**first, "ReportedBy": actor.user.id}


def _given(members: Json) -> Json:
    """A create's members without the zero ids, for which the defaults stand."""
    return {name: value for name, value in members.items() if value != 0 or not name.endswith(("Id", "By"))}


def _check(site: Site, project: data.Project, fields: Json) -> None:
    if not text(fields["Title"], "Title").strip():
        raise RefusedError(400, "Title is required")
    workflow.check_ids(project, fields)
    fields["Description"] = sanitised(fields["Description"], site.settings.sanitiser)
    parent = fields["ParentIssueId"]
    if parent is not None and parent not in site.items:
        raise RefusedError(400, f"There is no parent item {parent}")
    for number in unpiped(fields["Resources"], "Resources"):
        if number not in site.users:
            raise RefusedError(400, f"Resource {number} is no user")


def _move_below(site: Site, item: Item, old_parent: int | None) -> None:
    """Keep the parents' lists of children right."""
    parent = item.fields["ParentIssueId"]
    if parent != old_parent:
        if old_parent is not None:
            site.items[old_parent].children.remove(item.id)
            site.items[old_parent].encoded.clear()
        if parent is not None:
            site.items[parent].children.append(item.id)
    if parent is not None:
        site.items[parent].encoded.clear()


def _stamp_ends(site: Site, item: Item) -> None:
    """Set or take away the dates of closing and resolving."""
    item.closed = (item.closed or site.now()) if is_closed(item) else None
    item.resolved = (item.resolved or site.now()) if is_resolved(item) else None


def _journal_creation(site: Site, actor: Actor, item: Item) -> None:
    fields = item.fields
    site.kit.journal.record(
        "item_created",
        str(item.id),
        by=actor.by,
        parent=fields["ParentIssueId"],
        project=item.project_id,
        title=fields["Title"],
        body=fields["Description"],
        type=data.label(data.TYPES, fields["TypeId"]),
        status=data.label(data.STATUSES, fields["StatusId"]),
        visibility=fields["Visibility"],
        originator_type=fields["OriginatorType"],
        originator_data=fields["OriginatorData"],
        tag1=fields["Tag1"],
    )


def _journal_member(site: Site, item: Item, by: str, name: str, before: object) -> None:
    effect = _EFFECTS.get(name, "member_changed")
    raw = {} if name in _EFFECTS else {"member": name}
    site.kit.journal.record(
        effect, str(item.id), by=by, old=spoken(site, name, before), new=spoken(site, name, item.fields[name]), **raw
    )

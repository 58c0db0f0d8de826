"""The site's objects as the API spells them: Dto around BaseEntity (lookup lists: around Entity)."""

from __future__ import annotations

import base64
import html
import json
from typing import Any

from . import data
from .model import Audit, Comment, CustomValue, File, Item, User
from .site import Site, readable_comments, readable_files
from .spelling import for_people, unpiped, with_offset, with_z, without_zone

Json = dict[str, Any]
_EXISTING: Json = {
    "Active": True,
    "Archived": False,
    "Deleted": False,
    "IsNew": False,
    "IsExisting": True,
    "HasErrors": False,
    "Errors": [],
}
_MISSING: Json = {**_EXISTING, "IsNew": True, "IsExisting": False}
_EVERYBODY = User(-1, "", "", "", frozenset(data.GROUPS))


def item_entity(site: Site, item: Item) -> Json:
    """The Issue entity, as it must be PUT back whole."""
    fraction = site.settings.revised_fraction
    return {
        **_EXISTING,
        "Id": item.id,
        "ProjectId": item.project_id,
        **item.fields,
        "Creator": item.creator.id,
        "Created": with_offset(item.created, fraction=fraction),
        "Revised": with_offset(item.revised, fraction=fraction),
        "Timestamp": base64.b64encode(item.version.to_bytes(8, "big")).decode("ascii"),
        "ClosedDate": without_zone(item.closed) if item.closed else None,
        "ResolvedDate": without_zone(item.resolved) if item.resolved else None,
        "IsParent": bool(item.children),
        "IsSubIssue": item.fields["ParentIssueId"] is not None,
        "HierarchyKey": "",
        "Repeated": "",
        "LoggedHours": 0,
        "LoggedMinutes": 0,
        "SLAId": None,
        "SLAStatus": None,
        "SLAStatusDate": None,
        "SLAStatusTimePassed": None,
        "Attachments": [],
    }


def item_json(site: Site, item: Item, reader: User) -> str:
    """The IssueDto as JSON text, kept until the item changes: a day filter asks for it again and again."""
    encoded = item.encoded.get(reader.groups)
    if encoded is None:
        shown = readable_comments(item, reader)
        comments = ",".join(comment_json(site, item, comment) for comment in shown)
        head = _item_head(site, item, reader, shown[-1].text if shown else "")
        encoded = f'{json.dumps(head)[:-1]},"Comments":[{comments}]}}'
        item.encoded[reader.groups] = encoded
    return encoded


def full_dto(site: Site, item: Item) -> Json:
    """The IssueDto without limits of visibility, as the webhook and the state dump hold it."""
    dto: Json = json.loads(item_json(site, item, _EVERYBODY))
    return dto


def _item_head(site: Site, item: Item, reader: User, last_comment: str) -> Json:
    fields = item.fields
    entity = item_entity(site, item)
    custom = custom_dtos(site, item)
    people = [site.users[number] for number in unpiped(fields["Resources"], "Resources") if number in site.users]
    project = data.PROJECTS[item.project_id]
    return {
        "Id": item.id,
        "IssueKey": f"{project.code}-{item.id}",
        "BaseEntity": entity,
        "Project": project_entity(project),
        "ProjectCode": project.code,
        "ProjectName": project.name,
        "Title": fields["Title"],
        "Description": fields["Description"],
        "Type": data.label(data.TYPES, fields["TypeId"]),
        "Status": data.label(data.STATUSES, fields["StatusId"]),
        "Priority": data.label(data.PRIORITIES, fields["PriorityId"]),
        "Severity": data.label(data.SEVERITIES, fields["SeverityId"]),
        "Resolution": data.label(data.RESOLUTIONS, fields["ResolutionId"]),
        "Visibility": data.GROUPS.get(fields["Visibility"], ""),
        "IsClosed": is_closed(item),
        "IsResolved": is_resolved(item),
        "Reporter": fullname(site, fields["ReportedBy"]),
        "Creator": item.creator.fullname,
        "Reviser": item.reviser.fullname,
        "ResourceNames": ", ".join(user.fullname for user in people),
        "Resources": [{"BaseEntity": user_entity(user), "Fullname": user.fullname} for user in people],
        "ComponentNames": "",
        "Components": [],
        "Watchers": watcher_dtos(site, item),
        "LastComment": last_comment,
        "Attachments": [file_dto(item, file) for file in readable_files(item, reader)],
        "CustomFields": custom,
        "InlineCustomFields": [value for value in custom if value["ShowInline"]],
        "ContentCustomFields": [],
        "TimeEntries": [],
        "Links": [link_dto(link) for link in item.links],
        "Hierarchy": [],
        "History": [],
        "Created": entity["Created"],
        "Revised": entity["Revised"],
        "CreatedString": for_people(item.created),
        "RevisedString": for_people(item.revised),
        "SLA": None,
        "SLATimeLeftMinutes": 0,
        "SLATimePassedMinutes": 0,
        "OriginatorData": fields["OriginatorData"],
        "Sequence": 0,
    }


def is_closed(item: Item) -> bool:
    """Whether the item's status is final; its label means nothing."""
    status = data.STATUSES.get(item.fields["StatusId"])
    return status is not None and status.flag


def is_resolved(item: Item) -> bool:
    """Whether the item's resolution counts as resolved."""
    resolution = data.RESOLUTIONS.get(item.fields["ResolutionId"])
    return resolution is not None and resolution.flag


def fullname(site: Site, user_id: int) -> str:
    """A person's full name; "" for nobody."""
    return site.users[user_id].fullname if user_id in site.users else ""


def comment_json(site: Site, item: Item, comment: Comment) -> str:
    """The IssueCommentDto as JSON text."""
    if not comment.encoded:
        comment.encoded = json.dumps(comment_dto(site, item, comment))
    return comment.encoded


def comment_dto(site: Site, item: Item, comment: Comment) -> Json:
    """A comment with the id (entity) and the name (Dto) of its group, and its files."""
    origin: Json = {}
    if site.settings.comment_originator:
        origin = {"OriginatorType": comment.originator_type, "OriginatorData": comment.originator_data}
    return {
        "BaseEntity": {
            **_EXISTING,
            "Id": comment.id,
            "IssueId": item.id,
            "ProjectId": item.project_id,
            "UserId": comment.user.id,
            "Fullname": comment.user.fullname,
            "Comment": comment.text,
            "IsClosing": comment.is_closing,
            "Visibility": comment.visibility,
            **origin,
            "Created": with_z(comment.created),
            "Revised": with_z(comment.revised),
            "Timestamp": None,
        },
        "Visibility": data.GROUPS.get(comment.visibility, ""),
        "CreatedRelative": "moments ago",
        "Attachments": [file_dto(item, file) for file in item.files.values() if file.comment_id == comment.id],
    }


def file_dto(item: Item, file: File, *, content: bool = False) -> Json:
    """A file; with `content` its bytes as base64."""
    return {
        "BaseEntity": {
            **_EXISTING,
            "Id": file.id,
            "IssueId": item.id,
            "ProjectId": item.project_id,
            "CommentId": file.comment_id,
            "Name": file.name,
            "ContentType": file.content_type,
            "ContentLength": len(file.content),
            "Size": f"{len(file.content) / 1024:.1f} KB",
            "Content": base64.b64encode(file.content).decode("ascii") if content else None,
            "Created": without_zone(file.created),
            "Revised": without_zone(file.created),
        },
        "CreatedRelative": "moments ago",
        "IconPath": "",
        "IsImage": file.content_type.startswith("image/"),
    }


def custom_dtos(site: Site, item: Item) -> list[Json]:
    """All custom fields of the item; one without a value is there with row id 0 and IsNew."""
    return [
        {
            "Name": name,
            "Title": f"{name} (help desk)",
            "FormattedData": value["Data"],
            "ShowInline": field_id in data.INLINE_FIELDS,
            "CreatedRelative": "moments ago",
            "Type": "T",
            "BaseEntity": value,
        }
        for field_id, name in data.CUSTOM_FIELDS.items()
        for value in [custom_entity(site, item, field_id)]
    ]


def custom_entity(site: Site, item: Item, field_id: int) -> Json:
    """One custom field's row of the item."""
    row = item.custom.get(field_id)
    state = _EXISTING if row else _MISSING
    row = row or CustomValue(0, field_id, item.reviser.id, item.created, item.revised, "")
    shown = html.escape(row.data) if site.settings.encode_custom_values and row.data else row.data
    return {
        **state,
        "Id": row.id,
        "CustomFieldId": field_id,
        "IssueId": item.id,
        "ProjectId": item.project_id,
        "UserId": row.user_id,
        "Data": shown,
        "NumericData": row.numeric,
        "DateData": row.date,
        "Created": with_z(row.created),
        "Revised": with_z(row.revised),
    }


def audit_dto(item: Item, audit: Audit) -> Json:
    """One row of history."""
    return {
        "BaseEntity": {
            **_EXISTING,
            "Id": audit.id,
            "IssueId": item.id,
            "ProjectId": item.project_id,
            "UserId": audit.user.id,
            "Fullname": audit.user.fullname,
            "AttributeChanged": audit.attribute,
            "FieldChanged": audit.field,
            "ValueBefore": audit.before,
            "ValueAfter": audit.after,
            "IdBefore": audit.id_before,
            "IdAfter": audit.id_after,
            "IsCustom": audit.is_custom,
            "Created": without_zone(audit.created),
            "Revised": without_zone(audit.created),
        },
        "CreatedRelative": "moments ago",
    }


def watcher_dtos(site: Site, item: Item) -> list[Json]:
    """The item's followers."""
    people = [site.users[number] for number in unpiped(item.fields["Watchers"], "Watchers") if number in site.users]
    return [
        {
            "BaseEntity": {**_EXISTING, "Id": person.id, "UserId": person.id, "IssueId": item.id},
            "Username": person.username,
            "Fullname": person.fullname,
            "Email": email(person),
        }
        for person in people
    ]


def link_dto(link: dict[str, int]) -> Json:
    """A link between two items."""
    return {"BaseEntity": {**_EXISTING, **link}, "LinkType": data.LINK_TYPES[link["LinkTypeId"]]}


def email(person: User) -> str:
    """A person's address."""
    return f"{person.username}@hub.example"


def user_entity(user: User, *, api_key: bool = False) -> Json:
    """A person; with `api_key` also the secret, as `GET users` may hand it out."""
    first, _, last = user.fullname.partition(" ")
    entity = {
        **_EXISTING,
        "Id": user.id,
        "Username": user.username,
        "Firstname": first,
        "Surname": last,
        "Fullname": user.fullname,
        "Email": email(user),
        "Timezone": "UTC",
        "Culture": "en-GB",
    }
    return {**entity, "ApiKey": user.api_key} if api_key else entity


def user_dto(user: User) -> Json:
    """A person as the users endpoints answer, the API key inside."""
    return {
        "BaseEntity": user_entity(user, api_key=True),
        "Fullname": user.fullname,
        "DateFormat": "dd/MM/yyyy",
        "TimeZone": "UTC",
        "IsGlobalAdmin": 2 in user.groups,
    }


def project_entity(project: data.Project) -> Json:
    """A project."""
    return {
        **_EXISTING,
        "Id": project.id,
        "Code": project.code,
        "Name": project.name,
        "Description": "",
        "TemplateId": project.template_id,
        "PermissionId": 2,
        "LeadId": 1,
        "LabelId": 0,
        "WorkflowId": 0,
        "ReadOnly": False,
        "DescriptionRequired": False,
        "ResourceAssignmentMode": 1,
        "ComponentAssignmentMode": 1,
        "Color": "#336699",
        "Created": "2009-12-18T10:42:52",
        "Revised": "2009-12-18T10:42:52",
    }

"""What the site's pages show: the list of items, and one item with its forms."""

from __future__ import annotations

import html
import re

from markupsafe import Markup
from starlette.responses import HTMLResponse

from sandbox.kit import page

from . import data
from .dto import fullname
from .model import Item
from .site import Site
from .spelling import for_people, unpiped

ROOT = "/gemini"
_TAG = re.compile(r"<[^>]*>")
_PEOPLE = (("anna", "Anna"), ("ben", "Ben"))
_GROUPS = [
    (data.INTERNAL_GROUP, "Resolution team (internal)"),
    (data.PARTNER_GROUP, "Partner visible"),
    (1, "Everyone"),
]


def item_path(item: Item) -> str:
    """An item's page, by the link that the product uses."""
    return f"{ROOT}/workspace/{item.project_id}/item/{item.id}"


def start_page(site: Site) -> HTMLResponse:
    """All items, newest change first, and a form for a new one."""
    rows = [
        (
            page.link(item_path(item), _key(item)),
            item.fields["Title"],
            data.label(data.STATUSES, item.fields["StatusId"]),
            for_people(item.revised),
        )
        for item in site.newest_first()
    ]
    new = page.form(
        f"{ROOT}/person/items",
        "New item",
        _as(),
        page.text_field("title", "Title", required=True),
        page.text_area("description", "Description"),
        page.choice("type", "Type", (("Investigation", "Investigation"), ("Task", "Task"))),
        submit="Create",
    )
    return page.page("Gemini: items", page.table(("Item", "Title", "Status", "Changed"), rows), new, home=f"{ROOT}/")


def item_page(site: Site, item: Item) -> HTMLResponse:
    """One item: what it holds, then what a resolver can do."""
    people = ", ".join(fullname(site, number) for number in unpiped(item.fields["Resources"], "Resources"))
    facts = [
        ("Status", data.label(data.STATUSES, item.fields["StatusId"])),
        ("Resources", people or "nobody"),
        ("Type", data.label(data.TYPES, item.fields["TypeId"])),
        ("Priority", data.label(data.PRIORITIES, item.fields["PriorityId"])),
        ("Origin", item.fields["OriginatorData"]),
        ("Changed", for_people(item.revised)),
    ]
    facts += [(data.CUSTOM_FIELDS[row.field_id], row.data or "") for row in item.custom.values()]
    return page.page(
        f"{_key(item)} {item.fields['Title']}",
        page.table(("Member", "Value"), facts),
        page.heading("Description"),
        _stored(item.fields["Description"]),
        _comments(item),
        _files(item),
        *_forms(item),
        home=f"{ROOT}/",
    )


def _key(item: Item) -> str:
    return f"{data.PROJECTS[item.project_id].code}-{item.id}"


def _as() -> Markup:
    return page.choice("as", "Act as", _PEOPLE)


def _stored(stored: str) -> Markup:
    """Stored HTML without its tags: sandbox pages run nobody's mark-up."""
    spaced = stored.replace("<br>", "\n").replace("</p>", "\n")
    return page.paragraph(html.unescape(_TAG.sub("", spaced)).strip())


def _comments(item: Item) -> Markup:
    rows = [
        (comment.id, comment.user.fullname, data.GROUPS[comment.visibility], _stored(comment.text))
        for comment in item.comments.values()
    ]
    return page.heading("Comments") + page.table(("Id", "Author", "Read by", "Text"), rows)


def _files(item: Item) -> Markup:
    rows = [
        (file.id, file.name, f"{len(file.content)} bytes", file.comment_id or "item") for file in item.files.values()
    ]
    return page.heading("Attachments") + page.table(("Id", "Name", "Size", "On comment"), rows)


def _forms(item: Item) -> list[Markup]:
    base = f"{ROOT}/person/items/{item.id}"
    current = item.fields["StatusId"]
    onward = [
        (data.STATUSES[number].label, data.STATUSES[number].label)
        for number in (current, *data.WORKFLOWS[item.fields["TypeId"]].get(current, ()))
    ]
    group = page.choice("group", "Who may read it", _GROUPS)
    fields = [(name, name) for name in data.CUSTOM_FIELDS.values()]
    return [
        page.form(
            f"{base}/status",
            "Change status",
            _as(),
            page.choice("status", "Status", onward),
            page.text_area("comment", "Comment (may stay empty)"),
            group,
        ),
        page.form(f"{base}/resource", "Assign", _as(), page.choice("resource", "Person", (("", "nobody"), *_PEOPLE))),
        page.form(
            f"{base}/comment",
            "Comment",
            _as(),
            page.text_area("comment", "Text", required=True),
            group,
            page.file_field("file", "File"),
            submit="Add",
            files=True,
        ),
        page.form(
            f"{base}/title", "Title", _as(), page.text_field("title", "Title", item.fields["Title"], required=True)
        ),
        page.form(
            f"{base}/custom",
            "Custom field",
            _as(),
            page.choice("field", "Field", fields),
            page.text_field("value", "Value"),
        ),
    ]

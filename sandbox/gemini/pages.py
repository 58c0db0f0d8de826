"""The site's pages for people: a resolver reads an item and acts on it, through the same changes as the API."""

from __future__ import annotations

import base64
import html
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.kit.page import done, refused

from . import data
from .changes.comments import add_comment, edit_comment, own_comment, remove_comment
from .changes.custom_values import set_value
from .changes.files import checked_file
from .changes.items import change_members, create_item
from .door import ROOT
from .errors import RefusedError
from .fields import whole
from .model import Actor, Item
from .page_views import item_page, item_path, start_page
from .site import Site
from .spelling import pipes

Json = dict[str, Any]
PERSON = f"{ROOT}/person"


@dataclass(slots=True)
class Act:
    """One submitted form: who acts, on which item."""

    site: Site
    actor: Actor
    form: FormData
    request: Request

    def text(self, name: str) -> str:
        """A field's text, without surrounding white space."""
        value = self.form.get(name, "")
        return value.strip() if isinstance(value, str) else ""

    def item(self) -> Item:
        """The item of the path; raises RefusedError 404."""
        return self.site.item(whole(self.request.path_params["item_id"], "item"), self.actor.user)

    def group(self) -> int:
        """The chosen group, by id or name; the internal one when none is chosen; raises RefusedError."""
        given = self.text("group") or str(data.INTERNAL_GROUP)
        by_name = {name: number for number, name in data.GROUPS.items()}
        return by_name[given] if given in by_name else whole(given, "group")


def routes(site: Site) -> list[Route]:
    """Pages and forms below the site's root."""
    forms: list[tuple[str, Callable[[Act], Json]]] = [
        ("/items", _new_item),
        ("/items/{item_id:int}/status", _status),
        ("/items/{item_id:int}/resource", _resource),
        ("/items/{item_id:int}/comment", _comment),
        ("/items/{item_id:int}/comment/{comment_id:int}", _edit_comment),
        ("/items/{item_id:int}/title", _title),
        ("/items/{item_id:int}/custom", _custom),
    ]

    async def start(request: Request) -> Response:  # noqa: ARG001 -- Starlette hands the request in
        return start_page(site)

    async def show(request: Request) -> Response:
        item = site.items.get(request.path_params["item_id"])
        if item is None:
            return refused(request, "There is no such item.", status=404, home=f"{ROOT}/")
        return item_page(site, item)

    return [
        Route("/", start),
        Route(ROOT, start),
        Route(f"{ROOT}/", start),
        Route(f"{ROOT}/workspace/{{project_id:int}}/item/{{item_id:int}}", show),
        Route(f"{ROOT}/project/{{code}}/{{project_id:int}}/item/{{item_id:int}}", show),
        *(Route(PERSON + path, _form(site, act), methods=["POST"]) for path, act in forms),
    ]


def _form(site: Site, act: Callable[[Act], Json]) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that carries out one form and leads back to the item, or answers ids as JSON."""

    async def endpoint(request: Request) -> Response:
        async with request.form() as form:
            user = site.by_username.get(str(form.get("as", "anna")))
            if user is None:
                return refused(request, "There is no such person.", status=400, home=f"{ROOT}/")
            uploads = await _uploads(form)
            request.state.uploads = uploads
            try:
                ids = act(Act(site, Actor(user, f"resolver:{user.username}"), form, request))
            except RefusedError as refusal:
                return refused(request, refusal.message, status=refusal.status, home=f"{ROOT}/")
        return done(request, item_path(site.items[ids["item"]]), **ids)

    return endpoint


async def _uploads(form: FormData) -> list[Json]:
    """The files of a form, as the API takes them."""
    sent = [part for part in form.getlist("file") if isinstance(part, UploadFile) and part.filename]
    return [
        {
            "Name": part.filename,
            "ContentType": part.content_type or "application/octet-stream",
            "Content": base64.b64encode(await part.read()).decode("ascii"),
        }
        for part in sent
    ]


def _typed(text: str) -> str:
    """What the rich text editor makes of typed text."""
    lines = html.escape(text, quote=False).replace("\r\n", "\n").split("\n\n")
    return "".join(f"<p>{paragraph.replace(chr(10), '<br>')}</p>" for paragraph in lines)


def _new_item(act: Act) -> Json:
    kind = next((meta.id for meta in data.of_template(data.TYPES, data.HELP) if meta.label == act.text("type")), 0)
    body = {
        "ProjectId": 12,
        "Title": act.text("title"),
        "Description": _typed(act.text("description")),
        "TypeId": kind,
        "Attachments": act.request.state.uploads,
    }
    return {"item": create_item(act.site, act.actor, body).id}


def _status(act: Act) -> Json:
    """A status by its label, with an optional comment that is saved together with it."""
    item = act.item()
    template = data.PROJECTS[item.project_id].template_id
    by_label = {meta.label: meta.id for meta in data.of_template(data.STATUSES, template)}
    if act.text("status") not in by_label:
        raise RefusedError(400, f"There is no status {act.text('status')!r}")
    change_members(act.site, act.actor, item, StatusId=by_label[act.text("status")])
    ids: Json = {"item": item.id, "status": data.label(data.STATUSES, item.fields["StatusId"])}
    return {**ids, "comment": _say(act, item)} if act.text("comment") else ids


def _resource(act: Act) -> Json:
    item = act.item()
    person = act.site.by_username.get(act.text("resource"))
    if act.text("resource") and person is None:
        raise RefusedError(400, f"There is no person {act.text('resource')!r}")
    change_members(act.site, act.actor, item, Resources=pipes([person.id] if person else []))
    return {"item": item.id, "status": data.label(data.STATUSES, item.fields["StatusId"])}


def _comment(act: Act) -> Json:
    item = act.item()
    return {"item": item.id, "comment": _say(act, item)}


def _say(act: Act, item: Item) -> int:
    """Add the typed comment with its files; returns its id."""
    [checked_file(upload) for upload in act.request.state.uploads]
    body = {
        "IssueId": item.id,
        "Comment": _typed(act.text("comment")),
        "Visibility": act.group(),
        "Attachments": act.request.state.uploads,
    }
    return add_comment(act.site, act.actor, item, body).id


def _edit_comment(act: Act) -> Json:
    """New text or group for one's own comment, or its removal."""
    item = act.item()
    comment_id = whole(act.request.path_params["comment_id"], "comment")
    if act.text("remove"):
        remove_comment(act.site, act.actor, item, comment_id)
        return {"item": item.id}
    old = own_comment(item, comment_id, act.actor)
    text = _typed(act.text("comment")) if act.text("comment") else old.text
    group = act.group() if act.text("group") else old.visibility
    edit_comment(
        act.site, act.actor, item, {"Id": comment_id, "IssueId": item.id, "Comment": text, "Visibility": group}
    )
    return {"item": item.id, "comment": comment_id}


def _title(act: Act) -> Json:
    return {"item": change_members(act.site, act.actor, act.item(), Title=act.text("title")).id}


def _custom(act: Act) -> Json:
    """A custom field's value, the field by name or id."""
    item = act.item()
    by_name = {name: number for number, name in data.CUSTOM_FIELDS.items()}
    field_id = by_name.get(act.text("field")) or whole(act.text("field"), "field")
    if field_id not in data.CUSTOM_FIELDS:
        raise RefusedError(400, f"There is no custom field {act.text('field')!r}")
    return {"item": item.id, "row": set_value(act.site, act.actor, item, field_id, act.text("value")).id}

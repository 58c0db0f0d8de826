"""Projects and the lookup lists: type, status, priority, severity (under Entity), resolution (bare)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.gemini import data, workflow
from sandbox.gemini.door import Call, Handler
from sandbox.gemini.dto import project_entity
from sandbox.gemini.errors import RefusedError

Json = dict[str, Any]
Shape = Callable[[data.Meta], Json]


def _meta_entity(meta: data.Meta, metas: dict[int, data.Meta]) -> Json:
    order = [other.id for other in data.of_template(metas, meta.template_id)]
    return {
        "Id": meta.id,
        "Label": meta.label,
        "Tag": "",
        "Image": "",
        "Color": "#336699",
        "TemplateId": meta.template_id,
        "Sequence": order.index(meta.id),
    }


def _plain(metas: dict[int, data.Meta]) -> Shape:
    return lambda meta: {"Entity": _meta_entity(meta, metas), "FullImagePath": ""}


def _status(meta: data.Meta) -> Json:
    kind = 1 if meta.flag else 0
    entity = {**_meta_entity(meta, data.STATUSES), "Comment": "", "IsFinal": meta.flag, "Type": kind}
    return {"Entity": entity, "FullImagePath": "", "Disabled": False}


def _type(meta: data.Meta) -> Json:
    required = [{"Id": "Title", "Label": "Title", "Required": True, "Sequence": 0, "ProjectGroups": [1], "Type": 0}]
    screen = {"ReferenceId": 0, "Create": required, "Edit": required, "View": []}
    entity = {**_meta_entity(meta, data.TYPES), "Workflow": workflow.shown(meta.id), "Screen": screen}
    return {"Entity": entity, "FullImagePath": ""}


def _resolution(meta: data.Meta) -> Json:
    return {**_meta_entity(meta, data.RESOLUTIONS), "IsResolved": meta.flag}


def _listing(path: str, metas: dict[int, data.Meta], shape: Shape) -> list[tuple[str, dict[str, Handler]]]:
    def one(call: Call) -> Json:
        if call.number("meta_id") not in metas:
            raise RefusedError(404, f"There is no {path} {call.number('meta_id')}")
        return shape(metas[call.number("meta_id")])

    return [
        (f"/{path}", {"GET": lambda _: [shape(meta) for meta in metas.values()]}),
        (f"/{path}/{{meta_id:int}}", {"GET": one}),
        (
            f"/{path}/template/{{template_id:int}}",
            {"GET": lambda call: [shape(meta) for meta in data.of_template(metas, call.number("template_id"))]},
        ),
    ]


def _project_dto(project: data.Project) -> Json:
    return {"BaseEntity": project_entity(project), "Label": "", "HomePageUrl": ""}


def _projects(call: Call) -> list[Json]:  # noqa: ARG001 -- everybody sees all projects here
    return [_project_dto(project) for project in data.PROJECTS.values()]


def _project(call: Call) -> Json:
    project = data.PROJECTS.get(call.number("project_id"))
    if project is None:
        raise RefusedError(404, f"There is no project {call.number('project_id')}")
    return _project_dto(project)


TABLE: list[tuple[str, dict[str, Handler]]] = [
    ("/projects", {"GET": _projects}),
    ("/projects/{project_id:int}", {"GET": _project}),
    *_listing("type", data.TYPES, _type),
    *_listing("status", data.STATUSES, _status),
    *_listing("priority", data.PRIORITIES, _plain(data.PRIORITIES)),
    *_listing("severity", data.SEVERITIES, _plain(data.SEVERITIES)),
    *_listing("resolution", data.RESOLUTIONS, _resolution),
]

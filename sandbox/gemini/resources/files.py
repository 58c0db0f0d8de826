"""items/{id}/attachments, and the web site's own download link."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sandbox.gemini.changes.files import add_file, checked_file, remove_file, replace_file, visible_file
from sandbox.gemini.door import ROOT, Call, Handler, login
from sandbox.gemini.dto import file_dto
from sandbox.gemini.errors import RefusedError
from sandbox.gemini.fields import whole
from sandbox.gemini.site import Site, readable_files

Json = dict[str, Any]


def _list(call: Call) -> list[Json]:
    item = call.item()
    return [file_dto(item, file) for file in readable_files(item, call.user)]


def _add(call: Call) -> Json:
    item = call.item()
    _check_place(call, item.id)
    return file_dto(item, add_file(call.site, call.actor, item, checked_file(call.record())))


def _replace(call: Call) -> Json:
    item = call.item()
    _check_place(call, item.id)
    file_id = whole(call.record().get("Id", 0), "Id")
    return file_dto(item, replace_file(call.site, call.actor, item, file_id, checked_file(call.record())))


def _get(call: Call) -> Json:
    item = call.item()
    file = visible_file(item, call.number("file_id"), call.user)
    return file_dto(item, file, content=call.site.settings.attachment_content)


def _remove(call: Call) -> None:
    remove_file(call.site, call.actor, call.item(), call.number("file_id"))


def _check_place(call: Call, item_id: int) -> None:
    if "IssueId" in call.record() and whole(call.record()["IssueId"], "IssueId") != item_id:
        raise RefusedError(400, f"IssueId {call.record()['IssueId']!r} is not the item of the path, {item_id}")


def site_download(site: Site) -> Callable[[Request], Awaitable[Response]]:
    """The item page's link to a file: the bytes, or a redirect to the log-in page."""

    async def download(request: Request) -> Response:
        reader = login(site, request)
        if reader is None or not site.settings.attachment_site_link:
            return RedirectResponse(f"{ROOT}/account/login", 302)
        try:
            item = site.item(whole(request.query_params.get("issueid"), "issueid"), reader)
            file = visible_file(item, whole(request.query_params.get("fileid"), "fileid"), reader)
        except RefusedError as refusal:
            return Response(refusal.message, refusal.status)
        headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(file.name)}"}
        return Response(file.content, headers=headers, media_type=file.content_type or "application/octet-stream")

    return download


TABLE: list[tuple[str, dict[str, Handler]]] = [
    ("/items/{item_id:int}/attachments", {"GET": _list, "POST": _add, "PUT": _replace}),
    ("/items/{item_id:int}/attachments/{file_id:int}", {"GET": _get, "DELETE": _remove}),
]

"""The Gemini sandbox as one app: `create(kit)`, API below /gemini/api, pages below /gemini."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.kit.app import Kit, build

from . import data, door, pages
from .dto import full_dto
from .resources import comments, custom_values, files, items, lookups, people, relations
from .site import Site

_TABLES = (items, comments, files, custom_values, relations, lookups, people)


@dataclass(frozen=True, slots=True)
class _State:
    """The site as the kit's side doors see it."""

    site: Site

    def dump(self) -> dict[str, Any]:
        """Settings and all items, without limits of visibility."""
        ordered = sorted(self.site.items.values(), key=lambda item: item.id)
        return {"settings": self.site.settings.shown(), "items": [full_dto(self.site, item) for item in ordered]}

    def reset(self) -> None:
        """Back to the start data."""
        self.site.reset()


def create(kit: Kit) -> Starlette:
    """A fresh site; its switches are at GET/PUT `/_sandbox/gemini`."""
    site = Site(kit)
    table = [row for resource in _TABLES for row in resource.TABLE]
    download = Route(f"{door.ROOT}/project/{{project_id:int}}/item/attachment", files.site_download(site))
    settings = Route("/_sandbox/gemini", _settings(site), methods=["GET", "PUT"])
    routes = [*door.routes(site, table), download, settings, *pages.routes(site)]
    downloads = [f"{door.ROOT}/project/{number}/item/attachment" for number in data.PROJECTS]
    return build(kit, routes, _State(site), api=(f"{door.API}/", *downloads))


def _settings(site: Site) -> Any:
    async def endpoint(request: Request) -> Response:
        """PUT some switches; both answer all of them."""
        if request.method == "PUT":
            try:
                site.configure(await request.json())
            except ValueError as error:
                return JSONResponse({"error": str(error)}, 400)
        return JSONResponse(site.settings.shown())

    return endpoint

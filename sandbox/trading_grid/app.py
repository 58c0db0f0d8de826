"""The sandboxed Trading Grid as an ASGI app: token endpoint, API, person pages, switches."""

from __future__ import annotations

import contextlib

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.kit.app import Kit, build
from sandbox.trading_grid import pages
from sandbox.trading_grid.gateway import Gateway, Operation, api
from sandbox.trading_grid.operations import CORE, EXTENDED
from sandbox.trading_grid.service import get_token, not_built
from sandbox.trading_grid.state import Grid


def create(kit: Kit) -> Starlette:
    """The app on this kit's instruments; token path below the root, API below /active-community/v1."""
    grid = Grid(kit)
    gateway = Gateway(grid)

    async def token(request: Request) -> Response:
        return await get_token(grid, request)

    async def switches(request: Request) -> Response:
        return await _switches(grid, request)

    routes: list[BaseRoute] = [
        Route("/_sandbox/trading_grid", switches, methods=["GET", "PUT"]),
        Route("/tenants/{tenantId}/oauth2/token", token, methods=["POST"]),
        *(
            Route(api(entry.path), gateway.endpoint(entry), methods=[entry.method])
            for entry in (*CORE, *_extended())
        ),
        *pages.routes(grid),
    ]
    return build(kit, routes, grid, api=("/active-community/", "/tenants/"))


def _extended() -> list[Operation]:
    return [
        Operation(f"{method} {path}", method, path, "community:read", not_built, query={})
        for method, path in EXTENDED
    ]


async def _switches(grid: Grid, request: Request) -> Response:
    """GET the switches and deliveries; PUT changes some; `expire_cursors` and `revoke_tokens` act once."""
    if request.method == "PUT":
        wanted = await request.json()
        with contextlib.suppress(KeyError):
            if wanted.pop("expire_cursors"):
                for tenant in grid.tenants.values():
                    tenant.feed.expire_all()
        with contextlib.suppress(KeyError):
            if wanted.pop("revoke_tokens"):
                grid.tokens.revoke_all()
        try:
            grid.switches = grid.switches.changed(**wanted)
        except (TypeError, ValueError) as error:
            return JSONResponse({"error": str(error)}, 400)
    return JSONResponse({**grid.switches.shown(), "deliveries": grid.webhooks.shown()})

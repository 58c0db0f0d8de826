"""The sandboxed Trading Grid as an ASGI app: token endpoint, API, person pages, switches."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.kit.app import Kit, build
from sandbox.trading_grid import pages
from sandbox.trading_grid.gateway import Gateway, Operation, api
from sandbox.trading_grid.operations import CORE, EXTENDED
from sandbox.trading_grid.service import get_token, not_built, unknown
from sandbox.trading_grid.state import Grid

_ELSEWHERE = Operation("elsewhere", "*", "/{rest:path}", "community:read", unknown)
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


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
        *(Route(api(entry.path), gateway.endpoint(entry), methods=[entry.method]) for entry in (*CORE, *_extended())),
        Route(api("/{rest:path}"), gateway.endpoint(_ELSEWHERE), methods=_METHODS),
        *pages.routes(grid),
    ]
    return build(kit, routes, grid, api=("/active-community/", "/tenants/"))


def _extended() -> list[Operation]:
    return [
        Operation(f"{method} {path}", method, path, "community:read", not_built, query={}) for method, path in EXTENDED
    ]


def _hold(grid: Grid, thread_ids: list[str]) -> None:
    """Put threads under legal hold; the contract has no operation for it."""
    for tenant in grid.tenants.values():
        for thread_id in thread_ids:
            thread = tenant.threads.get(thread_id)
            if thread is not None and not thread.legal_hold:
                thread.legal_hold = True
                thread.touch(grid.now(), partner=thread.open_to_partner)
                grid.record("legal_hold_set", thread, "hub:legal")


async def _switches(grid: Grid, request: Request) -> Response:
    """GET the switches and deliveries; PUT changes some.

    Three act at once and are not kept: `expire_cursors`, `revoke_tokens`, `legal_hold` (ids of threads to hold).
    """
    if request.method == "PUT":
        wanted = await request.json()
        if wanted.pop("expire_cursors", False):
            for tenant in grid.tenants.values():
                tenant.feed.expire_all()
        if wanted.pop("revoke_tokens", False):
            grid.tokens.revoke_all()
        _hold(grid, wanted.pop("legal_hold", []))
        try:
            grid.switches = grid.switches.changed(**wanted)
        except (TypeError, ValueError) as error:
            return JSONResponse({"error": str(error)}, 400)
    return JSONResponse({**grid.switches.shown(), "deliveries": grid.webhooks.shown()})

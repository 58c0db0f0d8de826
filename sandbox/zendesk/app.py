"""The Zendesk sandbox as one Starlette app: API, OAuth, file contents, live settings and person pages."""

from __future__ import annotations

import json
from dataclasses import asdict

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.kit.app import Kit, build

from . import auth, comment_api, directory_api, export, jobs, pages, ticket_api
from .account import Account
from .endpoint import answer, parse, refusal
from .errors import ApiError

_SUFFIX = ".json"


def create(kit: Kit) -> Starlette:
    """The app of one account with its start data."""
    account = Account(kit)
    return build(kit, _routes(account), account, api=("/api/", "/oauth/"))


def _routes(account: Account) -> list[BaseRoute]:
    resources = (ticket_api, comment_api, export, directory_api, jobs)
    table = [route for resource in resources for route in resource.routes(account)]
    doors = _Doors(account)
    return [
        Mount("/api/v2", app=_SuffixOptional(Router(table, redirect_slashes=False, default=_unknown))),
        Route("/oauth/tokens", doors.token, methods=["POST"]),
        Route("/_sandbox/zendesk", doors.settings, methods=["GET", "PUT"]),
        *comment_api.Content(account).routes(),
        *pages.Pages(account).routes(),
    ]


class _SuffixOptional:
    """Takes the optional `.json` off API paths, which old clients always send."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; `asked_path` keeps what was asked for, for links to further pages."""
        path = scope["path"]
        if path.endswith(_SUFFIX):
            scope = {**scope, "path": path.removesuffix(_SUFFIX), "asked_path": path}
        await self._app(scope, receive, send)


async def _unknown(scope: Scope, receive: Receive, send: Send) -> None:
    body = {"error": "InvalidEndpoint", "description": "Not found"}
    await answer(body, 404)(scope, receive, send)


class _Doors:
    """OAuth tokens and the live settings."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def token(self, request: Request) -> Response:
        """POST /oauth/tokens: 201 with an access token."""
        try:
            return answer(auth.issue(self._account, parse(await request.body())), 201)
        except ApiError as error:
            return refusal(error)

    async def settings(self, request: Request) -> Response:
        """PUT changes some live settings; both answer all of them."""
        if request.method == "PUT":
            try:
                self._account.set(**await request.json())
            except (TypeError, ValueError, json.JSONDecodeError) as error:
                return JSONResponse({"error": str(error)}, 400)
        return JSONResponse(asdict(self._account.settings))

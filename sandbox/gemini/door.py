"""The API's door: request filtering, log-in, JSON in and out, refusals as answers."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from .errors import RefusedError
from .fields import whole
from .model import ANONYMOUS, Actor, Item, User
from .site import Site

ROOT = "/gemini"
API = f"{ROOT}/api"


@dataclass(slots=True)
class Call:
    """One authenticated request."""

    site: Site
    actor: Actor
    request: Request
    body: Any = None

    @property
    def user(self) -> User:
        """Who asks."""
        return self.actor.user

    def number(self, name: str) -> int:
        """An id out of the path."""
        return whole(self.request.path_params[name], name)

    def item(self) -> Item:
        """The item that the path names; raises RefusedError 404."""
        return self.site.item(self.number("item_id"), self.user)

    def record(self) -> dict[str, Any]:
        """The body, which must be an object; raises RefusedError."""
        if not isinstance(self.body, dict):
            raise RefusedError(400, "The body is not a JSON object")
        return self.body


Handler = Callable[[Call], Any]
"""Answers JSON-ready values, JSON text wrapped as Encoded, or a Response."""


class Encoded(str):
    """JSON text that needs no encoding any more."""

    __slots__ = ()


def encoded_list(parts: list[str]) -> Encoded:
    """A JSON array of encoded parts."""
    return Encoded(f"[{','.join(parts)}]")


def routes(site: Site, table: list[tuple[str, dict[str, Handler]]]) -> list[Route]:
    """Routes below /gemini/api from (path, handler by method)."""
    return [Route(API + path, _endpoint(site, handlers), methods=[*handlers, "HEAD"]) for path, handlers in table]


def _endpoint(site: Site, handlers: dict[str, Handler]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        if request.method not in handlers:
            return _filtered("404.6", "verb denied")
        try:
            if int(request.headers.get("content-length", "0")) > site.settings.max_request_bytes:
                await _drain(request)
                return _filtered("404.13", "content length too large")
            raw = await request.body()
        except ClientDisconnect:
            return Response(status_code=400)
        return _answered(site, request, raw, handlers[request.method])

    return endpoint


def _answered(site: Site, request: Request, raw: bytes, handler: Handler) -> Response:
    user = login(site, request)
    if user is None and site.settings.login_refusal == "null":
        return _json("null")
    try:
        if user is None:
            user = _refused_login(site, request)
        answer = handler(Call(site, Actor(user, f"api:{user.username}"), request, _parsed(request, raw)))
    except RefusedError as refusal:
        return JSONResponse(refusal.body(), refusal.status)
    if isinstance(answer, Response):
        return answer
    return _json(answer if isinstance(answer, Encoded) else json.dumps(answer))


def login(site: Site, request: Request) -> User | None:
    """The user whose name and API key come with the request, or None."""
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    try:
        name, _, key = base64.b64decode(credentials, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    user = site.by_username.get(name)
    if scheme.lower() != "basic" or user is None or user.api_key != key or name in site.settings.revoked:
        return None
    return user


def _refused_login(site: Site, request: Request) -> User:
    """A wrong log-in: 403, or reading on as the anonymous visitor."""
    reads = request.method == "GET" or request.url.path == f"{API}/items/filtered"
    if site.settings.login_refusal == "anonymous" and reads:
        return ANONYMOUS
    raise RefusedError(403, "Access denied")


def _parsed(request: Request, raw: bytes) -> Any:
    if request.method not in ("POST", "PUT") or not raw:
        return None
    if "json" not in request.headers.get("content-type", ""):
        raise RefusedError(415, "The request's media type is not supported; send application/json")
    try:
        return json.loads(raw)
    except ValueError as error:
        raise RefusedError(400, f"The body is not JSON: {error}") from error


def _json(encoded: str) -> Response:
    return Response(encoded, media_type="application/json; charset=utf-8")


def _filtered(code: str, why: str) -> Response:
    """IIS request filtering: a web page with status 404, before the application runs."""
    return HTMLResponse(
        f"<!DOCTYPE html><html><head><title>IIS Detailed Error - {code} - Not Found</title></head>"
        f"<body><h2>HTTP Error {code} - Not Found</h2><p>Request filtering: {why}.</p></body></html>",
        404,
    )


async def _drain(request: Request) -> None:
    """Take the body without keeping it, so that the sender hears the answer."""
    async for _ in request.stream():
        continue

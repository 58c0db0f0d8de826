"""One API endpoint: authenticate, count, read the body, call the handler, answer in Zendesk's manner."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from . import auth, limits
from .account import Account
from .actor import Actor
from .data import JsonObject
from .errors import ApiError, bad_request

JSON_TYPE = "application/json; charset=utf-8"


@dataclass(slots=True)
class Call:
    """What a handler gets: the account, who calls, the request and its body; it may add answer headers."""

    account: Account
    actor: Actor
    request: Request
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    def number(self, name: str) -> int:
        """An id from the path."""
        return int(self.request.path_params[name])

    def query(self, name: str, default: str = "") -> str:
        """A query parameter."""
        return self.request.query_params.get(name, default)

    def whole(self, name: str, default: int) -> int:
        """A query parameter that is a whole number from 0; raises ApiError 400."""
        text = self.query(name, str(default))
        if not text.isdecimal():
            raise bad_request("InvalidParameter", f"{name} must be a whole number")
        return int(text)

    def json(self) -> JsonObject:
        """The body as a JSON object; raises ApiError 400."""
        return parse(self.body)

    def part(self, name: str) -> JsonObject:
        """The object under the body's only key; raises ApiError 400 when it is missing."""
        part = self.json().get(name)
        if not isinstance(part, dict):
            raise bad_request("ParameterMissing", f"param is missing or the value is empty: {name}")
        return part


Handler = Callable[[Call], Response]


def parse(body: bytes) -> JsonObject:
    """A request body as a JSON object; raises ApiError 400."""
    try:
        parsed = json.loads(body or b"{}")
    except ValueError as error:
        raise bad_request("Unparsable", "The JSON in the request body could not be parsed") from error
    if not isinstance(parsed, dict):
        raise bad_request("Unparsable", "The request body must be a JSON object")
    return parsed


def answer(content: Any, status: int = 200) -> Response:
    """A JSON answer."""
    raw = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return Response(raw, status, media_type=JSON_TYPE)


def refusal(error: ApiError) -> Response:
    """The answer that an ApiError stands for."""
    response = answer(error.body, error.status)
    response.headers.update(error.headers)
    return response


class Endpoint:
    """An ASGI app around one handler; handlers never wait, so each request is one step of the state."""

    def __init__(self, account: Account, resource: str, handler: Handler) -> None:
        self._account, self._resource, self._handler = account, resource, handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = Request(scope, receive)
        body = await request.body()
        await self._answer(request, body)(scope, receive, send)

    def _answer(self, request: Request, body: bytes) -> Response:
        """Authentication first, then limits, then the handler; every answer carries the account's limits."""
        account, counted = self._account, {}
        account.base_url = f"http://{request.headers.get('host', '')}"
        try:
            user, scopes = auth.authenticate(account, request.headers.get("authorization"))
            counted = limits.request(account, request.url.path)
            auth.check_scope(scopes, request.method, self._resource)
            client = request.client.host if request.client else ""
            call = Call(account, Actor(user, "api", request.headers.get("user-agent", ""), client), request, body)
            response = self._handler(call)
            response.headers.update(call.headers)
        except ApiError as error:
            response = refusal(error)
        response.headers.update(counted)
        return response


def api_route(account: Account, method: str, path: str, resource: str, handler: Handler) -> Route:
    """A route below /api/v2 (the `.json` ending is taken off before)."""
    return Route(path, Endpoint(account, resource, handler), methods=[method])

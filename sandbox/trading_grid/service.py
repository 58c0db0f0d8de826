"""The token endpoint, the capability probe, and the operations that are not built."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.trading_grid import vocabulary as words
from sandbox.trading_grid.gateway import Answer, Call
from sandbox.trading_grid.principals import OAuthError, basic_credentials
from sandbox.trading_grid.problems import Problem
from sandbox.trading_grid.state import Grid
from sandbox.trading_grid.views import stamp

_NO_STORE = {"Cache-Control": "no-store"}
_MEMBERS = frozenset({"grant_type", "client_id", "client_secret", "scope"})


async def get_token(grid: Grid, request: Request) -> Response:
    """Operation getToken: form or JSON body, credentials in it or by HTTP Basic."""
    try:
        fields = await _fields(request)
        name, secret = basic_credentials(request.headers.get("authorization", "")) or (
            fields.get("client_id", ""), fields.get("client_secret", ""),
        )  # fmt: skip
        seconds = grid.switches.token_seconds
        tenant_id = request.path_params["tenantId"]
        token, scope = grid.tokens.issue(tenant_id, name, secret, fields.get("scope"), grid.now(), seconds)
    except OAuthError as refusal:
        challenge = {"WWW-Authenticate": "Basic"} if refusal.status == 401 else {}
        return JSONResponse({"error": refusal.error}, refusal.status, {**_NO_STORE, **challenge})
    answer = {"access_token": token, "token_type": "Bearer", "expires_in": seconds, "scope": scope}
    return JSONResponse(answer, headers=_NO_STORE)


async def _fields(request: Request) -> dict[str, str]:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    given: Any
    if media_type == "application/json":
        try:
            given = json.loads(await request.body())
        except ValueError:
            raise OAuthError("invalid_request") from None
    else:
        given = dict(await request.form())
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise OAuthError("invalid_request")
    if set(given) - _MEMBERS or "grant_type" not in given:
        raise OAuthError("invalid_request")
    if given["grant_type"] != "client_credentials":
        raise OAuthError("unsupported_grant_type")
    return given


def service_info(call: Call) -> Answer:
    """Operation getServiceInfo."""
    return Answer(200, {
        "name": "Active Community sandbox",
        "version": "0.1.0",
        "kind": "simulator",
        "features": {
            "resumable_upload": False, "webhooks": True, "events_long_poll": True, "etag": True,
            "idempotency": True, "approvals": True, "onboarding": True,
        },
        "limits": {
            "max_file_bytes": words.MAX_FILE_BYTES,
            "max_items_per_page": 200,
            "idempotency_ttl_seconds": words.IDEMPOTENCY_DAYS * 86_400,
            "event_retention_days": words.EVENT_DAYS,
            "requests_per_minute": call.grid.switches.requests_per_minute,
        },
        "enums": {
            "thread_type": list(words.THREAD_TYPES),
            "thread_state": list(words.TRANSITIONS),
            "exception_type": list(words.EXCEPTION_TYPES),
            "document_class": list(words.DOCUMENT_CLASSES),
        },
        "time": stamp(call.grid.now()),
    })  # fmt: skip


def unknown(call: Call) -> NoReturn:  # noqa: ARG001 -- every operation takes its call
    """Any other address below the API: 404 like a missing object."""
    raise Problem("not_found")


def not_built(call: Call) -> NoReturn:
    """An extended operation of the contract."""
    raise Problem("not_implemented", f"{call.request.method} {call.request.url.path} is not built in the sandbox")

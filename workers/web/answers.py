"""Answers: JSON, RFC 9457 problems and pages, each with the headers of reliability.md 5.2."""

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

RETRY_SECONDS = 30  # Zendesk repeats a 503 only with a Retry-After below 60 (systems/zendesk.md)
SAFE = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
PAGE = {
    **SAFE,
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none';"
        " require-trusted-types-for 'script'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
}
HSTS = "max-age=31536000; includeSubDomains"


def data(body: Mapping[str, Any], status: int = 200) -> Response:
    """A JSON answer."""
    return Response(msgspec.json.encode(body), status, SAFE, "application/json")


def stored() -> Response:
    """The answer to every signal that is kept: new, repeated or unreadable."""
    return Response(b'{"status":"stored"}', 202, media_type="application/json")


def refused() -> Response:
    """The answer to a wrong signature: it tells nothing."""
    return Response(b'{"status":"refused"}', 401, SAFE, "application/json")


def busy() -> Response:
    """It cannot be stored right now: repeat it."""
    body = b'{"status":"try again"}'
    return Response(body, 503, {**SAFE, "Retry-After": str(RETRY_SECONDS)}, "application/json")


def problem(status: int, title: str, detail: str = "", headers: Mapping[str, str] | None = None) -> Response:
    """Why something was refused, and what to do about it (RFC 9457)."""
    body: dict[str, Any] = {"type": "about:blank", "title": title, "status": status}
    if detail:
        body["detail"] = detail
    encoded = msgspec.json.encode(body)
    return Response(encoded, status, {**SAFE, **(headers or {})}, "application/problem+json")


def page(html: str, *, status: int = 200, https: bool = False) -> Response:
    """A page; one that is reached by https tells browsers to keep it so."""
    return HTMLResponse(html, status, {**PAGE, "Strict-Transport-Security": HSTS} if https else PAGE)


def no_route(_request: Request, error: Exception) -> Response:
    """404 and 405 in the same form as every other refusal."""
    assert isinstance(error, HTTPException)
    return problem(error.status_code, error.detail, headers=error.headers)


def fault(_request: Request, _error: Exception) -> Response:
    """The last resort: nothing of the error is shown; Starlette hands it on to the log."""
    return problem(500, "Internal Server Error", "The log of the web process holds the reason.")

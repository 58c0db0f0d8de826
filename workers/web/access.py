"""Who may see what: bearer tokens with roles, and peers that are near enough for metrics."""

import hmac
import re
from collections.abc import Callable
from ipaddress import ip_address

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from pipeline.store import tokens
from pipeline.store.tokens import Caller, Role
from workers.bootstrap import World
from workers.web import answers
from workers.web.settings import WebSettings

_BEARER = re.compile(r"[Bb]earer +([A-Za-z0-9._~+/-]{1,512}=*)")
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")

Refusal = Response
Admit = Callable[[Request], object]


async def admit(request: Request, world: World, needed: Role) -> Caller | Refusal:
    """The caller, or the answer that refuses: 401 without a valid token, 403 where its role is not enough."""
    token = bearer(request)
    if token is None:
        return _unauthorized("Send a token: `Authorization: Bearer ...`, made by `casebridge tokens create`.")
    caller = await run_in_threadpool(_verify, world, token)
    if caller is None:
        return _unauthorized("This token is unknown or revoked.")
    if not caller.role.may_act_as(needed):
        return answers.problem(403, "Forbidden", f"This needs the role {needed}; the token has {caller.role}.")
    return caller


def bearer(request: Request) -> str | None:
    """The token of exactly one well-formed Authorization header."""
    values = request.headers.getlist("authorization")
    matched = _BEARER.fullmatch(values[0]) if len(values) == 1 else None
    return matched[1] if matched else None


def is_near(request: Request, settings: WebSettings) -> bool:
    """Whether the peer itself is on this machine or its private network.

    What a router forwarded comes from a private address too, so it is not near, unless the router is trusted to have
    put the sender's address in its place.
    """
    if not settings.trust_forwarded and any(name in request.headers for name in _FORWARDED):
        return False
    if request.client is None:
        return False
    try:
        address = ip_address(request.client.host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    address = mapped or address
    return address.is_loopback or address.is_private


def may_see_metrics(request: Request, settings: WebSettings) -> bool:
    """Near peers, and whoever holds CASEBRIDGE_METRICS_TOKEN (decisions D20)."""
    given = bearer(request)
    has_token = bool(settings.metrics_token) and hmac.compare_digest(
        (given or "").encode(), settings.metrics_token.encode()
    )
    return has_token or is_near(request, settings)


def _verify(world: World, token: str) -> Caller | None:
    with world.connection() as conn:
        return tokens.verify(conn, token)


def _unauthorized(detail: str) -> Response:
    return answers.problem(401, "Unauthorized", detail, {"WWW-Authenticate": 'Bearer realm="casebridge"'})

"""Faults on demand: rules that make a system slow, refuse, lie or fall silent, as ASGI middleware."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .serve import cut

KINDS = ("latency", "status", "lost_answer", "refuse", "down", "unauthorized", "drip", "html")
_DRIP_PIECES = 50
_LOGIN_PAGE = "<!DOCTYPE html><html><body><h1>Please log in</h1></body></html>"


@dataclass(slots=True)
class Rule:
    """One fault: on which route (`METHOD /path*`), of which kind, how often.

    `latency` waits `seconds` and goes on; `status` answers `status` (+ Retry-After) without effect;
    `lost_answer` lets the effect happen and cuts the connection; `refuse` and `down` cut it before;
    `drip` spreads the answer's body over `seconds`; `html` is a 200 with a web page and no effect.
    """

    route: str
    fault: str
    status: int = 500
    seconds: float = 1.0
    retry_after: str | None = None
    rate: float = 1.0
    times: int | None = None
    seed: int = 1
    id: int = 0
    hits: int = 0
    _random: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.fault not in KINDS:
            raise ValueError(f"fault {self.fault!r} is unknown; one of {', '.join(KINDS)}")
        if " " not in self.route:
            raise ValueError(f"route {self.route!r} is not of the form 'METHOD /path'")
        self._random = random.Random(self.seed)  # noqa: S311 -- reproducible chance, not a secret

    def takes(self, method: str, path: str) -> bool:
        """Whether this rule strikes this request; counts the hit."""
        wanted_method, pattern = self.route.split(" ", 1)
        if wanted_method not in ("*", method) or not fnmatchcase(path, pattern):
            return False
        if self.times is not None and self.hits >= self.times:
            return False
        if self.rate < 1.0 and self._random.random() >= self.rate:
            return False
        self.hits += 1
        return True

    def shown(self) -> dict[str, Any]:
        """The rule as JSON-ready values."""
        return {name: value for name, value in asdict(self).items() if name != "_random"}


class Faults:
    """The list of active rules; the first that strikes a request decides."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._made = 0

    def add(self, **settings: Any) -> Rule:
        """Add a rule; raises ValueError or TypeError naming what is wrong with the settings."""
        rule = Rule(**settings)
        self._made += 1
        rule.id = self._made
        self._rules.append(rule)
        return rule

    def rules(self) -> list[dict[str, Any]]:
        """All rules with their number of hits."""
        return [rule.shown() for rule in self._rules]

    def clear(self) -> None:
        """Take all rules away."""
        self._rules = []

    def strike(self, method: str, path: str) -> Rule | None:
        """The rule for this request, or None; `/_sandbox` is never struck."""
        if not self._rules or path.startswith("/_sandbox"):
            return None
        return next((rule for rule in self._rules if rule.takes(method, path)), None)


class FaultsMiddleware:
    """Applies the rule that strikes a request."""

    def __init__(self, app: ASGIApp, *, faults: Faults) -> None:
        self._app, self._faults = app, faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, spoilt if a rule says so."""
        rule = self._faults.strike(scope["method"], scope["path"]) if scope["type"] == "http" else None
        if rule is None:
            await self._app(scope, receive, send)
        elif rule.fault in ("refuse", "down"):
            await cut(scope, receive)
        elif rule.fault == "lost_answer":
            await self._app(scope, receive, _nobody)
            await cut(scope, receive)
        elif rule.fault in ("latency", "drip"):
            await self._slowly(rule, scope, receive, send)
        else:
            await _read_all(receive)
            await _false_answer(rule)(scope, receive, send)

    async def _slowly(self, rule: Rule, scope: Scope, receive: Receive, send: Send) -> None:
        if rule.fault == "latency":
            await asyncio.sleep(rule.seconds)
            await self._app(scope, receive, send)
            return

        async def drip(message: Message) -> None:
            body = message.get("body", b"")
            if message["type"] != "http.response.body" or not body:
                await send(message)
                return
            size = max(1, -(-len(body) // _DRIP_PIECES))
            for start in range(0, len(body), size):
                piece = body[start : start + size]
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                await asyncio.sleep(rule.seconds / _DRIP_PIECES)
            await send({**message, "body": b""})

        await self._app(scope, receive, drip)


def _false_answer(rule: Rule) -> Response:
    """The made-up answer of the kinds that have no effect."""
    headers: Mapping[str, str] = {} if rule.retry_after is None else {"retry-after": rule.retry_after}
    if rule.fault == "html":
        return HTMLResponse(_LOGIN_PAGE, headers=headers)
    if rule.fault == "unauthorized":
        return JSONResponse({"error": "invalid_token"}, 401, {**headers, "www-authenticate": "Bearer"})
    return Response(json.dumps({"error": f"sandbox fault {rule.status}"}), rule.status, headers, "application/json")


async def _nobody(message: Message) -> None:
    """Where a lost answer goes."""


async def _read_all(receive: Receive) -> None:
    """Take the request's body, so that the answer reaches a client that still sends."""
    more = True
    while more:
        message = await receive()
        more = message["type"] == "http.request" and message.get("more_body", False)

"""What every operation passes: token, rate, principal, scope, key, body - and how its answer is dressed."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.trading_grid import limits
from sandbox.trading_grid.idempotency import Kept, ReplayKey
from sandbox.trading_grid.objects import Entity, Json
from sandbox.trading_grid.principals import Principal
from sandbox.trading_grid.problems import Problem, missing
from sandbox.trading_grid.queries import Parameter, parse
from sandbox.trading_grid.shapes import Shape, require
from sandbox.trading_grid.state import Grid
from sandbox.trading_grid.tenant import Tenant
from sandbox.trading_grid.views import API, href, revision_for
from sandbox.trading_grid.vocabulary import MAX_JSON_BYTES

JSON, MERGE, BYTES = "application/json", "application/merge-patch+json", "bytes"
# Answers differ by caller (rule I9).
_PRIVATE = {"Vary": "Authorization", "Cache-Control": "private"}


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, JSON body (or raw bytes) and headers."""

    status: int = 200
    body: Json | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    media_type: str = JSON


@dataclass(frozen=True, slots=True)
class Call:
    """One admitted request: who asks, in which tenant, with which checked parameters and body."""

    grid: Grid
    tenant: Tenant
    who: Principal
    request: Request
    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Json

    def require_match(self, entity: Entity) -> None:
        """Raise 412 unless If-Match is the ETag that this caller last read (rule I3: its own revision)."""
        revision = revision_for(self.who, entity)
        if self.request.headers["if-match"].strip() != f'"r{revision}"':
            raise Problem("precondition_failed", current_revision=revision)

    def found(self, entity: Entity, view: Json) -> Answer:
        """200 with the object and its ETag."""
        return Answer(200, view, {"ETag": f'"r{revision_for(self.who, entity)}"'})

    def created(self, entity: Entity, view: Json) -> Answer:
        """201 with the object, its ETag and its place."""
        return Answer(201, view, {"ETag": f'"r{revision_for(self.who, entity)}"', "Location": href(entity)})


Handler = Callable[[Call], Answer] | Callable[[Call], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One line of the contract: what it needs, and who carries it out."""

    name: str
    method: str
    path: str
    scope: str
    handle: Handler
    hub_only: bool = False
    keyed: bool = False
    if_match: bool = False
    body: Shape | None = None
    media: str = JSON
    query: Mapping[str, Parameter] = field(default_factory=dict)


class Gateway:
    """Carries out operations: a Starlette endpoint for each."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._traces = 0

    def endpoint(self, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
        """The endpoint of one operation."""

        async def run(request: Request) -> Response:
            self._traces += 1
            trace_id = hashlib.md5(str(self._traces).encode(), usedforsecurity=False).hexdigest()
            try:
                response = await self._run(operation, request)
            except Problem as problem:
                response = self._refusal(problem, request, trace_id)
            response.headers["X-Trace-Id"] = trace_id
            return response

        return run

    async def _run(self, operation: Operation, request: Request) -> Response:
        grid = self._grid
        grid.timers.keep_running()
        grid.timers.run_due()
        who = grid.tokens.principal(request.headers.get("authorization", ""), grid.now())
        limit_headers = limits.take(grid, who)
        if operation.hub_only and who.is_partner:
            missing()  # a hub-only operation does not exist for a partner
        if operation.scope not in who.scopes:
            raise Problem("insufficient_scope")
        if operation.if_match:
            _require_if_match(request)
        query = parse(operation.query, request.query_params)
        raw = b"" if operation.media == BYTES else await _read(operation, request)
        key = self._replay_key(operation, who, request)
        fingerprint = hashlib.sha256(raw).digest()
        if key is not None and operation.media != BYTES:
            kept = grid.replays.find(key, fingerprint, grid.now())
            if kept is not None:
                return _replayed(kept)
        body = _decoded(operation, raw)
        call = Call(grid, grid.tenants[who.tenant_id], who, request, request.path_params, query, body)
        outcome = operation.handle(call)
        answer = await outcome if inspect.isawaitable(outcome) else outcome
        response = _dress(answer, request, surprises=grid.switches.surprises)
        if key is not None and operation.media != BYTES and answer.status < 300:
            headers = {**answer.headers, **_PRIVATE}
            grid.replays.keep(key, fingerprint, grid.now(), answer.status, headers, bytes(response.body))
        response.headers.update(limit_headers)
        return response

    def _replay_key(self, operation: Operation, who: Principal, request: Request) -> ReplayKey | None:
        if not operation.keyed:
            return None
        return (who.key, operation.method, request.url.path, idempotency_key(request))

    def _refusal(self, problem: Problem, request: Request, trace_id: str) -> Response:
        media_type, body = problem.encoded(
            trace_id, legacy=self._grid.switches.legacy_errors, path=request.url.path, now=self._grid.now()
        )
        headers = {**_PRIVATE, **problem.headers}
        return Response(body, problem.status, headers, media_type)


def idempotency_key(request: Request) -> str:
    """The Idempotency-Key header; raises Problem when it is missing or malformed."""
    key = request.headers.get("idempotency-key")
    if key is None:
        raise Problem("idempotency_key_required")
    if not 8 <= len(key) <= 128 or any(not "\x21" <= letter <= "\x7e" for letter in key):
        raise Problem("invalid_request", "Idempotency-Key must be 8 to 128 visible ASCII characters")
    return key


def _require_if_match(request: Request) -> None:
    given = request.headers.get("if-match")
    if given is None:
        raise Problem("precondition_required")
    if given.strip() == "*":
        raise Problem("invalid_request", "If-Match: * is refused")


async def _read(operation: Operation, request: Request) -> bytes:
    if operation.body is None:
        return b""
    if int(request.headers.get("content-length", "0") or "0") > MAX_JSON_BYTES:
        raise Problem("payload_too_large")
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != operation.media:
        raise Problem("unsupported_media_type", f"send {operation.media}")
    return await request.body()


def _decoded(operation: Operation, raw: bytes) -> Json:
    if operation.body is None:
        return {}
    try:
        value = json.loads(raw)
    except ValueError:
        raise Problem("invalid_request", "the body is not JSON") from None
    require(operation.body, value)
    assert isinstance(value, dict)
    return value


def _replayed(kept: Kept) -> Response:
    headers = {**kept.headers, "Idempotent-Replayed": "true"}
    return Response(kept.body, kept.status, headers, JSON)


def _dress(answer: Answer, request: Request, *, surprises: bool) -> Response:
    headers = {**_PRIVATE, **answer.headers}
    tag = headers.get("ETag")
    if request.method == "GET" and tag is not None and request.headers.get("if-none-match") == tag:
        return Response(None, 304, headers)
    if answer.raw is not None:
        return Response(answer.raw, answer.status, headers, answer.media_type)
    if answer.body is None:
        return Response(None, answer.status, headers)
    body = answer.body | {"x_unknown_member": True} if surprises else answer.body
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(content, answer.status, headers, JSON)


def api(path: str) -> str:
    """The full path of an operation below the API base."""
    return API + path

"""The wire log: every API request and its answer, as ASGI middleware."""

from __future__ import annotations

import base64
import json
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from starlette.types import ASGIApp, Message, Receive, Scope, Send

KEPT = 50_000
KEPT_BYTES = 128 * 1024 * 1024
BODY_BYTES = 1024 * 1024  # of a longer body the first part is kept, and its true length said
_SECRET_HEADERS = {"authorization", "cookie", "set-cookie"}


class Wire:
    """List of exchanges, bounded in number and bytes, oldest dropped first; with a path also a JSON-lines file.

    An exchange whose connection was cut without an answer has `status` None.
    """

    def __init__(self, path: Path | None = None, *, now: Callable[[], datetime]) -> None:
        self._kept: deque[dict[str, Any]] = deque()
        self._bytes = 0
        self._count = 0
        self._now = now
        self._file: TextIO | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a", encoding="utf-8")

    def add(self, exchange: dict[str, Any]) -> None:
        """Number one exchange and keep it."""
        self._count += 1
        exchange["n"] = self._count
        self._kept.append(exchange)
        self._bytes += _size(exchange)
        while len(self._kept) > KEPT or self._bytes > KEPT_BYTES:
            self._bytes -= _size(self._kept.popleft())
        if self._file is not None:
            self._file.write(json.dumps(exchange, ensure_ascii=False) + "\n")
            self._file.flush()

    def entries(self, since: int = 0) -> list[dict[str, Any]]:
        """The kept exchanges whose number is above `since`, oldest first."""
        return [exchange for exchange in self._kept if exchange["n"] > since]

    def clear(self) -> None:
        """Forget everything; the file becomes empty and numbering starts again."""
        self._kept.clear()
        self._bytes = 0
        self._count = 0
        if self._file is not None:
            self._file.truncate(0)

    def close(self) -> None:
        """Close the file, if there is one."""
        if self._file is not None:
            self._file.close()

    def begin(self, scope: Scope) -> dict[str, Any]:
        """The request's side of an exchange that has no answer yet."""
        return {
            "at": self._now().isoformat(),
            "method": scope["method"],
            "path": scope["path"],
            "query": scope["query_string"].decode("latin-1"),
            "request_headers": _headers(scope["headers"]),
            "status": None,
            "response_headers": {},
            "response_body": "",
        }


class WireMiddleware:
    """Records the exchanges whose path starts with one of the API prefixes."""

    def __init__(self, app: ASGIApp, *, wire: Wire, api: tuple[str, ...]) -> None:
        self._app, self._wire, self._api = app, wire, api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the exchange through and record it when it has ended, however it ended."""
        if scope["type"] != "http" or not scope["path"].startswith(self._api):
            await self._app(scope, receive, send)
            return
        exchange = self._wire.begin(scope)
        asked, answered = bytearray(), bytearray()

        async def hear() -> Message:
            message = await receive()
            asked.extend(message.get("body", b""))
            return message

        async def say(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange["status"] = message["status"]
                exchange["response_headers"] = _headers(message.get("headers", ()))
            answered.extend(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, hear, say)
        finally:
            exchange.update(_body("request_body", bytes(asked)) | _body("response_body", bytes(answered)))
            self._wire.add(exchange)


def _headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    named = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in pairs}
    return {name: "***" if name in _SECRET_HEADERS else value for name, value in named.items()}


def _body(name: str, raw: bytes) -> dict[str, Any]:
    kept = raw[:BODY_BYTES]
    cut: dict[str, Any] = {} if len(kept) == len(raw) else {f"{name}_length": len(raw)}
    try:
        return {name: kept.decode("utf-8"), **cut}
    except UnicodeDecodeError:
        return {f"{name}_b64": base64.b64encode(kept).decode("ascii"), **cut}


def _size(exchange: dict[str, Any]) -> int:
    return sum(len(value) for name, value in exchange.items() if "body" in name and isinstance(value, str))

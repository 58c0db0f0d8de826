"""A planned request as it will be sent, with the slots that are still open written out by name."""

from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from pipeline.connector import Account
from pipeline.http.wire import Streamed, Wire, render
from pipeline.plan import Merge, Request, Slot, Stored


def show(request: Request, account: Account) -> Wire:
    """The wire form without authorization; open slots stand as `{{step.path}}` in URL, headers and body."""
    path = request.path.replace("{{", "%7B%7B").replace("}}", "%7D%7D")
    headers = tuple((name, str(value)) for name, value in request.headers)
    query = tuple((name, value) for name, value in request.query)
    shown = replace(request, path=path, headers=headers, query=query, body=_written(request.body))
    wire = render(shown, account, {}, {})
    return replace(wire, url=unquote(wire.url) if "%7B%7B" in wire.url else wire.url)


def body_text(wire: Wire) -> str:
    """The body for people; stored documents are named, not copied."""
    if wire.body is None:
        return ""
    if isinstance(wire.body, Streamed):
        return "".join(
            f"<document {part.sha256}, {part.size} bytes, {part.encode}>"
            if isinstance(part, Stored)
            else part.decode("utf-8", "replace")
            for part in wire.body.parts
        )
    return wire.body.decode("utf-8", "replace")


def _written(value: Any) -> Any:
    if isinstance(value, Slot):
        return str(value)
    if isinstance(value, Merge):
        return {"": f"all members of {value.slot}", **{name: _written(item) for name, item in value.changes.items()}}
    if isinstance(value, dict):
        return {name: _written(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_written(item) for item in value]
    return value

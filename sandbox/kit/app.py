"""How one system's app is put together, with the test's side doors under `/_sandbox`.

A system's app.py reads:

    def create(kit: Kit) -> Starlette:
        state = ZendeskState(kit)                       # has dump() -> dict and reset() -> None
        return build(kit, routes(state), state, api=("/api/", "/oauth/"))

and inside the state: `kit.journal.record("ticket_created", "35", by="agent:9101", ...)` beside each change,
`kit.clock.now()` for times, `kit.hooks.send("/hooks/zendesk", signed, body, obj="35", retry=schedule)` after
it. Serve it with `sandbox.kit.serve.server(app)` or, in a test, `with running(create(kit)) as url:`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from .clock import Clock
from .faults import Faults, FaultsMiddleware
from .hooks import Hooks
from .journal import Journal
from .wire import Wire, WireMiddleware


class State(Protocol):
    """What `build` needs of a system's state."""

    def dump(self) -> dict[str, Any]:
        """The whole state as JSON-ready values."""

    def reset(self) -> None:
        """Back to the start data."""


@dataclass(frozen=True, slots=True)
class Kit:
    """The shared instruments of one system."""

    name: str
    clock: Clock
    journal: Journal
    wire: Wire
    faults: Faults
    hooks: Hooks

    @classmethod
    def create(cls, name: str, journal_dir: Path | None = None, hooks_to: str | None = None) -> Kit:
        """Instruments for `name`; with `journal_dir`, files `<name>.journal.jsonl`, `<name>.wire.jsonl`."""
        clock = Clock()
        journal_path = journal_dir and journal_dir / f"{name}.journal.jsonl"
        wire_path = journal_dir and journal_dir / f"{name}.wire.jsonl"
        journal, wire = Journal(journal_path, now=clock.now), Wire(wire_path, now=clock.now)
        return cls(name, clock, journal, wire, Faults(), Hooks(hooks_to, now=clock.now))

    def close(self) -> None:
        """Close the files."""
        self.journal.close()
        self.wire.close()


def build(kit: Kit, routes: Sequence[BaseRoute], state: State, *, api: tuple[str, ...] = ("/api/",)) -> Starlette:
    """The system's routes plus `/_sandbox/*`; exchanges whose path starts with `api` go into the wire log."""
    doors = _Doors(kit, state)
    app = Starlette(
        routes=[*doors.routes(), *routes],
        middleware=[
            Middleware(WireMiddleware, wire=kit.wire, api=api),
            Middleware(FaultsMiddleware, faults=kit.faults),
        ],
    )
    app.state.kit = kit
    app.state.system = state
    return app


class _Doors:
    """The side doors: what a test may see and set."""

    def __init__(self, kit: Kit, state: State) -> None:
        self._kit, self._state = kit, state

    def routes(self) -> list[Route]:
        return [
            Route("/_sandbox/clock", self.clock, methods=["GET", "PUT"]),
            Route("/_sandbox/faults", self.faults, methods=["GET", "POST", "DELETE"]),
            Route("/_sandbox/hooks", self.hooks, methods=["GET", "PUT"]),
            Route("/_sandbox/journal", self.journal),
            Route("/_sandbox/wire", self.wire),
            Route("/_sandbox/state", self.dump),
            Route("/_sandbox/reset", self.reset, methods=["POST"]),
        ]

    async def clock(self, request: Request) -> Response:
        """PUT {base, offset_seconds, rate} (each optional) sets the time; both answer the reading."""
        if request.method == "PUT":
            wanted = await request.json()
            base = wanted.get("base")
            self._kit.clock.set(
                None if base is None else datetime.fromisoformat(base),
                float(wanted.get("offset_seconds", 0)),
                float(wanted.get("rate", 1)),
            )
        return JSONResponse(self._kit.clock.reading())

    async def faults(self, request: Request) -> Response:
        """POST one rule or a list of rules; DELETE takes all away; all answer the active rules."""
        if request.method == "DELETE":
            self._kit.faults.clear()
        elif request.method == "POST":
            wanted = await request.json()
            try:
                for settings in wanted if isinstance(wanted, list) else [wanted]:
                    self._kit.faults.add(**settings)
            except (TypeError, ValueError) as error:
                return JSONResponse({"error": str(error)}, 400)
        return JSONResponse({"faults": self._kit.faults.rules()})

    async def hooks(self, request: Request) -> Response:
        """PUT some switches, GET switches and deliveries."""
        if request.method == "PUT":
            try:
                return JSONResponse(asdict(self._kit.hooks.set(**await request.json())))
            except (TypeError, ValueError) as error:
                return JSONResponse({"error": str(error)}, 400)
        return JSONResponse(self._kit.hooks.shown())

    async def journal(self, request: Request) -> Response:
        """The effects since number `since`."""
        return JSONResponse({"entries": self._kit.journal.entries(_since(request))})

    async def wire(self, request: Request) -> Response:
        """The exchanges since number `since`."""
        return JSONResponse({"entries": self._kit.wire.entries(_since(request))})

    async def dump(self, request: Request) -> Response:  # noqa: ARG002 -- Starlette hands the request in
        """The whole state."""
        return JSONResponse(self._state.dump())

    async def reset(self, request: Request) -> Response:  # noqa: ARG002 -- Starlette hands the request in
        """Back to the start data, with empty journal and wire log, no faults, switches off, real time."""
        self._state.reset()
        self._kit.journal.clear()
        self._kit.wire.clear()
        self._kit.faults.clear()
        self._kit.hooks.clear()
        self._kit.clock.set()
        return JSONResponse({"ok": True})


def _since(request: Request) -> int:
    return int(request.query_params.get("since", "0"))

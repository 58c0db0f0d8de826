"""The smallest system that can be built with the kit: it counts what it is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.kit.app import Kit, build
from sandbox.kit.serve import running


class Echo:
    """State: the bodies that were posted."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.told: list[str] = []

    async def tell(self, request: Request) -> Response:
        """Keep the body, journal it, say it back."""
        body = (await request.body()).decode("utf-8", "replace")
        self.told.append(body)
        self.kit.journal.record("told", str(len(self.told)), by="somebody", body=body)
        return JSONResponse({"told": body})

    def dump(self) -> dict[str, Any]:
        """What was told."""
        return {"told": self.told}

    def reset(self) -> None:
        """Forget it."""
        self.told = []


@contextmanager
def running_echo(kit: Kit | None = None) -> Iterator[tuple[str, Echo]]:
    """The system on a free port."""
    kit = kit or Kit.create("echo")
    echo = Echo(kit)
    with running(build(kit, [Route("/api/tell", echo.tell, methods=["POST"]), Route("/", echo.tell)], echo)) as url:
        yield url, echo

"""How a sandbox app gets its port: uvicorn servers whose connections the faults can cut."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import uvicorn
from starlette.types import ASGIApp, Receive, Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

TRANSPORT = "sandbox_transport"
LOOPBACK = "127.0.0.1"


class CuttableProtocol(H11Protocol):
    """HTTP/1.1 that shows the app its TCP connection (in `scope["state"]`), so that it can be cut."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Remember the connection before the first request of it is read."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, TRANSPORT: transport}


async def cut(scope: Scope, receive: Receive) -> None:
    """Close the TCP connection of this request at once, without a byte of an answer.

    Raises RuntimeError when the app is not served by `server()`.
    """
    transport = scope.get("state", {}).get(TRANSPORT)
    if transport is None:
        raise RuntimeError("cutting needs a server made by sandbox.kit.serve.server()")
    cast("asyncio.Transport", transport).abort()
    while (await receive())["type"] != "http.disconnect":
        continue


def listen(port: int = 0, host: str = LOOPBACK) -> socket.socket:
    """A bound, listening socket; port 0 takes a free one."""
    # the protocol is named, or asyncio leaves TCP_NODELAY off and each answer waits 40 ms for an ACK
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(512)
    listener.setblocking(False)
    return listener


class _Server(uvicorn.Server):
    """A server that leaves the signals to the process, of which it is one of several."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take no signal."""
        yield


def server(app: ASGIApp) -> uvicorn.Server:
    """A quiet server for `app`; run it with `await server.serve(sockets=[listen()])`."""
    return _Server(
        uvicorn.Config(
            app,
            http=CuttableProtocol,
            ws="none",
            lifespan="off",
            log_level="error",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
            timeout_keep_alive=75,
        )
    )


@contextmanager
def running(app: ASGIApp) -> Iterator[str]:
    """Serve `app` from a thread on a free port; gives `http://127.0.0.1:<port>` (for tests)."""
    listener = listen()
    uvicorn_server = server(app)
    loop_thread = threading.Thread(
        target=lambda: asyncio.run(uvicorn_server.serve(sockets=[listener])), name="sandbox", daemon=True
    )
    loop_thread.start()
    try:
        yield f"http://{LOOPBACK}:{listener.getsockname()[1]}"
    finally:
        uvicorn_server.should_exit = True
        loop_thread.join(timeout=10)
        listener.close()

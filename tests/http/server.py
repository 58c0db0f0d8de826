"""A small threaded HTTP server for tests: each path has a script that may break every rule of the protocol."""

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Seen:
    """One request as it arrived. `peer` is the client's port: the same for requests on one connection."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    peer: int


class Handler(BaseHTTPRequestHandler):
    """Hands each request to the script of its path."""

    protocol_version = "HTTP/1.1"
    wbufsize = 64 * 1024  # one packet an answer: Nagle would cost 40 ms otherwise
    server: "Server"

    def handle_any(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(length)
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(self.command, self.path, headers, body, self.client_address[1])
        self.server.seen.append(seen)
        with contextlib.suppress(OSError):  # the client has hung up: what most of these tests are about
            self.server.script(self.path.partition("?")[0])(self, seen)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815 -- the names that http.server calls

    def answer(self, status: int, body: bytes = b"{}", **headers: str) -> None:
        """A proper answer."""
        self.send_response_only(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in {"content_type": "application/json", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def raw(self, data: bytes) -> None:
        """Bytes as they are."""
        self.wfile.write(data)
        self.wfile.flush()

    def reset(self) -> None:
        """End the connection with a reset instead of a goodbye."""
        linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"  # on, 0 seconds
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True
        self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the name that http.server gives it
        """Silence."""


Script = Callable[[Handler, Seen], None]


def answering(status: int, value: Any = None, **headers: str) -> Script:
    """A script that always answers this."""
    body = value if isinstance(value, bytes) else json.dumps({} if value is None else value).encode()
    return lambda handler, _: handler.answer(status, body, **headers)


def in_turn(*scripts: Script) -> Script:
    """A script that plays one after the other, the last for ever."""
    left = list(scripts)
    lock = threading.Lock()

    def play(handler: Handler, seen: Seen) -> None:
        with lock:
            script = left.pop(0) if len(left) > 1 else left[0]
        script(handler, seen)

    return play


@dataclass
class Server(ThreadingHTTPServer):
    """Listens on 127.0.0.1; `scripts` by path, `seen` in order of arrival."""

    scripts: dict[str, Script] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)

    daemon_threads = True

    def __post_init__(self) -> None:
        self.done = threading.Event()  # for scripts that hang until the test is over
        super().__init__(("127.0.0.1", 0), Handler)

    def script(self, path: str) -> Script:
        return self.scripts.get(path, answering(200))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is no error here."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextlib.contextmanager
def serving() -> Iterator[Server]:
    """A running server for the length of the block."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.done.set()
        server.shutdown()
        server.server_close()
        thread.join()

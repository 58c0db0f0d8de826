"""A webhook receiver on a free port that keeps what is POSTed to it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver:
    """Keeps what is POSTed to it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.status = 202
        self._arrived = threading.Condition()

    def add(self, headers: dict[str, str], body: bytes) -> None:
        """Keep one delivery."""
        with self._arrived:
            self.bodies.append(body)
            self.headers.append(headers)
            self._arrived.notify_all()

    def wait(self, count: int) -> list[bytes]:
        """The bodies, as soon as there are `count` of them; fails after ten seconds."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.bodies) >= count, timeout=10), self.bodies
        return self.bodies


@contextmanager
def running_receiver() -> Iterator[Receiver]:
    """A webhook receiver on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            receiver.add({name.lower(): value for name, value in self.headers.items()}, body)
            self.send_response(receiver.status)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base class names it so
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver = Receiver(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield receiver
        server.shutdown()
        thread.join()

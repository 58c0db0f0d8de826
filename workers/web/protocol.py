"""HTTP/1.1 as uvicorn and h11 speak it, with a deadline for headers and an end for bodies that nobody will read.

uvicorn has a time-out between two requests only: a peer that sends its headers a byte at a time would hold its
connection for ever, and so would one whose body was refused and never ends.
"""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_SECONDS = 10.0
LINGER_SECONDS = 2.0  # so that a sender in the midst of a large body still reads the answer (RFC 9112, 9.6)
LINGER_BYTES = 4 * 1024 * 1024


class BoundedProtocol(H11Protocol):
    """One connection."""

    _deadline: asyncio.TimerHandle | None = None
    _lingering: int | None = None  # bytes that are still read and dropped

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn declares it
        """Headers are due from now on."""
        super().connection_made(transport)
        self._await_headers()

    def data_received(self, data: bytes) -> None:
        """Hand bytes on, unless they belong to a refused body."""
        if self._lingering is not None:
            self._drop(len(data))
            return
        if self.conn.their_state is h11.IDLE and self._deadline is None:
            self._await_headers()
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._cancel_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """Timers go with the connection."""
        self._cancel_deadline()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """After an answer that did not wait for the body: say that we are done, drop what comes, close."""
        unread = self.conn.their_state is h11.SEND_BODY
        super().on_response_complete()
        if unread and not self.transport.is_closing():
            self._unset_keepalive_if_required()
            self._lingering = LINGER_BYTES
            if self.transport.can_write_eof():
                self.transport.write_eof()
            self._deadline = self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def _drop(self, size: int) -> None:
        self._lingering = (self._lingering or 0) - size
        if self._lingering <= 0:
            self.transport.close()

    def _await_headers(self) -> None:
        self._deadline = self.loop.call_later(HEADER_SECONDS, self.transport.close)

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

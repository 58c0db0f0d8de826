"""A request's body and headers on their way in: bounded before they are read, bounded in time, bounded in all."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import Request

from pipeline.connector import Headers, SignatureError

SIGNING = ("signature", "webhook")  # words in the names of headers that a signature may cover


class TooLargeError(Exception):
    """The body is above the limit: 413."""


class TooSlowError(Exception):
    """The body did not come in time: 408."""


class FullError(Exception):
    """Too much is in hand already: 503, and the sender repeats."""


class Room:
    """How many requests and bytes may be in hand at once; used by one event loop only."""

    def __init__(self, *, requests: int, size: int) -> None:
        self._requests, self._size = requests, size

    @contextmanager
    def guest(self) -> Iterator["Guest"]:
        """One request's place. Raises FullError."""
        if self._requests <= 0:
            raise FullError
        guest = Guest(self)
        self._requests -= 1
        try:
            yield guest
        finally:
            self._requests += 1
            self._size += guest.size

    def take(self, size: int) -> None:
        """Raises FullError when the bytes do not fit."""
        if size > self._size:
            raise FullError
        self._size -= size


class Guest:
    """One request in the room."""

    def __init__(self, room: Room) -> None:
        self._room, self.size = room, 0

    def grow(self, size: int) -> None:
        """Raises FullError when the bytes do not fit."""
        self._room.take(size)
        self.size += size


async def read_body(request: Request, guest: Guest, *, limit: int, seconds: float) -> bytes:
    """The body as it came, not decompressed.

    Raises TooLargeError (before a byte is read where the length is declared), TooSlowError, FullError and
    ClientDisconnect.
    """
    declared = request.headers.get("content-length", "0")  # digits: h11 has refused anything else
    if int(declared) > limit:
        raise TooLargeError
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                if len(body) + len(chunk) > limit:
                    raise TooLargeError
                guest.grow(len(chunk))
                body += chunk
    except TimeoutError as error:
        raise TooSlowError from error
    return bytes(body)


def read_headers(request: Request) -> Headers:
    """Lower-case names; repeated ones joined by a comma.

    Raises SignatureError where a header that a signature may rest on is doubled or not ASCII: proxies and frameworks
    do not agree on which of two counts.
    """
    headers: dict[str, str] = {}
    for raw_name, raw_value in request.scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if any(word in name for word in SIGNING) and (name in headers or not value.isascii()):
            raise SignatureError(f"{name} is doubled or not ASCII")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers

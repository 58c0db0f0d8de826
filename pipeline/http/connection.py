"""Connections that check where they lead, and that ask once more before the first byte (engine.md 8, trap 5)."""

import socket
import threading
import time
from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.response import BaseHTTPResponse

from pipeline.errors import UnreachableError
from pipeline.http.address import check_address
from pipeline.http.call import Call, current_call

CONNECT_SECONDS = 3.0


class _Guarded(HTTPConnection):
    """What our plain and our TLS connections have in common."""

    def _new_conn(self) -> socket.socket:
        call = _call()
        sock = open_socket(self._dns_host, self.port, call)
        call.attach(sock.dup(), own=True)  # TLS detaches `sock`; the duplicate lets the deadline end a slow handshake
        return sock

    def send(self, data: Any) -> None:
        """Every byte passes here. Connected first, then the lease is checked, then the first byte leaves."""
        call = _call()
        if not call.sent:
            if self.sock is None:
                self.connect()
            self.sock.settimeout(call.remaining())
            call.attach(self.sock)
            if call.before_send is not None:
                call.before_send()
            call.sent = True
        super().send(data)


class _GuardedTLS(_Guarded, HTTPSConnection):
    """`HTTPSConnection.connect` takes its socket from `_new_conn`, host name and SNI from the URL."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Guarded

    def _put_conn(self, conn: Any) -> None:
        _detach()
        super()._put_conn(conn)


class _PoolTLS(HTTPSConnectionPool):
    ConnectionCls = _GuardedTLS

    def _put_conn(self, conn: Any) -> None:
        _detach()
        super()._put_conn(conn)


class GuardedAdapter(HTTPAdapter):
    """An adapter whose pools make guarded connections; keeps no cookies and parses nothing that we do not read."""

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, **pool_kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _PoolTLS}

    def build_response(self, req: PreparedRequest, resp: BaseHTTPResponse) -> Response:
        """Status and raw stream only: encoding, cookies and history are never asked for."""
        response = Response()
        response.status_code = resp.status
        response.raw = resp
        response.request = req
        return response


def open_socket(host: str, port: int, call: Call) -> socket.socket:
    """A socket to the very address that was checked, so that a name cannot change its mind in between.

    All addresses of the name are checked. Raises RefusedAddressError, UnreachableError.
    """
    until = time.monotonic() + min(CONNECT_SECONDS, call.remaining())
    addresses = _resolve(host, port, until - time.monotonic())
    for _, sockaddr in addresses:
        check_address(str(sockaddr[0]), host, allow_private=call.allow_private)
    error: OSError | None = None
    for left, (family, sockaddr) in zip(range(len(addresses), 0, -1), addresses, strict=True):
        try:
            return _connect(family, sockaddr, max((until - time.monotonic()) / left, 0.001))
        except OSError as failed:
            error = failed
    raise UnreachableError(f"no connection to {host}:{port}: {error}") from error


def _connect(family: int, sockaddr: Any, seconds: float) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(seconds)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.connect(sockaddr)
    except BaseException:
        sock.close()
        raise
    return sock


def _resolve(host: str, port: int, seconds: float) -> list[tuple[int, Any]]:
    """The (family, address) pairs of a name. The system's resolver knows no time-out, so a thread waits for it."""
    found: list[tuple[int, Any]] = []
    errors: list[OSError | UnicodeError] = []

    def ask() -> None:
        try:
            found.extend((it[0], it[4]) for it in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as failed:  # UnicodeError: no name at all (a label above 63 characters)
            errors.append(failed)

    thread = threading.Thread(target=ask, name="http-resolve", daemon=True)
    thread.start()
    thread.join(seconds)
    if found:
        return found
    raise UnreachableError(f"{host} cannot be resolved: {errors[0] if errors else 'the resolver does not answer'}")


def _call() -> Call:
    call = current_call()
    assert call is not None, "a guarded connection is used through Transport alone"
    return call


def _detach() -> None:
    if (call := current_call()) is not None:
        call.detach()

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
        if call.sent:
            super().send(data)
            return
        if call.body_follows:
            call.body_follows, call.held = False, data
            return
        if self.sock is None:
            self.connect()
        self.sock.settimeout(call.remaining())
        call.attach(self.sock)
        if call.before_send is not None:
            call.before_send()
        call.sent = True
        super().send(call.held + data if call.held else data)  # headers and body in one packet


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
    """An adapter for one host, whose pool makes guarded connections; what never changes is looked up once."""

    _pool: Any = None
    _prepared = False

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, **pool_kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _PoolTLS}

    def get_connection_with_tls_context(self, request: PreparedRequest, *args: Any, **named: Any) -> Any:
        """The one pool: finding it by all its TLS settings costs as much as sending a request through it."""
        if self._pool is None:
            self._pool = super().get_connection_with_tls_context(request, *args, **named)
        return self._pool

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Once for the pool; it looks for the bundle's file on the disk."""
        if not self._prepared:
            super().cert_verify(conn, url, verify, cert)  # type: ignore[no-untyped-call]  # of types-requests
            self._prepared = True

    def close(self) -> None:
        self._pool, self._prepared = None, False
        super().close()

    def build_response(self, req: PreparedRequest, resp: BaseHTTPResponse) -> Response:
        """Status and raw stream only: cookies (a jar each), encoding and history are never asked for."""
        response = Response.__new__(Response)
        response.status_code, response.raw, response.request = resp.status, resp, req
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

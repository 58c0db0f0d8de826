"""Sends one rendered request and says for certain whether it left: the seam between HTTP and the error tree."""

import time
from http.client import HTTPException

from requests import PreparedRequest, RequestException
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from pipeline.domain.reason import Reason
from pipeline.errors import PermanentError, UnknownOutcomeError, UnreachableError
from pipeline.http.body import BrokenBodyError, read_body
from pipeline.http.call import Call, underway
from pipeline.http.connection import CONNECT_SECONDS, GuardedAdapter
from pipeline.http.wire import Store, Wire, body_to_send
from pipeline.plan import Answer


class Transport:
    """A pool of connections to one host. No session: it would cost twice the CPU (engine.md 8, trap 6).

    So neither proxies nor .netrc nor certificates out of the environment are looked at, no cookie is kept and no
    redirect followed. `verify` is True or the path of a CA bundle.
    """

    def __init__(self, *, pool_size: int, verify: bool | str = True, store: Store | None = None) -> None:
        self._adapter = GuardedAdapter(pool_connections=1, pool_maxsize=pool_size)
        self._verify = verify
        self._store = store

    def send(self, wire: Wire, call: Call, cap: int) -> Answer:
        """The answer, with at most `cap` bytes of body.

        Raises UnreachableError (nothing left), UnknownOutcomeError (it left, the answer did not come whole),
        RefusedAddressError, PermanentError (it cannot be written as HTTP), and what `call.before_send` raises.
        """
        started = time.monotonic()
        with underway(call):
            raw = self.open(wire, call)
            body = _read(raw, call, cap)
        headers = {name.lower(): value for name, value in raw.headers.items()}
        return Answer(raw.status, headers, body, time.monotonic() - started)

    def close(self) -> None:
        self._adapter.close()

    def open(self, wire: Wire, call: Call) -> BaseHTTPResponse:
        """The answer's head, its body unread; the call must be underway. Raises as `send`."""
        try:
            return self._open(wire, call)
        except (RequestException, HTTPError, HTTPException, OSError) as error:
            raise _translated(error, call) from error
        except ValueError as error:
            if call.sent:
                raise _translated(error, call) from error
            raise PermanentError(Reason.REJECTED, f"the request cannot be written as HTTP: {error}") from error

    def _open(self, wire: Wire, call: Call) -> BaseHTTPResponse:
        prepared = PreparedRequest()
        prepared.method, prepared.url = wire.method, wire.url
        prepared.headers = CaseInsensitiveDict(wire.headers)
        prepared.body = body_to_send(wire.body, self._store)  # type: ignore[assignment] # an iterator is sent as it comes
        call.body_follows = isinstance(wire.body, bytes) and bool(wire.body)
        left = call.remaining()
        response = self._adapter.send(
            prepared, stream=True, timeout=(min(CONNECT_SECONDS, left), left), verify=self._verify
        )
        raw: BaseHTTPResponse = response.raw
        return raw


def _read(raw: BaseHTTPResponse, call: Call, cap: int) -> bytes:
    """The body. A refusal with a broken body is a refusal all the same; a success is unknown then."""
    try:
        body, fault = read_body(raw, cap), ""
    except BrokenBodyError as broken:
        body, fault = broken.partial, str(broken)
    if call.expired:  # a body without a length ends where the watchdog cut it: that is not its end
        raw.close()
        fault = _TOO_LATE
    if fault and raw.status < 400:
        raise UnknownOutcomeError(f"{raw.status}, but {fault}")
    return body


_TOO_LATE = "the answer did not come whole before the deadline"


def _translated(error: Exception, call: Call) -> UnreachableError | UnknownOutcomeError:
    cause = _root(error)
    said = f"{type(cause).__name__}: {cause}" if str(cause) else type(cause).__name__
    if call.expired:
        said = _TOO_LATE if call.sent else "no connection before the deadline"
    return UnknownOutcomeError(said) if call.sent else UnreachableError(said)


def _root(error: BaseException) -> BaseException:
    """The first cause: the wrappers of requests and urllib3 quote the URL, which may hold a token."""
    seen = {id(error)}
    while (cause := error.__cause__ or error.__context__) is not None and id(cause) not in seen:
        seen.add(id(cause))
        error = cause
    return error

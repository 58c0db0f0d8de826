"""Downloads of content (decisions D10, D11): streamed, limited in size and time, a few redirects, each one checked."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from urllib.parse import SplitResult, urljoin, urlsplit

from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from pipeline.answers import judge_by_status
from pipeline.connector import Account
from pipeline.domain.reason import Reason
from pipeline.errors import AuthError, PermanentError, TransientError
from pipeline.http.address import check_scheme
from pipeline.http.body import BrokenBodyError, read_body
from pipeline.http.call import Call, underway
from pipeline.http.transport import Transport
from pipeline.http.wire import USER_AGENT, Wire
from pipeline.plan import Answer, Request, Verdict

_REDIRECTS = 3
_PIECE = 256 * 1024
_EXPLANATION = 16 * 1024  # of a refusal's body
_MOVED = frozenset({301, 302, 303, 307, 308})
_HEADERS = {"user-agent": USER_AGENT, "accept": "*/*", "accept-encoding": "identity"}  # bytes as they are stored


@dataclass(frozen=True)
class Download:
    """An answer whose body is still to come. `chunks` can be read once, inside the block that opened it."""

    headers: Mapping[str, str]
    chunks: Iterator[bytes] = field(repr=False)


@contextlib.contextmanager
def open_download(
    request: Request,
    url: str,
    account: Account,
    authorization: Mapping[str, str],
    *,
    limit: int,
    seconds: float,
    verify: bool | str = True,
) -> Iterator[Download]:
    """The content at `url`, at most `limit` bytes, all within `seconds`; our log-in goes to the account's host alone.

    Raises PermanentError (`file_too_large`, `target_gone`, `rejected`), AuthError, TransientError, UnreachableError;
    reading `chunks` raises the first and the third of them.
    """
    with contextlib.ExitStack() as stack:
        call, raw = _follow(stack, _Way(account, authorization, verify), url, seconds)
        headers = {name.lower(): value for name, value in raw.headers.items()}
        if not 200 <= raw.status < 300:
            raise _refusal(request, raw, headers)
        if int(raw.headers.get("content-length") or 0) > limit:
            raise _too_large(limit)
        yield Download(headers, _chunks(raw, call, limit))


@dataclass(frozen=True)
class _Way:
    """What holds for all hops: whose host is ours, what logs in there, whose certificates are trusted."""

    account: Account
    authorization: Mapping[str, str] = field(repr=False)
    verify: bool | str


def _follow(stack: contextlib.ExitStack, way: _Way, url: str, seconds: float) -> tuple[Call, BaseHTTPResponse]:
    """The first answer that is no redirect; one deadline for all of them."""
    whole = Call(seconds, before_send=None, allow_private=False)
    for _ in range(_REDIRECTS + 1):
        ours = _origin(urlsplit(url)) == _origin(urlsplit(way.account.root_url))
        check_scheme(url, allow_http=ours and way.account.allow_http)
        call = Call(whole.remaining(), before_send=None, allow_private=ours and way.account.allow_private)
        raw = _open(stack, Wire("GET", url, {**_HEADERS, **(way.authorization if ours else {})}), call, way.verify)
        location = raw.headers.get("location")
        if raw.status not in _MOVED or not location:
            return call, raw
        url = urljoin(url, location)
    raise PermanentError(Reason.REJECTED, f"more than {_REDIRECTS} redirects")


def _open(stack: contextlib.ExitStack, wire: Wire, call: Call, verify: bool | str) -> BaseHTTPResponse:
    transport = Transport(pool_size=1, verify=verify)  # of its own: another host, another connection, nothing shared
    stack.callback(transport.close)
    stack.enter_context(underway(call))
    raw = transport.open(wire, call)
    stack.callback(raw.close)
    return raw


def _chunks(raw: BaseHTTPResponse, call: Call, limit: int) -> Iterator[bytes]:
    size = 0
    try:
        while piece := raw.read(_PIECE, decode_content=False):
            size += len(piece)
            if size > limit:
                raise _too_large(limit)
            yield piece
    except (HTTPError, HTTPException, OSError) as error:
        raise TransientError(f"the download broke off after {size} bytes ({type(error).__name__})") from error
    if call.expired:
        raise TransientError(f"the download did not end in time, {size} bytes came")


def _refusal(request: Request, raw: BaseHTTPResponse, headers: Mapping[str, str]) -> PermanentError | TransientError:
    try:
        body = read_body(raw, _EXPLANATION)
    except BrokenBodyError as broken:
        body = broken.partial
    outcome = judge_by_status(request, Answer(raw.status, headers, body))
    if outcome.verdict is Verdict.AUTH:
        return AuthError(outcome.detail)
    if outcome.verdict is Verdict.DEAD:
        return PermanentError(outcome.reason, outcome.detail)
    return TransientError(outcome.detail, retry_after=outcome.retry_after_seconds)


def _too_large(limit: int) -> PermanentError:
    return PermanentError(Reason.FILE_TOO_LARGE, f"larger than {limit} bytes")


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)

"""Turns a planned request into the very bytes of HTTP: pure, byte-stable, the same for showing and for sending."""

import base64
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode

from pipeline.connector import Account
from pipeline.domain.reason import Reason
from pipeline.errors import PermanentError
from pipeline.http.slots import fill, fill_path, fill_text, merge
from pipeline.plan import Answers, Merge, Request, Slot, Stored

USER_AGENT = "casebridge"
_DEFAULTS = {"user-agent": USER_AGENT, "accept": "application/json", "accept-encoding": "gzip"}
_MARK = secrets.token_hex(16)  # stands for stored bytes while the JSON around them is written; never sent


class Store(Protocol):
    """What the document store offers a sender: the bytes of one document, piece by piece."""

    def open(self, sha256: str) -> Iterable[bytes]: ...


@dataclass(frozen=True)
class Streamed:
    """A body of known size that is made while it is sent: literal bytes and stored documents, in order."""

    parts: tuple[bytes | Stored, ...]
    size: int


@dataclass(frozen=True)
class Wire:
    """One request as the socket sees it; header names are lower case."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | Streamed | None = None


def render(request: Request, account: Account, answers: Answers, authorization: Mapping[str, str]) -> Wire:
    """The request with its slots filled. Path segments come quoted by the plan's author, query values plain.

    Raises EmptySlotError, PermanentError for a value that JSON or a header cannot carry.
    """
    body = _encode(request.body, answers)
    headers = dict(_DEFAULTS)
    if body is not None:
        headers["content-type"] = "application/json" if _is_json(request.body) else "application/octet-stream"
        headers["content-length"] = str(body.size if isinstance(body, Streamed) else len(body))
    for name, value in request.headers:
        headers[name.lower()] = str(fill(value, answers)) if isinstance(value, Slot) else value
    headers.update((name.lower(), value) for name, value in authorization.items())
    return Wire(request.method, _url(request, account, answers), headers, body)


def body_to_send(body: bytes | Streamed | None, store: Store | None) -> bytes | Iterator[bytes] | None:
    """The bytes, or an iterator over exactly `size` of them; a document that is shorter raises OSError midway."""
    if not isinstance(body, Streamed):
        return body
    if store is None:
        raise ValueError("a stored body needs a document store")
    return _stream(body, store)


def _url(request: Request, account: Account, answers: Answers) -> str:
    base = _joined(account.root_url, "" if request.root else account.api_path)
    url = _joined(base, fill_path(request.path, answers))
    if request.query:
        query = urlencode([(name, fill_text(value, answers)) for name, value in request.query])
        url += ("&" if "?" in url else "?") + query
    return url


def _joined(base: str, path: str) -> str:
    """With one slash between: a path never becomes part of the host's name."""
    return base.rstrip("/") + "/" + path.lstrip("/") if path else base.rstrip("/")


def _is_json(body: Any) -> bool:
    return not isinstance(body, Stored | bytes)


def _encode(body: Any, answers: Answers) -> bytes | Streamed | None:
    if body is None or isinstance(body, bytes):
        return body
    if isinstance(body, Stored):
        return Streamed((body,), _sent_size(body))
    stored: list[Stored] = []

    def default(value: object) -> Any:
        if isinstance(value, Slot):
            return fill(value, answers)
        if isinstance(value, Merge):
            return merge(value, answers)
        if isinstance(value, Stored) and value.encode == "base64":
            stored.append(value)
            return f"{_MARK}{len(stored) - 1}."
        raise TypeError(f"{type(value).__name__} is no JSON value")

    try:
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=default)
        encoded = text.encode()
    except (TypeError, ValueError) as error:
        raise PermanentError(Reason.REJECTED, f"the body is no JSON: {error}") from error
    return _interleave(encoded, stored) if stored else encoded


def _interleave(encoded: bytes, stored: list[Stored]) -> Streamed:
    parts: list[bytes | Stored] = []
    for number, document in enumerate(stored):
        before, encoded = encoded.split(f"{_MARK}{number}.".encode())
        parts += [before, document]
    parts.append(encoded)
    return Streamed(tuple(parts), sum(len(it) if isinstance(it, bytes) else _sent_size(it) for it in parts))


def _sent_size(document: Stored) -> int:
    return (document.size + 2) // 3 * 4 if document.encode == "base64" else document.size


def _stream(body: Streamed, store: Store) -> Iterator[bytes]:
    for part in body.parts:
        if isinstance(part, bytes):
            yield part
        elif part.encode == "base64":
            yield from _base64(_exactly(part, store))
        else:
            yield from _exactly(part, store)


def _exactly(document: Stored, store: Store) -> Iterator[bytes]:
    size = 0
    for chunk in store.open(document.sha256):
        size += len(chunk)
        yield chunk
    if size != document.size:
        raise OSError(f"document {document.sha256[:12]} has {size} bytes in the store, expected {document.size}")


def _base64(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Base64 of a stream: only whole groups of three bytes may be encoded before the end."""
    rest = b""
    for chunk in chunks:
        rest += chunk
        whole = len(rest) // 3 * 3
        yield base64.b64encode(rest[:whole])
        rest = rest[whole:]
    yield base64.b64encode(rest)

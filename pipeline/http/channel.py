"""One way to one account: logs in, keeps to the limits, sends a request, and records it masked."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, Protocol

from pipeline.connector import Account
from pipeline.errors import TransientError, UnknownOutcomeError
from pipeline.http.address import check_scheme
from pipeline.http.call import Call
from pipeline.http.exchange import Exchange, exchange_of
from pipeline.http.kept import KeptAnswers
from pipeline.http.mask import Masker, secrets_of, without_members
from pipeline.http.transport import Transport
from pipeline.http.wire import Wire, render
from pipeline.plan import Answer, Answers, Request, Stored

Share = Literal["write", "read", "poll"]

WRITE_SECONDS, READ_SECONDS = 20.0, 30.0  # total, from the name's resolution to the body's last byte (D11)
WRITE_CAP, READ_CAP = 1024 * 1024, 32 * 1024 * 1024  # bytes of an answer, after decompression (D11)
_DOCUMENT_SECONDS, _DOCUMENT_RATE = 60.0, 1024 * 1024  # a minute, and a second for each MiB (D10)


class Authorizer(Protocol):
    """Who knows the headers that log us in; `pipeline.tokens.Tokens`."""

    def authorize(self, account: Account, fetch: Callable[[], Answer]) -> Mapping[str, str]: ...

    def drop(self, account: Account, refused: Mapping[str, str] | None = None) -> None: ...


class Quota(Protocol):
    """Who knows how long to wait; `pipeline.limits.Limiter`."""

    def acquire(self, account: Account, request: Request, share: Share) -> float: ...


@dataclass(frozen=True)
class Channel:
    """What all plans to one account share."""

    account: Account
    transport: Transport
    tokens: Authorizer | None
    limiter: Quota | None
    record: Callable[[Exchange], None] | None
    share: Share
    now: Callable[[], float] = time.monotonic
    _kept: KeptAnswers = field(default_factory=KeptAnswers)

    def masker(self) -> Masker:
        """A new one that knows the account's secrets."""
        return self._secrets.copy()

    @cached_property
    def _secrets(self) -> Masker:
        return Masker(secrets_of(self.account))

    def seconds_to_wait(self, request: Request) -> float:
        """0: go. A call is counted as soon as it may go."""
        if self.limiter is None or not self.account.limits:
            return 0.0
        return self.limiter.acquire(self.account, request, self.share)

    def authorize(self) -> Mapping[str, str]:
        """The headers that log us in. Raises PermanentError (`target_refuses_login`), TransientError."""
        if self.tokens is None or self.account.token is None:
            return self.account.headers
        return self.tokens.authorize(self.account, self._fetch_token)

    def renew(self, refused: Mapping[str, str]) -> Mapping[str, str] | None:
        """Other headers after a 401; None where there is nothing to renew."""
        if self.tokens is None or self.account.token is None:
            return None
        self.tokens.drop(self.account, refused)
        return self.authorize()

    def kept(self, request: Request, answers: Answers) -> Answer | None:
        """An earlier answer to the same read, if it may be used again (`keeps_seconds`)."""
        if not request.keeps_seconds or not is_read(request):
            return None
        return self._kept.get(render(request, self.account, answers, {}), self.now())

    def keep(self, request: Request, answers: Answers) -> None:
        """Remember the answer to a read that allows it."""
        if request.keeps_seconds and is_read(request):
            wire = render(request, self.account, answers, {})
            self._kept.put(wire, answers[request.step], self.now() + request.keeps_seconds)

    def send(
        self,
        request: Request,
        answers: Answers,
        authorization: Mapping[str, str],
        masker: Masker,
        before_send: Callable[[], None] | None,
    ) -> tuple[Answer | TransientError, Exchange]:
        """Send once. A TransientError is returned beside the record of it; whatever else is raised was never sent."""
        wire = render(request, self.account, answers, authorization)
        call = self._call(request, before_send)
        started = self.now()
        answer: Answer | None = None
        result: Answer | TransientError
        try:
            result = answer = self._send(wire, call, cap=READ_CAP if is_read(request) else WRITE_CAP)
        except TransientError as error:
            result = error
        seconds = self.now() - started
        exchange = exchange_of(request.step, wire, answer, masker, seconds=seconds, sent=call.sent)
        if self.record is not None:
            self.record(exchange)
        return result, exchange

    def _send(self, wire: Wire, call: Call, *, cap: int) -> Answer:
        check_scheme(wire.url, allow_http=self.account.allow_http)
        answer = self.transport.send(wire, call, cap)
        body = without_members(answer.body, self.account.secret_members)
        return answer if body is answer.body else replace(answer, body=body)

    def _call(self, request: Request, before_send: Callable[[], None] | None) -> Call:
        return Call(deadline_seconds(request), before_send=before_send, allow_private=self.account.allow_private)

    def _fetch_token(self) -> Answer:
        """Never recorded, not even masked."""
        request = self.account.token
        assert request is not None  # asked for by Tokens, which looked
        wire = render(request, self.account, {}, {})
        try:
            return self._send(wire, self._call(request, None), cap=WRITE_CAP)
        except UnknownOutcomeError as error:  # about the token; of the request that needs it nothing was sent
            raise TransientError(f"no token: {error}") from error


def is_read(request: Request) -> bool:
    """Whether it changes nothing: declared so, or by its method (decisions D9)."""
    return request.reads or request.method in ("GET", "HEAD")


def deadline_seconds(request: Request) -> float:
    """The total deadline of a request: its own, a document's by size, or that of its class."""
    if request.deadline_seconds is not None:
        return request.deadline_seconds
    if stored := _stored_bytes(request.body):
        return document_seconds(stored)
    return READ_SECONDS if is_read(request) else WRITE_SECONDS


def document_seconds(size: int) -> float:
    """The total deadline for moving a document of `size` bytes."""
    return _DOCUMENT_SECONDS + size / _DOCUMENT_RATE


def _stored_bytes(body: object) -> int:
    """The size of the documents in a body; they stand at its top or are one of its members."""
    if isinstance(body, Stored):
        return body.size
    members = body.values() if isinstance(body, Mapping) else ()
    return sum(member.size for member in members if isinstance(member, Stored))

"""The one executor (design.md 4): `explain`, tests and deliveries hand it the same plans."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Literal

from pipeline.answers import judge_by_status
from pipeline.connector import Account
from pipeline.errors import AuthError, PermanentError, QuotaError, TransientError, UnreachableError
from pipeline.http.channel import Authorizer, Channel, Quota, Share, document_seconds, is_read
from pipeline.http.download import Download, open_download
from pipeline.http.errors import ReadOnlyError
from pipeline.http.exchange import Exchange, Sent
from pipeline.http.run import Judge, PlanRun
from pipeline.http.transport import Transport
from pipeline.http.wire import Store, render
from pipeline.plan import Answer, Answers, Plan, Request, Verdict

Mode = Literal["write", "read"]


class Executor:
    """Calls one account; made once a process and shared by its threads.

    In mode `read` nothing but reads goes out (`explain`). `share` names the part of the rate limits that is used up;
    `pool_size` is the number of threads that send at once; `record` sees every exchange, masked; `verify` may be
    the path of a CA bundle.
    """

    def __init__(  # noqa: PLR0913 -- the collaborators of the one door to the network, all by name
        self,
        account: Account,
        *,
        tokens: Authorizer | None,
        limiter: Quota | None,
        store: Store | None = None,
        record: Callable[[Exchange], None] | None = None,
        mode: Mode = "write",
        share: Share | None = None,
        pool_size: int = 16,
        verify: bool | str = True,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        if account.token is not None and tokens is None:
            raise ValueError(f"{account.system} logs in by tokens, so the executor needs Tokens")
        self._mode, self._verify = mode, verify
        self._transport = Transport(pool_size=pool_size, verify=verify, store=store)
        self._channel = Channel(account, self._transport, tokens, limiter, record, share or mode, now)

    def run(
        self,
        plan: Plan,
        *,
        judge: Judge,
        before_send: Callable[[], None] | None = None,
        known: Answers | None = None,
    ) -> Sent:
        """Send the plan's requests in order until one is neither done nor already so.

        `known` are answers of earlier plans that slots may name; they come back in `Sent.answers`. `before_send` is
        called for each request when its connection stands and no byte of it has left; LeaseLostError passes through,
        all else that goes wrong is an outcome. Raises ReadOnlyError before anything is sent.
        """
        if self._mode == "read":
            for request in plan.requests:
                _require_read(request)
        return PlanRun(self._channel, judge, before_send, dict(known or {})).send(plan)

    def get(self, request: Request) -> Answer:
        """The answer of one read, for readers (`pipeline.connector.Http`).

        Raises ReadOnlyError for a write, UnreachableError, AuthError, TransientError (with `retry_after`), and
        PermanentError whose reason says what the status means: `target_gone` for a 404.
        """
        _require_read(request)
        run = PlanRun(self._channel, judge_by_status, None, {})
        outcome = run.step(request)
        if outcome.verdict is Verdict.DONE:
            return run.answers[request.step]
        if isinstance(run.error, UnreachableError):
            raise UnreachableError(outcome.detail) from run.error
        if outcome.verdict is Verdict.AUTH:
            raise AuthError(outcome.detail) from run.error
        if outcome.learned.get("scope") == "own":
            raise QuotaError(outcome.detail, retry_after=outcome.retry_after_seconds)
        if outcome.verdict in (Verdict.RETRY, Verdict.AGAIN):
            raise TransientError(outcome.detail, retry_after=outcome.retry_after_seconds) from run.error
        raise PermanentError(outcome.reason, outcome.detail) from run.error

    @contextlib.contextmanager
    def download(
        self, request: Request, *, limit: int, size: int | None = None, url: str | None = None
    ) -> Iterator[Download]:
        """The content that a read names (or `url`, where an answer told one), as chunks, at most `limit` bytes.

        `size` in bytes as the source announced it gives the deadline: 60 s and one for each MiB; without it, of the
        limit. Raises as `get`, and PermanentError `file_too_large`; reading the chunks raises that or TransientError.
        """
        _require_read(request)
        authorization = self._channel.authorize()
        target = url or render(request, self._channel.account, {}, {}).url
        seconds = document_seconds(limit if size is None else size)
        with open_download(
            request, target, self._channel.account, authorization, limit=limit, seconds=seconds, verify=self._verify
        ) as opened:
            yield opened

    def close(self) -> None:
        """Close all pooled connections."""
        self._transport.close()


def _require_read(request: Request) -> None:
    if not is_read(request):
        raise ReadOnlyError(f"{request.method} {request.path} is a write, expected a read")

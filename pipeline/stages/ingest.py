"""Ingest's second half: claim source objects, read each once however many signals woke it, insert what is new.

The poll is an object too ('*'): its signals and its cursor move in one transaction, so a crash between two pages
repeats a page and loses nothing. No transaction is open while a source is asked.
"""

import logging
import random
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from pipeline.connector import Http, Source
from pipeline.documents import Copier
from pipeline.domain.reason import Reason
from pipeline.domain.retry import RetryPolicy
from pipeline.errors import AuthError, LeaseLostError, PermanentError, QuotaError, TransientError
from pipeline.stages.copies import Copies, Withheld
from pipeline.stages.keeper import Keeper
from pipeline.store import signals, targets
from pipeline.store.pool import AWAY, Conn
from pipeline.store.signals import POLL, Incoming, Opened

log = logging.getLogger(__name__)
AUTH_RETRY_SECONDS = 60.0
AWAY_RETRY_SECONDS = 5.0
READERS = 8
PAGES = 50  # of one poll in one turn; what is left is polled in the next, when others have had theirs


@dataclass(frozen=True)
class Reader:
    """One source with everything its reading needs. `connection` lends a database connection for a moment."""

    name: str
    source: Source
    http: Http  # for reading objects
    poll_http: Http  # for polls: they use up their own part of the rate limits
    connection: Callable[[], AbstractContextManager[Conn]]
    owner: str
    lease: timedelta = timedelta(seconds=120)
    poll_seconds: float = 60.0
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    copier: Copier | None = None  # None: files are named, never copied


@dataclass
class Ingested:
    """What one run read: objects, new changes, new signals; `again` says that more is due."""

    source: str
    objects: int = 0
    changes: int = 0
    failed: int = 0
    seconds: float = 0.0
    again: bool = False
    dead_letters: list[int] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.source}: {self.objects} read, {self.changes} changes, {self.failed} failed in {self.seconds:.1f} s"
        )


@dataclass(frozen=True)
class _Read:
    changes: int = 0
    failed: bool = False
    dead_letters: tuple[int, ...] = ()


def ingest(reader: Reader, *, run_seconds: float = 10.0, readers: int = READERS) -> Ingested:
    """Read what is due of one source until nothing is, at most about `run_seconds`."""
    out = Ingested(reader.name)
    started = time.monotonic()
    with ThreadPoolExecutor(readers, thread_name_prefix=f"read-{reader.name}") as pool:
        while time.monotonic() - started < run_seconds:
            with reader.connection() as conn:
                opened = signals.claim(conn, reader.name, owner=reader.owner, lease=reader.lease, limit=readers * 2)
            if not opened:
                out.seconds = time.monotonic() - started
                return out
            with Keeper(reader.connection, opened, reader.lease) as keeper:
                for result in pool.map(lambda one: keeper.done(one, _read(reader, one)), opened):
                    out.objects += 1
                    out.changes += result.changes
                    out.failed += result.failed
                    out.dead_letters += result.dead_letters
    out.again, out.seconds = True, time.monotonic() - started
    return out


def _read(reader: Reader, opened: Opened) -> _Read:
    """Read one object; what goes wrong is written down where it belongs.

    Where that cannot be done either, nothing is: the lease runs out, and the object is read again.
    """
    try:
        return _tried(reader, opened)
    except LeaseLostError:
        return _Read(failed=True)
    except AWAY as error:
        log.warning("object not read", extra={"source": reader.name, "error": str(error)})
        return _Read(failed=True)


def _tried(reader: Reader, opened: Opened) -> _Read:
    try:
        if opened.claimed.object == POLL:
            return _poll(reader, opened)
        return _object(reader, opened)
    except LeaseLostError:
        raise
    except AWAY as error:  # the ledger's trouble, not the object's
        with reader.connection() as conn:
            detail = f"{type(error).__name__}: {error}"
            signals.postpone(
                conn, opened, wait=AWAY_RETRY_SECONDS, reason=Reason.WAITING_RETRY, detail=detail, burn=False
            )
        return _Read(failed=True)
    except AuthError as error:
        return _refused(reader, opened, str(error))
    except TransientError as error:
        return _later(reader, opened, error)
    except PermanentError as error:
        return _dead(reader, opened, error.reason, error.detail)
    except Exception as error:  # noqa: BLE001 -- an answer that no reader foresaw must not stop the others
        return _dead(reader, opened, Reason.UNREADABLE, f"{type(error).__name__}: {error}")


def _object(reader: Reader, opened: Opened) -> _Read:
    reading = reader.source.read(opened.pending, reader.http)
    changes, given_up = reading.changes, tuple[Withheld, ...]()
    if reader.copier is not None:
        renew = partial(_renew, reader, opened)
        copies = Copies(reader.copier, reader.source, reader.policy, opened.claimed.tries, renew)
        changes, given_up = copies.of(reading.changes)
    with reader.connection() as conn, conn.transaction():
        new = signals.settle_object(conn, opened, changes, reading.known)
        letters = [
            letter
            for file in given_up
            for letter in signals.bury_file(conn, opened, file.change, reason=file.reason, detail=file.detail)
        ]
    return _Read(new, dead_letters=tuple(letters))


def _renew(reader: Reader, opened: Opened) -> None:
    with reader.connection() as conn:
        signals.extend(conn, opened, lease=reader.lease)


def _poll(reader: Reader, opened: Opened) -> _Read:
    with reader.connection() as conn:
        cursor: Mapping[str, object] | None = signals.cursor(conn, reader.name)
    if cursor is None:
        cursor = reader.source.start(reader.poll_http)
        with reader.connection() as conn:
            signals.move_cursor(conn, reader.name, cursor)
    found, more, pages = 0, True, 0
    while more and pages < PAGES:
        page = reader.source.poll(cursor, reader.poll_http)
        batch = [Incoming(reader.name, signal, {}, via="poll") for signal in page.signals]
        with reader.connection() as conn, conn.transaction():
            found += signals.receive(conn, batch)[0] if batch else 0
            signals.move_cursor(conn, reader.name, page.cursor)
            signals.extend(conn, opened, lease=reader.lease)
        more = page.more and page.cursor != cursor  # more behind the same cursor would be the same page for ever
        cursor, pages = page.cursor, pages + 1
    with reader.connection() as conn, conn.transaction():
        signals.settle_object(conn, opened, (), None, again=0 if more else reader.poll_seconds, found=found)
        targets.clear(conn, reader.name)
    return _Read()


def _refused(reader: Reader, opened: Opened, detail: str) -> _Read:
    """The log-in is refused: the whole source waits, one alarm is raised, no attempt is burnt."""
    reason = Reason.TARGET_REFUSES_LOGIN
    with reader.connection() as conn, conn.transaction():
        targets.block(conn, reader.name, seconds=AUTH_RETRY_SECONDS, reason=reason, detail=detail)
        signals.postpone(conn, opened, wait=AUTH_RETRY_SECONDS, reason=reason, detail=detail, burn=False)
    return _Read(failed=True)


def _later(reader: Reader, opened: Opened, error: TransientError) -> _Read:
    jitter = random.uniform(-1, 1)  # noqa: S311 -- spreads retries, no secret
    wait = reader.policy.wait(opened.claimed.tries, jitter=jitter, retry_after=error.retry_after)
    if opened.claimed.object == POLL:
        wait = min(wait or reader.poll_seconds, max(reader.poll_seconds, error.retry_after or 0))
    if wait is None:
        return _dead(reader, opened, Reason.RETRIES_EXHAUSTED, str(error))
    with reader.connection() as conn, conn.transaction():
        if error.retry_after is not None and not isinstance(error, QuotaError):
            reason = Reason.WAITING_QUOTA
            targets.block(conn, reader.name, seconds=min(error.retry_after, wait), reason=reason, detail=str(error))
        signals.postpone(conn, opened, wait=wait, reason=Reason.WAITING_RETRY, detail=str(error))
    return _Read(failed=True)


def _dead(reader: Reader, opened: Opened, reason: Reason, detail: str) -> _Read:
    """The object's signals end as dead letters; the poll itself never does, it is tried again."""
    with reader.connection() as conn, conn.transaction():
        if opened.claimed.object == POLL:
            signals.postpone(conn, opened, wait=reader.poll_seconds, reason=reason, detail=detail)
            return _Read(failed=True)
        letters = signals.bury_signals(conn, opened, reason=reason, detail=detail)
        signals.settle_object(conn, opened, (), None)
    return _Read(failed=True, dead_letters=tuple(letters))

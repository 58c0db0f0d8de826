# ruff: noqa: ARG002 -- fakes keep the signatures of the Protocols that they stand for
"""Ingest: one reading however many signals, failures where they belong, and nothing that stops the others."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from psycopg.errors import OperationalError
from psycopg_pool import ConnectionPool

from pipeline.connector import Http, Page, Pending, Reading, Signal
from pipeline.domain.reason import Reason
from pipeline.errors import AuthError, PermanentError, TransientError
from pipeline.stages.ingest import PAGES, Ingested, Reader, ingest
from pipeline.store import signals
from pipeline.store.pool import Conn, open_pool
from schemas.change import Change
from tests.stages.routes import change, ends

Answer = Callable[[Pending], Reading]


@dataclass
class Source:
    """Reads as scripted by object; an object without a script holds one post. Polls as `pages` says."""

    script: dict[str, Any] = field(default_factory=dict)
    reads: list[Pending] = field(default_factory=list)
    pages: Callable[[Mapping[str, Any]], Page] = lambda cursor: Page((), cursor)

    def receive(self, *_: Any) -> Signal:
        raise AssertionError("ingest reads and polls; receiving is the web's")

    def object_of(self, raw: bytes) -> str | None:
        return None

    def start(self, http: Http) -> Mapping[str, Any]:
        return {"page": 0}

    def poll(self, cursor: Mapping[str, Any], http: Http) -> Page:
        return self.pages(cursor)

    def read(self, pending: Pending, http: Http) -> Reading:
        self.reads.append(pending)
        answer = self.script.get(pending.object)
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            return answer(pending)  # type: ignore[no-any-return]
        return Reading((change(f"said:{pending.object}"),), {"seen": True})

    def recheck(self, change: Change, http: Http) -> bool:
        return True

    def content(self, *_: Any) -> tuple[()]:
        return ()


class NoHttp:
    """Nothing is sent in these tests."""

    def get(self, request: Any) -> Any:
        raise AssertionError(request)


@pytest.fixture
def pool(database_url: str) -> Iterator[ConnectionPool[Conn]]:
    """Connections as readers borrow them."""
    with open_pool(database_url, size=12) as opened:
        yield opened


@pytest.fixture
def reader(pool: ConnectionPool[Conn]) -> Reader:
    """A reader of Trading Grid with nothing scripted."""
    return Reader("trading_grid", Source(), NoHttp(), NoHttp(), pool.connection, "test")


def woken(conn: Conn, *objects: str, times: int = 1) -> None:
    """Webhooks about these objects."""
    found = [Signal(f"{name}/{n}", name, b"{}") for name in objects for n in range(times)]
    signals.receive(conn, [signals.Incoming("trading_grid", signal, {}) for signal in found])


def run(reader: Reader, source: Source | None = None) -> Ingested:
    """One round over what is due."""
    return ingest(replace(reader, source=source or reader.source), run_seconds=0.01, readers=2)


def row(conn: Conn, statement: str) -> Any:
    """One row of the ledger."""
    return conn.execute(statement.encode()).fetchone()


def test_ten_signals_cost_one_reading(conn: Conn, reader: Reader) -> None:
    """And the reading is told of all ten, and remembers for the next one."""
    woken(conn, "thread:1", times=10)
    source = Source()
    assert run(reader, source).changes == 1
    assert [len(pending.signals) for pending in source.reads] == [10]
    woken(conn, "thread:1", times=11)
    run(reader, source)
    assert source.reads[1].known == {"seen": True}
    assert row(conn, "select count(*) from signal where state = 'nothing_new'") == (1,)


def test_a_source_that_does_not_answer_is_asked_again(conn: Conn, reader: Reader) -> None:
    """The signals stay open, the object waits its time, nothing is dead."""
    woken(conn, "thread:1")
    assert run(reader, Source({"thread:1": TransientError("500")})).failed == 1
    assert row(conn, "select state from signal") == ("open",)
    assert row(conn, "select due > casebridge.now(), tries, reason from source_object") == (True, 1, "waiting_retry")


@pytest.mark.parametrize("error", [PermanentError(Reason.TARGET_GONE, "a\x00 404"), KeyError("id")])
def test_what_cannot_be_read_is_a_dead_letter(conn: Conn, reader: Reader, error: Exception) -> None:
    """With its reason, whatever characters the source's words hold; the object is not read for ever."""
    woken(conn, "thread:1")
    out = run(reader, Source({"thread:1": error}))
    reason = error.reason if isinstance(error, PermanentError) else Reason.UNREADABLE
    assert row(conn, "select state, reason from signal") == ("dead", reason)
    assert len(out.dead_letters) == 1
    assert row(conn, "select due from source_object") == (None,)


def test_a_refused_log_in_pauses_the_source(conn: Conn, reader: Reader) -> None:
    """No attempt is burnt, and nothing more of it is claimed for a minute."""
    woken(conn, "thread:1", "thread:2")
    source = Source({"thread:1": AuthError("401"), "thread:2": AuthError("401")})
    run(reader, source)
    conn.execute("update source_object set due = casebridge.now()")
    assert run(reader, source).objects == 0
    assert row(conn, "select max(tries) from source_object") == (0,)


def test_a_ledger_in_trouble_makes_no_dead_letter(conn: Conn, reader: Reader, pool: ConnectionPool[Conn]) -> None:
    """The pool is empty or the server restarts while a reading is stored: it is read again later."""
    woken(conn, "thread:1")
    troubles = [OperationalError("no connection within 10 s")]

    def answer(_: Pending) -> Reading:
        lent.append(True)
        return Reading((change("c1"),), {})

    lent: list[bool] = []

    @contextmanager
    def connection() -> Iterator[Conn]:
        if lent and troubles:
            raise troubles.pop()
        with pool.connection() as opened:
            yield opened

    out = run(replace(reader, connection=connection), Source({"thread:1": answer}))
    assert out.failed == 1
    assert row(conn, "select count(*) from dead_letter") == (0,)
    assert row(conn, "select state from signal") == ("open",)
    conn.execute("update source_object set due = casebridge.now()")
    assert run(reader).changes == 1


def test_a_reader_that_lost_its_object_stops_no_other(conn: Conn, reader: Reader) -> None:
    """Given a frozen reader whose object somebody else took over: it writes nothing, the others are read."""
    woken(conn, "thread:1", "thread:2")

    def lost(_: Pending) -> Reading:
        conn.execute("update source_object set nonce = 1 where object = 'thread:1'")
        raise PermanentError(Reason.TARGET_GONE, "404")

    out = run(reader, Source({"thread:1": lost}))
    assert (out.objects, out.failed, out.changes) == (2, 1, 1)
    assert row(conn, "select state from signal where object = 'thread:1'") == ("open",)


def test_more_signals_than_one_reading_takes_end_all_the_same(conn: Conn, reader: Reader) -> None:
    """A flood about one thread: every signal ends, and a quiet thread beside it ends with its first reading."""
    woken(conn, "thread:1", times=1200)
    woken(conn, "thread:2")
    source = Source()
    run(reader, source)
    assert row(conn, "select count(*) from signal where state = 'open' and object = 'thread:2'") == (0,)
    assert row(conn, "select due <= casebridge.now() from source_object where object = 'thread:1'") == (True,)
    run(reader, source)
    assert row(conn, "select count(*) from signal where state = 'open'") == (0,)
    assert row(conn, "select max(due) from source_object") == (None,)


def test_a_reading_may_last_longer_than_its_lease(conn: Conn, reader: Reader) -> None:
    """The lease is renewed while the source takes its time."""
    woken(conn, "thread:1")

    def slow(_: Pending) -> Reading:
        held, until = row(conn, "select due from source_object"), time.monotonic() + 10
        while row(conn, "select due from source_object") == held and time.monotonic() < until:
            conn.execute("select pg_sleep(0.01)")
        assert row(conn, "select due from source_object") > held
        return Reading((change("c1"),), {})

    assert run(replace(reader, lease=timedelta(seconds=0.4)), Source({"thread:1": slow})).changes == 1


def test_a_poll_stores_signals_and_cursor_together(conn: Conn, reader: Reader) -> None:
    """Given a poll that breaks on its second page, then the next one begins behind the first."""
    signals.ensure_poll(conn, "trading_grid")
    asked: list[Any] = []

    def pages(cursor: Mapping[str, Any]) -> Page:
        asked.append(cursor["page"])
        if len(asked) == 2:
            raise TransientError("500")
        return Page((Signal(f"e{cursor['page']}", "thread:1"),), {"page": cursor["page"] + 1}, more=len(asked) < 3)

    run(reader, Source(pages=pages))
    conn.execute("update source_object set due = casebridge.now() where object = '*'")
    run(reader, Source(pages=pages))
    assert asked == [0, 1, 1]
    assert row(conn, "select count(*) from signal") == (2,)


def test_a_poll_without_an_end_gives_others_their_turn(conn: Conn, reader: Reader) -> None:
    """After fifty pages it is due again at once, and its cursor is where it stopped."""
    signals.ensure_poll(conn, "trading_grid")
    run(reader, Source(pages=lambda cursor: Page((), {"page": cursor["page"] + 1}, more=True)))
    assert row(conn, "select value ->> 'page' from cursor") == (str(PAGES),)
    assert row(conn, "select due <= casebridge.now() from source_object") == (True,)


def test_a_page_that_does_not_move_the_cursor_is_the_last(conn: Conn, reader: Reader) -> None:
    """More behind the same cursor would be the same page again, for ever."""
    signals.ensure_poll(conn, "trading_grid")
    asked: list[int] = []

    def pages(cursor: Mapping[str, Any]) -> Page:
        asked.append(1)
        return Page((), cursor, more=True)

    run(reader, Source(pages=pages))
    assert len(asked) == 1


def test_what_happened_before_the_first_cursor_is_history(conn: Conn, reader: Reader) -> None:
    """It is recorded, and not acted on."""
    conn.execute("insert into cursor (source, value, began_at) values ('trading_grid', '{}', '2026-11-21 13:00Z')")
    woken(conn, "thread:1")
    run(reader)
    assert ends(conn) == {"said:thread:1": "skipped: not_routed"}

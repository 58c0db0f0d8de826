"""What a slow, broken or endless server can do to a sender: nothing beyond the deadline and the cap."""

import gzip
import threading
import time
import tracemalloc
from typing import Any

import pytest

from pipeline.answers import judge_by_status
from pipeline.domain.reason import Reason
from pipeline.errors import TransientError, UnreachableError
from pipeline.http.call import Call, underway
from pipeline.http.transport import Transport
from pipeline.http.wire import Wire
from pipeline.plan import Outcome, Plan, Request, Verdict
from tests.http.conftest import MakeExecutor
from tests.http.server import Handler, Script, Seen, Server, answering

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def dripping(piece: bytes, first: bytes, server: Server) -> Script:
    """Sends a piece again and again, each well within the time-out of a single read, until the client is gone."""

    def script(handler: Handler, seen: Seen) -> None:
        handler.raw(first)
        while not server.done.wait(0.02):
            handler.raw(piece)

    return script


def a_write(**members: Any) -> Plan:
    return Plan("desk", (Request("comment", "POST", "/comments", body={"text": "Hello"}, **members),))


def sent(make: MakeExecutor, **members: Any) -> Outcome:
    return make().run(a_write(**members), judge=judge_by_status).outcome


@pytest.mark.parametrize(
    ("first", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a"),
        (HEAD + b"Content-Length: 100000\r\n\r\n", b"1"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n1\r\n"),
        (HEAD + b"Connection: close\r\n\r\n", b"1"),
    ],
    ids=["headers", "body", "chunks", "body without length"],
)
def test_a_drip_ends_at_the_total_deadline(server: Server, make: MakeExecutor, first: bytes, piece: bytes) -> None:
    """Given a server that drips for ever, when the deadline is over, then the thread is back and the write unknown."""
    server.scripts["/api/v2/comments"] = dripping(piece, first, server)
    outcome = sent(make, deadline_seconds=0.2)
    assert (outcome.verdict, outcome.reason) == (Verdict.UNKNOWN, Reason.MAY_HAVE_HAPPENED)
    assert "before the deadline" in outcome.detail


def test_a_drip_delays_a_read(server: Server, make: MakeExecutor) -> None:
    """A read changes nothing, so the same drip is merely tried again."""
    server.scripts["/api/v2/comments"] = dripping(b"a", b"HTTP/1.1 200 OK\r\nX: ", server)
    assert sent(make, deadline_seconds=0.2, reads=True).verdict is Verdict.RETRY


def test_a_finished_call_is_left_alone() -> None:
    """Given a call that ended in time, when its deadline passes, then nothing is shut and it is not marked late."""
    call = Call(60, before_send=None, allow_private=True)
    with underway(call):
        pass
    call.expire()
    assert not call.expired


def test_a_connection_in_the_pool_is_left_alone(server: Server) -> None:
    """Given an answer that was read to its end, when the deadline strikes just then, then the connection lives on."""
    transport = Transport(pool_size=1)
    wire = Wire("GET", f"{server.url}/x", {})
    with underway(Call(60, before_send=None, allow_private=True)) as call:
        assert transport.open(wire, call).read() == b"{}"
        call.expire()
    assert transport.send(wire, Call(60, before_send=None, allow_private=True), 100).status == 200
    transport.close()
    assert server.seen[0].peer == server.seen[1].peer


def test_a_connection_survives_the_deadline_of_an_earlier_call(server: Server, make: MakeExecutor) -> None:
    """Given two calls on one connection, the first one's deadline must not hit the second."""
    executor = make()
    first = executor.run(a_write(deadline_seconds=0.15), judge=judge_by_status)
    reached = threading.Event()

    def slow(handler: Handler, seen: Seen) -> None:
        reached.set()
        server.done.wait(0.3)
        handler.answer(200)

    server.scripts["/api/v2/comments"] = slow
    second = executor.run(a_write(), judge=judge_by_status)
    assert (first.outcome.verdict, second.outcome.verdict) == (Verdict.DONE, Verdict.DONE)
    assert reached.is_set()
    assert server.seen[0].peer == server.seen[1].peer


def test_a_reset_after_the_request_leaves_a_write_unknown(server: Server, make: MakeExecutor) -> None:
    """The request arrived and the connection was reset: a write may have happened, a read is tried again."""
    server.scripts["/api/v2/comments"] = lambda handler, _: handler.reset()
    assert sent(make).verdict is Verdict.UNKNOWN
    assert sent(make, reads=True).verdict is Verdict.RETRY
    with pytest.raises(TransientError):
        make().get(Request("comment", "GET", "/comments"))


def test_a_refused_connection_sends_nothing(make: MakeExecutor, server: Server) -> None:
    """Nobody listens: nothing was sent, so even a write is simply tried again, and a reader hears of it by name."""
    executor = make(root_url="http://127.0.0.1:1")
    result = executor.run(a_write(), judge=judge_by_status)
    assert (result.outcome.verdict, result.exchanges[0].sent) == (Verdict.RETRY, False)
    with pytest.raises(UnreachableError, match=r"no connection to 127\.0\.0\.1:1"):
        executor.get(Request("x", "GET", "/x"))


def test_an_unknown_name_sends_nothing(make: MakeExecutor) -> None:
    """A name that does not resolve is unreachable, not dead."""
    outcome = make(root_url="http://nowhere.invalid").run(a_write(), judge=judge_by_status).outcome
    assert (outcome.verdict, "cannot be resolved" in outcome.detail) == (Verdict.RETRY, True)


def test_a_shorter_body_than_announced_is_no_success(server: Server, make: MakeExecutor) -> None:
    """The server promised a hundred bytes and ended after two."""

    def cut(handler: Handler, seen: Seen) -> None:
        handler.raw(HEAD + b"Content-Length: 100\r\n\r\n{}")
        handler.close_connection = True

    server.scripts["/api/v2/comments"] = cut
    assert sent(make).verdict is Verdict.UNKNOWN


def test_a_refusal_with_a_broken_body_is_still_a_refusal(server: Server, make: MakeExecutor) -> None:
    """A 422 says enough by its status: nothing happened, whatever became of the explanation."""

    def cut(handler: Handler, seen: Seen) -> None:
        handler.raw(b"HTTP/1.1 422 No\r\nContent-Length: 100\r\n\r\nbecause")
        handler.close_connection = True

    server.scripts["/api/v2/comments"] = cut
    outcome = sent(make)
    assert outcome.verdict is Verdict.DEAD
    assert outcome.reason is Reason.REJECTED


def test_a_gzip_bomb_is_not_unpacked(server: Server, make: MakeExecutor) -> None:
    """64 MiB of zeros in 64 kB: read up to the cap of a write and no further."""
    bomb = gzip.compress(bytes(64 * 1024 * 1024))
    server.scripts["/api/v2/comments"] = answering(200, bomb, content_encoding="gzip")
    tracemalloc.start()
    try:
        outcome = sent(make)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 16 * 1024 * 1024
    assert (outcome.verdict, "larger than 1048576 bytes" in outcome.detail) == (Verdict.UNKNOWN, True)


def test_an_endless_answer_is_cut_at_the_cap(server: Server, make: MakeExecutor) -> None:
    """More than 1 MiB in answer to a write is not read, and the connection is not used again."""
    server.scripts["/api/v2/comments"] = answering(200, b"1" * 2_000_000)
    executor = make()
    assert executor.run(a_write(), judge=judge_by_status).outcome.verdict is Verdict.UNKNOWN
    server.scripts.clear()
    assert executor.run(a_write(), judge=judge_by_status).outcome.verdict is Verdict.DONE
    assert server.seen[0].peer != server.seen[1].peer


def test_a_compressed_answer_is_read(server: Server, make: MakeExecutor) -> None:
    """Gzip within the cap comes out as it went in."""
    server.scripts["/api/v2/item"] = answering(200, gzip.compress(b'{"id":7}'), content_encoding="gzip")
    assert make().get(Request("item", "GET", "/item")).json == {"id": 7}


def test_a_garbled_status_line_leaves_a_write_unknown(server: Server, make: MakeExecutor) -> None:
    """What does not speak HTTP may still have done its work."""
    server.scripts["/api/v2/comments"] = lambda handler, _: handler.raw(b"SSH-2.0-surprise\r\n")
    assert sent(make).verdict is Verdict.UNKNOWN


def test_connections_are_kept(server: Server, make: MakeExecutor) -> None:
    """Ten requests in a row go over one connection."""
    executor = make()
    for _ in range(10):
        executor.run(a_write(), judge=judge_by_status)
    assert len({seen.peer for seen in server.seen}) == 1


def test_a_connection_closed_meanwhile_is_replaced(server: Server, make: MakeExecutor) -> None:
    """Given a server that closed an idle connection, the next write goes out on a new one and is no failure."""

    def last(handler: Handler, seen: Seen) -> None:
        handler.answer(200)
        handler.close_connection = True  # without saying so in a header

    server.scripts["/api/v2/comments"] = last
    executor = make()
    assert executor.run(a_write(), judge=judge_by_status).outcome.verdict is Verdict.DONE
    until = time.monotonic() + 5
    while threading.active_count() > 2 and time.monotonic() < until:
        server.done.wait(0.01)
    assert executor.run(a_write(), judge=judge_by_status).outcome.verdict is Verdict.DONE

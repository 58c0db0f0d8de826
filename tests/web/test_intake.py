"""Bodies: bounded before they are read, while they are read, and in time; slow peers cost nobody else anything."""

import json
import resource
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.store.pool import Conn
from tests.web.served import GEMINI_TOKEN, Serve, Served, count, ticket, until, zendesk_headers
from workers.web import protocol
from workers.web.settings import WebSettings

LIMIT = 4096
PATH = f"/hooks/gemini/{GEMINI_TOKEN}"
HEAD = f"POST {PATH} HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture
def small(serve: Serve) -> Served:
    """A process with a limit of 4 kB and a body deadline of a moment."""
    return serve(settings=WebSettings(body_limit=LIMIT, body_seconds=0.3))


def status_of(peer: socket.socket) -> int:
    """The status of the next answer; 0 when the connection ended without one."""
    try:
        line = peer.recv(65536)
    except ConnectionResetError:
        return 0
    return int(line.split()[1]) if line else 0


def until_closed(peer: socket.socket) -> bytes:
    """Everything that comes until the other side closes."""
    answers = b""
    while data := peer.recv(65536):
        answers += data
    return answers


def test_sizes(small: Served) -> None:
    """Up to the limit a body is taken, whatever is in it; one byte more is too large."""
    for size, status in ((0, 202), (1, 202), (LIMIT, 202), (LIMIT + 1, 413)):
        assert small.post(PATH, b"x" * size).status_code == status, size


def test_declared_too_large(small: Served) -> None:
    """A gigabyte is refused by its header alone: not one byte of it is awaited."""
    with small.connect() as peer:
        peer.sendall(f"{HEAD}Content-Length: {2**30}\r\n\r\n".encode())
        assert status_of(peer) == 413


def test_large_is_answered_while_it_is_sent(small: Served) -> None:
    """A sender in the midst of its megabytes still reads the answer instead of a reset connection."""
    answer = small.post(PATH, b"x" * 2_000_000)
    assert answer.status_code == 413
    assert answer.json()["detail"] == f"At most {LIMIT} bytes are taken."


def test_chunks_without_end(small: Served) -> None:
    """Chunks are counted while they come: the answer comes at limit + 1, and the connection ends soon after."""
    chunk = b"400\r\n" + b"x" * 1024 + b"\r\n"
    with small.connect() as peer:
        peer.sendall(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode() + chunk * 5)
        assert status_of(peer) == 413

        def refuses() -> bool:
            try:
                peer.sendall(chunk * 50)
            except OSError:
                return True
            return False

        until(refuses, "the connection is closed")


def test_content_length_too_long(small: Served, ledger: Conn) -> None:
    """A body that never comes whole ends with 408 and is not stored."""
    with small.connect() as peer:
        peer.sendall(f"{HEAD}Content-Length: 100\r\n\r\nonly this".encode())
        assert status_of(peer) == 408
    assert count(ledger, "signal") == 0


def test_content_length_too_short(small: Served, ledger: Conn) -> None:
    """What stands beyond the declared length is no part of the body, and no request either."""
    item = json.dumps({"Issue": {"Id": 1}}).encode()
    with small.connect() as peer:
        peer.sendall(f"{HEAD}Content-Length: {len(item)}\r\n\r\n".encode() + item + b"smuggled\r\n\r\n")
        answers = until_closed(peer)
    assert answers.startswith(b"HTTP/1.1 202 ")
    assert b"HTTP/1.1 400 " in answers
    assert count(ledger, "signal") == 1


NO_HTTP = (
    "Content-Length: -1",
    "Content-Length: many",
    "Content-Length: 1\r\nContent-Length: 2",
    "Content-Length: 5\r\nTransfer-Encoding: gzip, chunked",
    "Transfer-Encoding: gzip",
)


def test_not_http(small: Served) -> None:
    """Lengths that contradict themselves, and codings that nobody asked for, are no HTTP."""
    for header in NO_HTTP:
        with small.connect() as peer:
            peer.sendall(f"{HEAD}{header}\r\n\r\nabcde".encode())
            assert status_of(peer) in {400, 501}, header


def test_sender_that_leaves(small: Served) -> None:
    """A sender that hangs up in the middle harms nobody."""
    with small.connect() as peer:
        peer.sendall(f"{HEAD}Content-Length: 100\r\n\r\nhalf".encode())
    assert small.post(PATH, b"{}").status_code == 202


def test_compressed_stays_compressed(small: Served, ledger: Conn) -> None:
    """Nothing is unpacked: a bomb is kept as the few bytes that it is."""
    bomb = b"\x1f\x8b" + b"\x00" * 100
    assert small.post(PATH, bomb, {"Content-Encoding": "gzip"}).status_code == 202
    assert ledger.execute("select raw from inbox").fetchall() == [(bomb,)]


def test_room_in_all(serve: Serve) -> None:
    """More bytes in hand than there is room for are 503 with a time to come back, and the room is given back."""
    served = serve(settings=WebSettings(room_bytes=1000))
    answer = served.post(PATH, b"x" * 1001)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert [served.post(PATH, b"x" * 999).status_code for _ in range(3)] == [202] * 3


def test_requests_in_all(serve: Serve) -> None:
    """So are more requests than places; a place is free again when its request ends."""
    served = serve(settings=WebSettings(room_requests=1))
    with served.connect() as peer:
        peer.sendall(f"{HEAD}Content-Length: 100\r\n\r\nhalf".encode())
        until(lambda: served.post(PATH, b"{}").status_code == 503, "the only place is taken")
    until(lambda: served.post(PATH, b"{}").status_code == 202, "the place is free again")


def test_slow_headers(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer that does not finish its headers is sent away, be it the first request or a later one."""
    monkeypatch.setattr(protocol, "HEADER_SECONDS", 0.2)
    with served.connect() as first, served.connect() as second:
        first.sendall(b"POST /hooks/zend")
        second.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert status_of(second) == 200
        second.sendall(b"GET /hea")
        assert until_closed(first) == b""
        assert b"HTTP/1.1" not in until_closed(second)


def test_slowloris(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five hundred peers that hold back their headers or bodies for ever keep nobody else waiting."""
    monkeypatch.setattr(protocol, "HEADER_SECONDS", 3600.0)
    served = serve(settings=WebSettings(body_seconds=3600.0))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 2000:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(2000, hard), hard))
    peers = [served.connect() for _ in range(500)]
    try:
        for number, peer in enumerate(peers):
            peer.sendall(b"POST /ho" if number % 2 else f"{HEAD}Content-Length: 9\r\n\r\n{{".encode())
        body = ticket(1)
        headers = zendesk_headers(body)
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(lambda _: served.post("/hooks/zendesk", body, headers).status_code, range(40)))
        assert answers == [202] * 40
    finally:
        for peer in peers:
            peer.close()

"""Downloads: streamed, limited, redirected a few times, and never with our log-in to somebody else."""

from collections.abc import Iterator

import pytest

from pipeline.domain.reason import Reason
from pipeline.errors import AuthError, PermanentError, RefusedAddressError, TransientError
from pipeline.http import Executor
from pipeline.plan import Request
from tests.http.conftest import MakeExecutor
from tests.http.server import Handler, Seen, Server, answering, serving

FILE = Request("file", "GET", "/file", reads=True)
CONTENT = bytes(range(256)) * 5000


@pytest.fixture
def executor(make: MakeExecutor) -> Executor:
    return make(headers={"authorization": "Bearer ours-alone"})


@pytest.fixture
def elsewhere() -> Iterator[Server]:
    """Another host (another port is one)."""
    with serving() as running:
        yield running


def content(executor: Executor, limit: int = 10_000_000, url: str | None = None) -> bytes:
    with executor.download(FILE, limit=limit, url=url) as download:
        return b"".join(download.chunks)


def test_a_file_comes_whole(server: Server, executor: Executor) -> None:
    """The bytes as they are, with our log-in, and the headers for whoever needs the type."""
    server.scripts["/api/v2/file"] = answering(200, CONTENT, content_type="image/png")
    with executor.download(FILE, limit=len(CONTENT)) as download:
        assert download.headers["content-type"] == "image/png"
        assert b"".join(download.chunks) == CONTENT
    assert server.seen[0].headers["authorization"] == "Bearer ours-alone"


def test_an_announced_excess_is_refused_at_once(server: Server, executor: Executor) -> None:
    """The length tells that it is too large."""
    server.scripts["/api/v2/file"] = answering(200, CONTENT)
    with pytest.raises(PermanentError) as raised, executor.download(FILE, limit=100):
        pytest.fail("opened")
    assert raised.value.reason is Reason.FILE_TOO_LARGE


def test_an_excess_that_nobody_announced_is_cut(server: Server, executor: Executor) -> None:
    """Without a length the limit is met while reading."""

    def endless(handler: Handler, seen: Seen) -> None:
        handler.raw(b"HTTP/1.1 200 OK\r\n\r\n")
        while not server.done.is_set():
            handler.raw(CONTENT)

    server.scripts["/api/v2/file"] = endless
    with pytest.raises(PermanentError) as raised:
        content(executor, limit=300_000)
    assert raised.value.reason is Reason.FILE_TOO_LARGE


def test_a_broken_download_is_tried_again(server: Server, executor: Executor) -> None:
    """Fewer bytes than announced are no file."""

    def cut(handler: Handler, seen: Seen) -> None:
        handler.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
        handler.close_connection = True

    server.scripts["/api/v2/file"] = cut
    with pytest.raises(TransientError, match="broke off"):
        content(executor)


def test_a_redirect_on_the_same_host_keeps_the_log_in(server: Server, executor: Executor) -> None:
    """Relative places count from where they were said."""
    server.scripts |= {"/api/v2/file": answering(302, location="moved"), "/api/v2/moved": answering(200, CONTENT)}
    assert content(executor) == CONTENT
    assert server.seen[1].headers["authorization"] == "Bearer ours-alone"


def test_a_redirect_to_the_inside_is_refused(server: Server, executor: Executor, elsewhere: Server) -> None:
    """Given a redirect to another host, then plain HTTP and inside addresses are refused whatever our target may."""
    server.scripts["/api/v2/file"] = answering(302, location=f"{elsewhere.url}/x")
    with pytest.raises(RefusedAddressError, match="not https"):
        content(executor)
    server.scripts["/api/v2/file"] = answering(302, location=f"https://127.0.0.1:{elsewhere.server_address[1]}/x")
    with pytest.raises(RefusedAddressError, match="private"):
        content(executor)
    assert elsewhere.seen == []


def test_a_circle_of_redirects_ends(server: Server, executor: Executor) -> None:
    """Three are followed, the fourth is not."""
    server.scripts["/api/v2/file"] = answering(302, location="/api/v2/file")
    with pytest.raises(PermanentError, match="redirects"):
        content(executor)
    assert len(server.seen) == 4


def test_a_foreign_address_out_of_an_answer_gets_no_log_in(executor: Executor, elsewhere: Server) -> None:
    """An address that content names is held to the strict guard from the first hop."""
    with pytest.raises(RefusedAddressError):
        content(executor, url=f"{elsewhere.url}/x")
    assert elsewhere.seen == []


def test_a_host_that_is_not_ours_never_sees_our_log_in(
    server: Server, executor: Executor, elsewhere: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a foreign host that may be called (the guard is lifted here), then it is called as a stranger."""
    monkeypatch.setattr("pipeline.http.download.check_scheme", lambda *_args, **_named: None)
    monkeypatch.setattr("pipeline.http.connection.check_address", lambda *_args, **_named: None)
    server.scripts["/api/v2/file"] = answering(302, location=f"{elsewhere.url}/x")
    assert content(executor) == b"{}"
    assert "authorization" in server.seen[0].headers
    assert "authorization" not in elsewhere.seen[0].headers


@pytest.mark.parametrize(("status", "error"), [(404, PermanentError), (401, AuthError), (503, TransientError)])
def test_a_refused_download_says_why(server: Server, executor: Executor, status: int, error: type[Exception]) -> None:
    """As for every other read."""
    server.scripts["/api/v2/file"] = answering(status)
    with pytest.raises(error, match=str(status)):
        content(executor)


def test_other_calls_are_possible_while_it_is_read(server: Server, executor: Executor) -> None:
    """Given a download in hand, when the same thread asks something else, then both come through."""
    server.scripts["/api/v2/file"] = answering(200, CONTENT)
    with executor.download(FILE, limit=len(CONTENT)) as download:
        first = next(download.chunks)
        assert executor.get(Request("a", "GET", "/a")).status == 200
        assert first + b"".join(download.chunks) == CONTENT

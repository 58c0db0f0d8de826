"""Copying a file from its source: from a real server into a real store."""

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs

from pipeline.connector import Account, Content
from pipeline.documents import Copier, Documents, MismatchError
from pipeline.documents.copying import LARGE
from pipeline.domain.reason import Reason
from pipeline.errors import AuthError, LeaseLostError, PermanentError, TransientError
from pipeline.http import Executor
from pipeline.plan import Request
from schemas.content import File
from tests.http.server import Handler, Seen, Server, answering, serving

BYTES = b"%PDF-1.7 " + bytes(range(256)) * 300
SHA256 = hashlib.sha256(BYTES).hexdigest()
FILE = File("7", "invoice.pdf", "application/pdf", len(BYTES))
WAY = Content(Request("content", "GET", "/files/7", reads=True))
LINK = Content(Request("link", "GET", "/link", reads=True))


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def documents(tmp_path: Path) -> Documents:
    return Documents.at(None, tmp_path)


@pytest.fixture
def executor(server: Server) -> Iterator[Executor]:
    account = Account("desk", server.url, "", {"authorization": "Bearer ours"}, allow_private=True, allow_http=True)
    made = Executor(account, tokens=None, limiter=None, mode="read")
    yield made
    made.close()


@pytest.fixture
def copier(documents: Documents, executor: Executor) -> Copier:
    return Copier(documents, executor)


def never() -> None:
    """A lease that holds."""


def test_a_copied_file_knows_its_hash_and_size(server: Server, copier: Copier, documents: Documents) -> None:
    """Given a source that tells neither hash nor size, when copied, then the file has both and its bytes are kept."""
    server.scripts["/files/7"] = answering(200, BYTES, content_type="application/pdf")
    copied = copier.copy([WAY], structs.replace(FILE, size=0), never)
    assert (copied.stored, copied.sha256, copied.size) == (SHA256, SHA256, len(BYTES))
    assert b"".join(documents.open(SHA256)) == BYTES


def test_what_is_in_the_store_is_not_fetched(server: Server, copier: Copier, documents: Documents) -> None:
    """Given a source that tells a hash which is there, when copied, then the source is not asked."""
    documents.put([BYTES], limit=len(BYTES))
    assert copier.copy([WAY], structs.replace(FILE, sha256=SHA256.upper()), never).stored == SHA256
    assert server.seen == []


@pytest.mark.parametrize("told", [{"sha256": "ab" * 32}, {"size": 5}, {"size": len(BYTES) + 1}])
def test_other_bytes_than_told_are_a_mismatch(server: Server, copier: Copier, told: dict[str, object]) -> None:
    """Given bytes of another hash or size than the source tells, when copied, then MismatchError is raised."""
    server.scripts["/files/7"] = answering(200, BYTES, content_type="application/pdf")
    with pytest.raises(MismatchError):
        copier.copy([WAY], structs.replace(FILE, **told), never)


def test_a_web_page_is_not_taken_for_the_file(server: Server, copier: Copier) -> None:
    """Given a log-in page instead of a file of unknown size, when copied, then it is a mismatch."""
    server.scripts["/files/7"] = answering(200, b"<html>Log in</html>", content_type="text/html; charset=utf-8")
    with pytest.raises(MismatchError, match="web page"):
        copier.copy([WAY], structs.replace(FILE, size=0), never)


@pytest.mark.parametrize("status", [401, 404, 400])
def test_the_next_way_is_tried(server: Server, copier: Copier, status: int) -> None:
    """Given two ways of which the first is refused, when copied, then the second brings the bytes."""
    server.scripts["/files/7"] = answering(status)
    server.scripts["/link"] = answering(200, BYTES, content_type="application/pdf")
    assert copier.copy([WAY, LINK], FILE, never).stored == SHA256


def test_silence_is_not_answered_by_another_way(server: Server, copier: Copier) -> None:
    """Given a first way that is only down, when copied, then it is tried again later and the second is left alone."""
    server.scripts["/files/7"] = answering(503)
    with pytest.raises(TransientError):
        copier.copy([WAY, LINK], FILE, never)
    assert [seen.target for seen in server.seen] == ["/files/7"]


def test_without_a_way_that_works_the_last_refusal_tells(server: Server, copier: Copier) -> None:
    """Given ways that all refuse, when copied, then the last one's refusal is what is raised; none is a refusal too."""
    server.scripts["/files/7"] = answering(404)
    server.scripts["/link"] = answering(401)
    with pytest.raises(AuthError):
        copier.copy([WAY, LINK], FILE, never)
    with pytest.raises(PermanentError, match="names no way"):
        copier.copy([], FILE, never)


def test_a_file_above_the_limit_is_not_even_asked_for(server: Server, documents: Documents, executor: Executor) -> None:
    """Given a size above our limit, when copied, then it is refused by its reason and the source is not asked."""
    with pytest.raises(PermanentError) as refused:
        Copier(documents, executor, limit=100).copy([WAY], FILE, never)
    assert refused.value.reason is Reason.FILE_TOO_LARGE
    assert server.seen == []


def test_a_lease_that_is_lost_ends_the_copy(server: Server, documents: Documents, executor: Executor) -> None:
    """Given another reader that took the object over, when the lease is renewed meanwhile, then nothing is kept."""

    def lost() -> None:
        raise LeaseLostError("another reader took it over")

    server.scripts["/files/7"] = answering(200, BYTES, content_type="application/pdf")
    with pytest.raises(LeaseLostError):
        Copier(documents, executor, renew_seconds=0).copy([WAY], FILE, lost)
    assert not documents.has(SHA256)


def test_two_large_copies_at_once_and_no_more(server: Server, documents: Documents, executor: Executor) -> None:
    """Given three large files and a gate for two, when copied at once, then the third waits and renews its lease."""
    large = b"x" * (LARGE + 1)
    arrived, release, renewed = threading.Semaphore(0), threading.Event(), threading.Event()

    def slow(handler: Handler, _seen: Seen) -> None:
        arrived.release()
        release.wait(30)
        handler.answer(200, large, content_type="application/pdf")

    server.scripts["/files/7"] = slow
    copier = Copier(documents, executor, renew_seconds=0.01)
    file = structs.replace(FILE, size=len(large))
    threads = [threading.Thread(target=copier.copy, args=([WAY], file, renewed.set)) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        assert arrived.acquire(timeout=30)
        assert arrived.acquire(timeout=30)
        assert renewed.wait(30)  # the third one waits at the gate
        assert len(server.seen) == 2
    finally:
        release.set()
        for thread in threads:
            thread.join(30)
    assert len(server.seen) == 3
    assert documents.has(hashlib.sha256(large).hexdigest())

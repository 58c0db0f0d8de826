"""The document store: contents by their SHA-256, verified on their way in and on their way out."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import obstore
import pytest

from pipeline.documents import Documents, MismatchError
from pipeline.domain.reason import Reason
from pipeline.environment import read
from pipeline.errors import ConfigurationError, PermanentError

LIMIT = 32 * 1024 * 1024
INVOICE = b"%PDF-1.7 an invoice"
SHA256 = hashlib.sha256(INVOICE).hexdigest()


@pytest.fixture
def documents(tmp_path: Path) -> Documents:
    return Documents.at(None, tmp_path / "documents")


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_what_is_put_can_be_opened_by_its_hash(documents: Documents) -> None:
    """Given a content in pieces, when it is put, then its SHA-256 and size come back and open gives the same bytes."""
    assert documents.put([INVOICE[:7], INVOICE[7:]], limit=LIMIT) == (SHA256, len(INVOICE))
    assert documents.has(SHA256)
    assert b"".join(documents.open(SHA256)) == INVOICE


@pytest.mark.parametrize("size", [0, 1, 1024 * 1024, 11 * 1024 * 1024 + 3])
def test_every_size_survives(documents: Documents, size: int) -> None:
    """Given an empty, a tiny and a large content, when put and opened, then nothing is lost at any boundary."""
    content = os.urandom(size)
    sha256, length = documents.put([content], limit=LIMIT)
    assert length == size
    assert b"".join(documents.open(sha256)) == content


def test_the_same_content_is_kept_once(documents: Documents, tmp_path: Path) -> None:
    """Given a content that is there, when it is put again, then the object that is there stays as it is."""
    documents.put([INVOICE], limit=LIMIT)
    before = [(path, path.stat().st_ino) for path in files_in(tmp_path)]
    documents.put([INVOICE], limit=LIMIT)
    assert [(path, path.stat().st_ino) for path in files_in(tmp_path)] == before
    assert len(before) == 1


@pytest.mark.parametrize("announced", [{"sha256": "ab" * 32}, {"size": 5}])
def test_bytes_that_were_not_announced_are_not_kept(
    documents: Documents, tmp_path: Path, announced: dict[str, object]
) -> None:
    """Given another SHA-256 or size than announced, when put, then MismatchError is raised and nothing is left."""
    with pytest.raises(MismatchError):
        documents.put([INVOICE], limit=LIMIT, **announced)  # type: ignore[arg-type]  # both kinds in one table
    assert files_in(tmp_path) == []


def test_a_hash_in_capitals_is_the_same_hash(documents: Documents) -> None:
    """Given a source that writes hex digits in capitals, when put, then they are compared as numbers are."""
    assert documents.put([INVOICE], limit=LIMIT, sha256=SHA256.upper())[0] == SHA256


def test_too_much_is_refused_while_it_comes(documents: Documents, tmp_path: Path) -> None:
    """Given an endless source, when it passes the limit, then no more is read and nothing is left."""
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield b"x" * 1024

    with pytest.raises(PermanentError) as refused:
        documents.put(endless(), limit=10 * 1024)
    assert refused.value.reason is Reason.FILE_TOO_LARGE
    assert read == 11
    assert files_in(tmp_path) == []


def test_a_source_that_breaks_off_leaves_nothing(documents: Documents, tmp_path: Path) -> None:
    """Given a download that breaks midway, when put, then its own error comes through and nothing is left."""

    def broken() -> Iterator[bytes]:
        yield INVOICE
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        documents.put(broken(), limit=LIMIT)
    assert files_in(tmp_path) == []


def test_damage_in_the_store_is_found_before_the_last_piece(documents: Documents, tmp_path: Path) -> None:
    """Given a stored content that lost a bit, when opened, then it never arrives whole."""
    content = os.urandom(3 * 1024 * 1024)
    sha256, _ = documents.put([content], limit=LIMIT)
    (path,) = files_in(tmp_path)
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    arrived: list[bytes] = []
    with pytest.raises(OSError, match="damaged"):
        arrived.extend(documents.open(sha256))
    assert sum(map(len, arrived)) < len(content)


def test_what_is_not_there_is_said_so(documents: Documents) -> None:
    """Given a content that was never put, when asked for, then has says no and open raises FileNotFoundError."""
    assert not documents.has(SHA256)
    with pytest.raises(FileNotFoundError):
        next(documents.open(SHA256))


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "ab" * 31])
def test_only_hashes_name_contents(documents: Documents, name: str) -> None:
    """Given a name that is no SHA-256, when asked for, then it is refused before the store sees a path."""
    with pytest.raises(ValueError, match="64 hex digits"):
        documents.has(name)


def test_a_file_address_names_a_folder(tmp_path: Path) -> None:
    """Given CASEBRIDGE_DOCUMENTS_URL with file://, when put, then the content lies below that folder."""
    documents = Documents.at(f"file://{tmp_path}/elsewhere", tmp_path / "documents")
    documents.put([INVOICE], limit=LIMIT)
    assert [path.name for path in files_in(tmp_path / "elsewhere")] == [SHA256]
    assert not (tmp_path / "documents").exists()


def test_a_process_that_moves_no_file_needs_no_folder(tmp_path: Path) -> None:
    """Given a store that nobody uses, when it is made, then no folder is."""
    Documents.at(None, tmp_path / "documents")
    assert not (tmp_path / "documents").exists()


@pytest.mark.parametrize(
    ("url", "accepted"),
    [
        ("s3://bucket/folder", True),
        ("gs://bucket", True),
        ("az://container", True),
        ("file:///srv/documents", True),
        ("memory:///", False),
        ("http://files.example/", False),
        ("/srv/documents", False),
    ],
)
def test_the_environment_names_stores_that_outlive_a_process(url: str, *, accepted: bool) -> None:
    """Given CASEBRIDGE_DOCUMENTS_URL, when read, then stores that all processes share are taken, others refused."""
    env = {"CASEBRIDGE_SECRET_KEY": "0123456789abcdef", "CASEBRIDGE_DOCUMENTS_URL": url}
    if accepted:
        assert read(env, {}).documents_url == url
    else:
        with pytest.raises(ConfigurationError, match="s3://, gs://, az:// or file://"):
            read(env, {})


def test_a_store_that_does_not_answer_breaks_the_transfer(
    documents: Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given an outage of the store, when a document is sent, then its sender sees a broken transfer, tried again."""
    documents.put([INVOICE], limit=LIMIT)

    def away(*_: object) -> None:
        raise obstore.exceptions.GenericError("503 after ten tries")

    monkeypatch.setattr(obstore, "get", away)
    with pytest.raises(OSError, match="does not answer"):
        b"".join(documents.open(SHA256))

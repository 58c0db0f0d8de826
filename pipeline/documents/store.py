"""The store: one object for each content, named by its SHA-256. The only door to obstore."""

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, partial
from pathlib import Path
from typing import IO

import obstore
from obstore.store import LocalStore, ObjectStore, from_url

from pipeline.documents.errors import MismatchError
from pipeline.domain.reason import Reason
from pipeline.errors import PermanentError, TransientError

PIECE = 1024 * 1024  # bytes read from the store at once
_IN_MEMORY = 1024 * 1024  # a smaller document is not spooled to disk on its way in
_PART, _PARTS_AT_ONCE = 5 * 1024 * 1024, 2  # S3 takes no smaller parts; two at once bound the memory to 10 MiB


class Documents:
    """Contents by their SHA-256 (64 hex digits), in a folder or at a cloud store; shared by all threads.

    `spool` is the folder for bytes that are not verified yet (None: the system's own). Spooled files have no name, so
    a crash leaves nothing behind, and nothing is in the store before it is verified. The store is opened at its first
    use: a process that moves no file needs none.
    """

    def __init__(self, opener: Callable[[], ObjectStore], *, spool: Path | None = None) -> None:
        self._opener, self._spool = opener, spool

    @classmethod
    def at(cls, url: str | None, folder: Path) -> "Documents":
        """The store at `url` (s3://, gs://, az://, file://; log-in by the cloud's own variables), else `folder`."""
        if url is not None and not url.startswith("file://"):
            return cls(partial(from_url, url))
        place = (Path(url.removeprefix("file://")) if url else folder).absolute()
        return cls(partial(LocalStore, place, mkdir=True), spool=place)

    @cached_property
    def _store(self) -> ObjectStore:
        return self._opener()

    def put(
        self, chunks: Iterable[bytes], *, limit: int, sha256: str | None = None, size: int | None = None
    ) -> tuple[str, int]:
        """Keep a content and return its (SHA-256, size in bytes); the same content again is kept once.

        Raises MismatchError unless it has the announced `sha256` and `size`, PermanentError `file_too_large` above
        `limit` bytes, TransientError where the store cannot be reached, and what reading `chunks` raises.
        """
        store, folder = self._store, None if self._spool is None else str(self._spool)
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, dir=folder) as spooled:
            found, length = _spool(chunks, spooled, limit)
            _compare(found, length, sha256, size)
            if not self.has(found):
                spooled.seek(0)
                _keep(store, found, spooled)
        return found, length

    def has(self, sha256: str) -> bool:
        """Whether the content is there."""
        try:
            obstore.head(self._store, _key(sha256))
        except FileNotFoundError:
            return False
        except obstore.exceptions.BaseError as error:
            raise TransientError(f"the document store does not answer ({type(error).__name__})") from error
        return True

    def open(self, sha256: str) -> Iterator[bytes]:
        """The content in pieces of about 1 MiB; the last one comes only when all of them have the right SHA-256.

        Raises FileNotFoundError, and OSError for a store that does not answer or a content that is damaged: it never
        arrives whole.
        """
        held, hashed = b"", hashlib.sha256()
        for piece in _pieces(self._store, _key(sha256)):
            if held:
                yield held
            held = piece
            hashed.update(held)
        if hashed.hexdigest() != sha256:
            raise OSError(f"document {sha256[:12]} is damaged in the store: its SHA-256 is {hashed.hexdigest()[:12]}")
        if held:
            yield held


def _pieces(store: ObjectStore, key: str) -> Iterator[bytes]:
    try:
        for piece in obstore.get(store, key).stream(min_chunk_size=PIECE):
            yield bytes(piece)
    except obstore.exceptions.BaseError as error:  # as a broken transfer: tried again
        raise OSError(f"the document store does not answer ({type(error).__name__})") from error


def _keep(store: ObjectStore, sha256: str, content: IO[bytes]) -> None:
    try:
        obstore.put(store, _key(sha256), content, chunk_size=_PART, max_concurrency=_PARTS_AT_ONCE)
    except (obstore.exceptions.BaseError, OSError) as error:
        raise TransientError(f"the document store does not take it ({type(error).__name__})") from error


def _spool(chunks: Iterable[bytes], into: IO[bytes], limit: int) -> tuple[str, int]:
    hashed, length = hashlib.sha256(), 0
    for chunk in chunks:
        length += len(chunk)
        if length > limit:
            raise PermanentError(Reason.FILE_TOO_LARGE, f"larger than {limit} bytes")
        hashed.update(chunk)
        into.write(chunk)
    return hashed.hexdigest(), length


def _compare(found: str, length: int, sha256: str | None, size: int | None) -> None:
    if size is not None and length != size:
        raise MismatchError(f"{length} bytes came, {size} were announced")
    if sha256 is not None and found != sha256.lower():
        raise MismatchError(f"SHA-256 {found[:12]} came, {sha256[:12]} was announced")


def _key(sha256: str) -> str:
    """Two levels: a folder with a million files is slow on most disks."""
    if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
        raise ValueError(f"found {sha256!r:.80}, expected 64 hex digits")
    return f"sha256/{sha256[:2]}/{sha256}"

"""One file from its source into the store: streamed, limited, compared with what its source says."""

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from msgspec import structs

from pipeline.connector import Content
from pipeline.documents.errors import MismatchError
from pipeline.documents.store import Documents
from pipeline.domain.reason import Reason
from pipeline.errors import AuthError, PermanentError
from pipeline.plan import Request
from schemas.content import File

LIMIT = 256 * 1024 * 1024  # bytes; a larger file is never copied, a link stands for it everywhere
LARGE = 8 * 1024 * 1024  # bytes; of these only a few are copied at once
LARGE_AT_ONCE = 2  # a process (decisions D10)
PAGES = ("text/html", "application/xhtml+xml")
_SHA256 = re.compile(r"[0-9a-f]{64}")
Renew = Callable[[], None]


class Downloaded(Protocol):
    """An answer whose body is still to come."""

    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def chunks(self) -> Iterator[bytes]: ...


class Downloads(Protocol):
    """The part of `pipeline.http.Executor` that fetches content."""

    def download(
        self, request: Request, *, limit: int, size: int | None = None, url: str | None = None
    ) -> AbstractContextManager[Downloaded]: ...


@dataclass(frozen=True)
class Copier:
    """Copies files of one source. `gate` lets few large ones through at once; a process's copiers share it."""

    documents: Documents
    http: Downloads
    gate: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(LARGE_AT_ONCE))
    limit: int = LIMIT
    renew_seconds: float = 20.0

    def copy(self, ways: Sequence[Content], file: File, renew: Renew) -> File:
        """The file with its bytes in the store; of the ways to them the first that works. `renew` is called meanwhile.

        Raises MismatchError, AuthError, TransientError, PermanentError (`file_too_large`, `target_gone`, ...), and
        what `renew` raises.
        """
        if file.size > self.limit:
            raise PermanentError(Reason.FILE_TOO_LARGE, f"{file.size} bytes, more than {self.limit}")
        announced = _announced(file)
        if announced is not None and self.documents.has(announced):
            return structs.replace(file, stored=announced)
        with self._turn(file, renew):
            sha256, size = self._first_that_works(ways, file, renew)
        return structs.replace(file, stored=sha256, sha256=sha256, size=size)

    def _first_that_works(self, ways: Sequence[Content], file: File, renew: Renew) -> tuple[str, int]:
        fault: Exception = PermanentError(Reason.REJECTED, f"file {file.external_id}: its source names no way to it")
        for way in ways:
            try:
                return self._fetch(way, file, renew)
            except (MismatchError, AuthError) as error:
                fault = error
            except PermanentError as error:
                if error.reason is Reason.FILE_TOO_LARGE:
                    raise
                fault = error
        raise fault

    def _fetch(self, way: Content, file: File, renew: Renew) -> tuple[str, int]:
        known = file.size or None  # some sources do not say
        most = self.limit * 2 if way.unpack is not None else self.limit  # base64 and what is around it
        with self.http.download(way.request, limit=most, size=known, url=way.url) as opened:
            if way.unpack is None and _is_page(opened.headers, file):
                raise MismatchError(f"file {file.external_id}: a web page came instead of the file")
            chunks = opened.chunks if way.unpack is None else way.unpack(opened.chunks)
            renewing = _renewing(chunks, renew, self.renew_seconds)
            return self.documents.put(renewing, limit=self.limit, sha256=_announced(file), size=known)

    @contextmanager
    def _turn(self, file: File, renew: Renew) -> Iterator[None]:
        """Wait until a large file may be copied. An unknown size counts as large."""
        if 0 < file.size <= LARGE:
            yield
            return
        while not self.gate.acquire(timeout=self.renew_seconds):
            renew()
        try:
            yield
        finally:
            self.gate.release()


def _renewing(chunks: Iterable[bytes], renew: Renew, seconds: float) -> Iterator[bytes]:
    """The chunks, `renew` called between them every so often, and at the end: storing takes time as well."""
    due = time.monotonic() + seconds
    for chunk in chunks:
        if time.monotonic() >= due:
            renew()
            due = time.monotonic() + seconds
        yield chunk
    renew()


def _announced(file: File) -> str | None:
    """The SHA-256 that the source tells; None where it tells none, or something that is none."""
    told = (file.sha256 or "").strip().lower()
    return told if _SHA256.fullmatch(told) else None


def _is_page(headers: Mapping[str, str], file: File) -> bool:
    """A log-in page instead of the bytes, answered with 200."""
    came = headers.get("content-type", "").partition(";")[0].strip().lower()
    return came in PAGES and file.content_type.partition(";")[0].strip().lower() not in PAGES

"""A file's bytes: base64 in the middle of JSON, taken out piece by piece, or as the site's pages link to them."""

import base64
import binascii
import re
from collections.abc import Iterator

from pipeline.connector import Content
from pipeline.errors import InvalidPayloadError
from pipeline.plan import Request
from schemas.change import ObjectRef
from schemas.content import File

LONGEST_HEAD = 64 * 1024  # bytes of JSON before the content; names and dates, so far less
_BEGIN = re.compile(rb'(?<!\\)"Content"\s*:\s*(?P<value>"|[^"\s])')


def ways_to(ref: ObjectRef, file: File) -> tuple[Content, ...]:
    """First the API, then the item page's own link: which of the two a site answers with bytes is not documented."""
    api = Request("content", "GET", f"/items/{ref.external_id}/attachments/{file.external_id}", reads=True)
    ways = (Content(api, unpack=unpack),)
    return (*ways, Content(Request("link", "GET", "", reads=True), url=file.url)) if file.url else ways


def unpack(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The decoded `Content` of an IssueAttachmentDto that comes in pieces. Raises InvalidPayloadError without one.

    A quotation mark inside another member's text is escaped in JSON, so the member's name cannot be forged there.
    """
    rest, ended = _first(chunks), False
    while True:
        text, mark, _ = rest.partition(b'"')
        whole, rest, ended = _groups(text, last=bool(mark))
        yield _decoded(whole)
        if ended:
            return
        chunk = next(chunks, None)
        if chunk is None:
            raise InvalidPayloadError("the answer ended in the middle of Content")
        rest += chunk


def _first(chunks: Iterator[bytes]) -> bytes:
    """What follows the opening quotation mark of `Content`, as far as it has come."""
    head = b""
    for chunk in chunks:
        head += chunk
        found = _BEGIN.search(head)
        if found is not None:
            if found["value"] != b'"':
                break
            return head[found.end() :]
        if len(head) > LONGEST_HEAD:
            break
    raise InvalidPayloadError("found no Content in the answer, expected the file in base64")


def _groups(text: bytes, *, last: bool) -> tuple[bytes, bytes, bool]:
    """As many whole groups of four characters as there are, the rest, and whether it was the end."""
    plain = text if last or not text.endswith(b"\\") else text[:-1]
    kept = text[len(plain) :]
    plain = plain.replace(b"\\/", b"/")  # JSON may write a slash so
    if last:
        return plain, b"", True
    whole = len(plain) // 4 * 4
    return plain[:whole], plain[whole:] + kept, False


def _decoded(characters: bytes) -> bytes:
    try:
        return base64.b64decode(characters, validate=True)
    except binascii.Error as error:
        raise InvalidPayloadError(f"Content is not base64: {error}") from error

"""Bytes out of the base64 in the middle of an IssueAttachmentDto, whatever the pieces it comes in."""

import base64
import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.connectors.gemini.content import LONGEST_HEAD, unpack
from pipeline.errors import InvalidPayloadError

FORGED = 'x","Content":"Zm9yZ2Vk'  # a file's name that looks like the member, once it is no longer escaped


def dto(content: bytes | None, name: str = "a.pdf") -> bytes:
    encoded = None if content is None else base64.b64encode(content).decode()
    body = {"BaseEntity": {"Id": 7, "Name": name, "ContentType": "a/b", "Content": encoded, "CommentId": 3}}
    return json.dumps(body).encode()


def pieces(text: bytes, size: int) -> Iterator[bytes]:
    return (text[start : start + size] for start in range(0, len(text), size))


@given(st.binary(max_size=300), st.integers(1, 400))
def test_the_bytes_survive_any_cut(content: bytes, size: int) -> None:
    """Given any bytes in pieces of any size, when unpacked, then they are the same bytes."""
    assert b"".join(unpack(pieces(dto(content), size))) == content


@given(st.binary(max_size=100), st.integers(1, 50))
def test_slashes_may_be_written_as_json_allows(content: bytes, size: int) -> None:
    """Given a site that escapes slashes, when unpacked, then the bytes are the same."""
    text = dto(content).replace(b"/", b"\\/")
    assert b"".join(unpack(pieces(text, size))) == content


def test_a_name_cannot_pass_for_the_content() -> None:
    """Given a file whose name holds the member's spelling, when unpacked, then its real bytes come."""
    assert b"".join(unpack(pieces(dto(b"real", FORGED), 5))) == b"real"


@pytest.mark.parametrize(
    "text",
    [
        dto(None),
        b"null",
        b"",
        b"<html></html>",
        dto(b"cut off in the middle")[:-40],
        b'{"Content":"no base64 at all!"}',
        b'{"Name":"' + b"x" * (LONGEST_HEAD + 10),
    ],
)
def test_an_answer_without_the_bytes_is_told(text: bytes) -> None:
    """Given an answer without Content, or with half of it, when unpacked, then InvalidPayloadError says so."""
    with pytest.raises(InvalidPayloadError):
        b"".join(unpack(pieces(text, 100)))

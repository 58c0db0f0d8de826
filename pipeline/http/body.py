"""Reading an answer's body: streamed, capped before and after decompression, never believed to be whole."""

import zlib
from http.client import HTTPException

from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

_PIECE = 64 * 1024


class BrokenBodyError(Exception):
    """The body did not come whole; `partial` is what came, decompressed, at most the cap."""

    def __init__(self, detail: str, partial: bytes) -> None:
        super().__init__(detail)
        self.partial = partial


def read_body(raw: BaseHTTPResponse, cap: int) -> bytes:
    """The decompressed body, at most `cap` bytes. Raises BrokenBodyError; the connection is closed then."""
    decoder = _decoder(raw.headers.get("content-encoding", ""))
    pieces: list[bytes] = []
    size = 0
    try:
        while piece := raw.read(_PIECE, decode_content=False):
            if decoder is not None:
                piece = decoder.decompress(decoder.unconsumed_tail + piece, cap + 1 - size)
            pieces.append(piece)
            size += len(piece)
            if size > cap:
                raise _broken(raw, f"the answer is larger than {cap} bytes", pieces, cap)
    except (HTTPError, HTTPException, OSError, zlib.error) as error:
        raise _broken(raw, f"the answer broke off ({type(error).__name__})", pieces, cap) from error
    if decoder is not None and pieces and not decoder.eof:
        raise _broken(raw, "the answer's compression broke off", pieces, cap)
    return b"".join(pieces)


def _decoder(encoding: str) -> "zlib._Decompress | None":
    """We offer gzip alone; whoever sends another encoding all the same is read as bytes and judged as no JSON."""
    if encoding.strip().lower() in ("gzip", "x-gzip", "deflate"):
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # 32: gzip or zlib, by the header
    return None


def _broken(raw: BaseHTTPResponse, detail: str, pieces: list[bytes], cap: int) -> BrokenBodyError:
    raw.close()  # the rest is unread: this connection must not be used again
    return BrokenBodyError(detail, b"".join(pieces)[:cap])

"""What is kept of a request and its answer: masked and capped, fit for attempt rows, traces and the console."""

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.http.mask import Masker
from pipeline.http.wire import Streamed, Wire
from pipeline.plan import Answer, Answers, Outcome, Stored


@dataclass(frozen=True)
class Exchange:
    """One request and what came back. `sent` False: certainly no byte left. `status` None: no whole answer came."""

    step: str
    method: str
    url: str
    request_headers: Mapping[str, str]
    request_body: str
    status: int | None
    answer_head: str  # the first 16 kB of the answer's body
    elapsed_seconds: float
    sent: bool


@dataclass(frozen=True)
class Sent:
    """A plan as far as it went. `answers` by step name; `outcome` is that of the step that ended it."""

    answers: Answers
    outcome: Outcome
    exchanges: tuple[Exchange, ...]


def exchange_of(
    step: str, wire: Wire, answer: Answer | None, masker: Masker, *, seconds: float, sent: bool
) -> Exchange:
    """The masked record of one request; `answer` None where none came whole."""
    return Exchange(
        step=step,
        method=wire.method,
        url=masker.url(wire.url),
        request_headers=masker.headers(wire.headers),
        request_body=_shown(wire.body, masker),
        status=answer.status if answer else None,
        answer_head=masker.body(answer.body) if answer else "",
        elapsed_seconds=seconds,
        sent=sent,
    )


def _shown(body: bytes | Streamed | None, masker: Masker) -> str:
    """Stored documents are named, never copied into the record."""
    if body is None:
        return ""
    if isinstance(body, bytes):
        return masker.body(body)
    return "".join(_named(part) if isinstance(part, Stored) else masker.body(part) for part in body.parts)


def _named(document: Stored) -> str:
    return f"<{document.size} bytes, sha256 {document.sha256}>"

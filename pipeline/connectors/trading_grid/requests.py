"""The requests that several operations share: reading a thread, posting to it, and the headers that make both safe."""

from collections.abc import Sequence
from typing import Any

from pipeline.connector import Work
from pipeline.connectors.trading_grid.bodies import guard, origin_of
from pipeline.connectors.trading_grid.fetch import reading, segment
from pipeline.connectors.trading_grid.vocabulary import PAGE_SIZE
from pipeline.plan import Request, Slot

Json = dict[str, Any]
Header = tuple[str, str | Slot]

MERGE_PATCH: Header = ("Content-Type", "application/merge-patch+json")


def thread_path(work: Work) -> str:
    """The bound thread's path; while it is not made yet, its slot stands there for `explain`."""
    link = work.link
    return f"/threads/{segment(link.external_id) if link.external_id is not None else link.slot}"


def idempotency(work: Work, part: str = "") -> Header:
    """The key of one request. Its scope is the path, so the requests of one plan to one path differ by `part`."""
    return ("Idempotency-Key", f"{work.idem_key}:{part}" if part else work.idem_key)


def if_match(revision: object) -> Header:
    """The strong ETag of a revision: `"r<revision>"`."""
    return ("If-Match", f'"r{revision}"')


def read_thread(work: Work, step: str = "thread") -> Request:
    return reading(step, thread_path(work))


def read_posts(work: Work, step: str = "posts", **filters: str) -> Request:
    """The first 200 posts that fit; beyond them the key and the post's own reference guard against doubles."""
    query = (*filters.items(), ("items-per-page", str(PAGE_SIZE)))
    return reading(step, f"{thread_path(work)}/posts", query)


def write_posts(work: Work, thread: str, bodies: Sequence[Json], origin: str, **members: Any) -> list[Request]:
    """One POST for each body, in order. Bodies come from `bodies.post_bodies`, so they are cleared."""
    return [
        Request(
            f"post{number}" if number > 1 else "post",
            "POST",
            f"{thread}/posts",
            headers=(idempotency(work, str(number) if number > 1 else ""),),
            body={
                "kind": "message",
                **members,
                "visibility": "partner",
                "body": body,
                "external_references": [guard(work, "comment", origin, _words(work), str(number))],
                "origin": origin_of(work, origin),
            },
        )
        for number, body in enumerate(bodies, start=1)
    ]


def _words(work: Work) -> str:
    """The operation's own words, without the lines that we add: a late repeat is still the same post."""
    text = getattr(work.operation, "text", None) or getattr(work.operation, "body", None)
    return str(text.body) if text is not None else ""

"""Operations as Trading Grid's requests: pure, partner-facing words only out of `Cleared`."""

from typing import Any

from pipeline.connector import Facts, Work
from pipeline.connectors.trading_grid.bodies import external_reference, late_line, post_bodies, speaker_of
from pipeline.connectors.trading_grid.fetch import reading, segment
from pipeline.connectors.trading_grid.fields import plan_fields, plan_title
from pipeline.connectors.trading_grid.files import plan_attach
from pipeline.connectors.trading_grid.moves import plan_state
from pipeline.connectors.trading_grid.opening import find_create, plan_create
from pipeline.connectors.trading_grid.requests import (
    idempotency,
    if_match,
    read_posts,
    read_thread,
    thread_path,
    write_posts,
)
from pipeline.connectors.trading_grid.vocabulary import NAME, UPDATE_TYPES
from pipeline.connectors.trading_grid.workspace import facts_of_workspace
from pipeline.domain.reason import Reason
from pipeline.domain.visibility import clear_text
from pipeline.errors import PermanentError
from pipeline.plan import Plan, Request
from schemas.operation import Attach, Bind, Comment, Create, Fields, Redact, State, Title

Json = dict[str, Any]

_REDACTED = "Redacted at its source."


def facts_for(work: Work) -> Plan:
    """The reads that a plan compares with: the thread for states, fields and files, the posts for a redaction."""
    match work.operation:
        case State():
            return Plan(NAME, (read_thread(work), *facts_of_workspace(work)))
        case Title() | Fields() | Attach():
            return Plan(NAME, (read_thread(work),))
        case Redact():
            posts = own_posts(work, work.operation)
            return Plan(NAME, tuple(reading(f"post_{one}", f"/posts/{segment(one)}") for one in posts))
        case _:
            return Plan(NAME)


def plan_for(work: Work, facts: Facts) -> Plan:
    """The writes of one operation; empty when it is so already.

    Raises PermanentError (VisibilityError among them) for what must not be sent.
    """
    match work.operation:
        case Create() as operation:
            return plan_create(work, operation, facts)
        case Bind() as operation:
            return _plan_bind(work, operation)
        case Comment() as operation:
            return _plan_comment(work, operation)
        case State() as operation:
            return plan_state(work, operation, facts)
        case Title() as operation:
            return plan_title(work, operation, facts)
        case Fields() as operation:
            return plan_fields(work, operation, facts)
        case Redact() as operation:
            return _plan_redact(work, operation, facts)
        case Attach() as operation:
            return plan_attach(work, operation, facts)


def find_for(work: Work) -> Plan:
    """The look-up before a repeat; empty where a repeat is safe by itself (PUT, compare before write, keys)."""
    match work.operation:
        case Create() as operation:
            return find_create(work, operation)
        case Comment():
            return Plan(NAME, (read_posts(work, "find", visibility="partner"),))
        case State():
            return Plan(NAME, (read_posts(work, "find", kind="status", visibility="partner"),))
        case _:
            return Plan(NAME)


def comment_bodies(work: Work, operation: Comment) -> list[Json]:
    """What is said, with the role of its author above it. Raises VisibilityError for internal words."""
    text = clear_text(operation.text)
    label = None if operation.note else speaker_of(work, operation.author, operation.origin)
    return post_bodies(text, label, late_line(work))


def own_posts(work: Work, operation: Redact) -> tuple[str, ...]:
    """The posts that stand here for the redacted part."""
    return tuple(one for kind, one in work.parts.get(operation.origin, ()) if kind == "post")


def _plan_comment(work: Work, operation: Comment) -> Plan:
    members: Json = {"kind": "status"} if operation.note else {}
    if operation.update_type is not None:  # a hint for the reader's side: an unknown one is a general update
        members["update_type"] = operation.update_type if operation.update_type in UPDATE_TYPES else "general"
    if reply_to := operation.details.get("reply_to"):
        members["reply_to"] = str(reply_to)
    bodies = comment_bodies(work, operation)
    return Plan(NAME, tuple(write_posts(work, thread_path(work), bodies, operation.origin, **members)))


def _plan_bind(work: Work, operation: Bind) -> Plan:
    counterpart = work.links[operation.counterpart_link_id]
    origin = f"{counterpart.system}:{counterpart.kind}:"
    body = external_reference(work.config, origin, counterpart.slot, counterpart.url)
    return Plan(NAME, (Request("bind", "PUT", f"{thread_path(work)}/external-references", body=body),))


def _plan_redact(work: Work, operation: Redact, facts: Facts) -> Plan:
    """A tombstone for each post of ours that still has its text; the contract wants the revision that was read.

    Raises PermanentError where no post of ours is known: a person is asked, nothing is forgotten (flows.md rule 8).
    """
    if not own_posts(work, operation):
        raise PermanentError(Reason.REJECTED, f"no post of ours is known for {operation.origin}: redact it by hand")
    posts = {one: facts.get(f"post_{one}") or {} for one in own_posts(work, operation)}
    standing = {one: post for one, post in posts.items() if post.get("revision") and post.get("redacted") is None}
    return Plan(
        NAME,
        tuple(
            Request(
                f"redact_{one}",
                "POST",
                f"/posts/{segment(one)}/redactions",
                headers=(idempotency(work), if_match(post["revision"])),
                body={"reason": _REDACTED},
            )
            for one, post in standing.items()
        ),
    )

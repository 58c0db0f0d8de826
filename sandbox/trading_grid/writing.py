"""How a post gets into a thread, whoever causes it: an opening text, a public note, a requirement's note, a post."""

from __future__ import annotations

from sandbox.trading_grid import references
from sandbox.trading_grid.objects import Actor, Json, Post, Thread
from sandbox.trading_grid.state import Grid
from sandbox.trading_grid.tenant import Tenant
from sandbox.trading_grid.views import stamp


def add_post(  # noqa: PLR0913, PLR0917 -- the independent facts of a post
    grid: Grid,
    tenant: Tenant,
    thread: Thread,
    author: Actor,
    by: str,
    kind: str,
    visibility: str,
    body: Json,
    written: Json,
) -> Post:
    """Append an already checked post, journal it and tell it."""
    partner = visibility == "partner"
    post = Post(
        **grid.common("pst", thread.partner_id),
        thread_id=thread.id,
        kind=kind,
        visibility=visibility,
        author=author,
        sequence=len(thread.posts) + 1,
        partner_sequence=len(thread.partner_posts) + 1 if partner else 0,
        body=body,
    )
    given = written.pop("external_references", [])
    post.written = written
    references.bind(tenant, post, given)
    tenant.posts[post.id] = post
    thread.posts.append(post)
    if partner:
        thread.partner_posts.append(post)
    _move_thread(thread, post, partner=partner)
    _tell(grid, tenant, post, by, partner=partner)
    return post


def _move_thread(thread: Thread, post: Post, *, partner: bool) -> None:
    """What a post changes in its thread: revision, times, and the response clock."""
    thread.touch(post.create_time, partner=partner)
    if post.author.type == "partner_user":
        thread.last_partner_post_time = post.create_time
    elif partner and post.author.type != "system":
        thread.sla.response_due = None  # the first hub answer that the partner can see


def _tell(grid: Grid, tenant: Tenant, post: Post, by: str, *, partner: bool) -> None:
    body, written = post.body or {}, post.written
    grid.record(
        "post_created", post, by,
        thread_id=post.thread_id, kind=post.kind, visibility=post.visibility, body=body.get("text"),
        format=body.get("format"), update_type=written.get("update_type"), origin=written.get("origin"),
        external_references=written.get("external_references", []),
        attachments=[entry["document_id"] for entry in written.get("attachments", [])],
        author=post.author.id, author_type=post.author.type, sequence=post.sequence,
        create_time=stamp(post.create_time),
    )  # fmt: skip
    facts: Json = {"kind": post.kind, "attachment_count": len(written.get("attachments", []))}
    if "update_type" in written:
        facts["update_type"] = written["update_type"]
    grid.publish(tenant, "post.created", post, post.author, partner=partner, thread_id=post.thread_id,
                 origin=written.get("origin"), data=facts)  # fmt: skip

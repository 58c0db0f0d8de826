"""Posts: writing, reading, editing within 15 minutes, redacting."""

from __future__ import annotations

from datetime import timedelta

import nh3

from sandbox.trading_grid import references, rules
from sandbox.trading_grid.gateway import Answer, Call
from sandbox.trading_grid.objects import Actor, Json, Post, Thread
from sandbox.trading_grid.paging import page
from sandbox.trading_grid.principals import Principal
from sandbox.trading_grid.problems import Problem, invalid
from sandbox.trading_grid.state import Grid
from sandbox.trading_grid.tenant import Tenant
from sandbox.trading_grid.transitions import reopen_by_post
from sandbox.trading_grid.views import post_view, stamp
from sandbox.trading_grid.visibility import post_for, thread_for
from sandbox.trading_grid.vocabulary import EDIT_MINUTES
from sandbox.trading_grid.writing import add_post


def list_posts(call: Call) -> Answer:
    """Operation listPosts: oldest first."""
    thread = thread_for(call.tenant, call.who, call.path["threadId"])
    posts = thread.posts if call.who.sees_internal else thread.partner_posts
    kinds, visibility = call.query["kind"], call.query["visibility"]
    found = [
        post for post in posts
        if (not kinds or post.kind in kinds) and visibility in (None, post.visibility)
    ]  # fmt: skip
    return page(call, found, lambda post: post_view(call.who, call.tenant, post))


def get_post(call: Call) -> Answer:
    """Operation getPost."""
    post = post_for(call.tenant, call.who, call.path["postId"])
    return call.found(post, post_view(call.who, call.tenant, post))


def post_created(call: Call) -> Answer:
    """Operation createPost."""
    thread = thread_for(call.tenant, call.who, call.path["threadId"])
    post = create_post(call.grid, call.tenant, call.who, thread, call.body)
    return call.created(post, post_view(call.who, call.tenant, post))


def create_post(grid: Grid, tenant: Tenant, who: Principal, thread: Thread, body: Json) -> Post:
    """Write a post as `who`; a partner's post in a finished thread reopens it first."""
    written = dict(body)
    visibility, kind, text = written.pop("visibility"), written.pop("kind"), written.pop("body")
    if who.is_partner:
        written.pop("external_references", None)
    _check_visibility(who, thread, visibility)
    _check_reply(tenant, who, thread, written.get("reply_to"), visibility)
    attached = written.get("attachments", [])
    for place, entry in enumerate(attached):
        pointer = f"/attachments/{place}/document_id"
        rules.require_document(tenant, who, entry["document_id"], thread, visibility, pointer)
    if attached:
        written["attachments"] = [
            {"version": tenant.documents[entry["document_id"]].current.number, **entry} for entry in attached
        ]
    references.check_free(tenant, who, Post, written.get("external_references", []))
    stored = sanitised(text)
    _reopen_or_refuse(grid, tenant, who, thread)
    return add_post(grid, tenant, thread, who.actor, who.by, kind, visibility, stored, written)


def sanitised(body: Json) -> Json:
    """The body as stored: HTML loses everything active; raises 422 when nothing is left."""
    if body["format"] != "html":
        return body
    clean = nh3.clean(body["text"])
    if not clean:
        invalid("/body/text", "nothing is left after sanitising")
    return {"format": "html", "text": clean}


def _check_visibility(who: Principal, thread: Thread, visibility: str) -> None:
    if visibility == "partner" and not thread.open_to_partner:
        raise Problem("visibility_violation", "the thread is internal")
    if visibility == "internal" and not who.sees_internal:
        if who.is_partner:
            raise Problem("visibility_violation", "a partner writes partner visible posts only")
        raise Problem("insufficient_scope")


def _check_reply(tenant: Tenant, who: Principal, thread: Thread, reply_to: str | None, visibility: str) -> None:
    if reply_to is None:
        return
    post = tenant.posts.get(reply_to)
    if post is not None and post.partner_id != thread.partner_id:
        rules.refuse_cross_partner(who)
    if post is None or post.thread_id != thread.id or (post.visibility == "internal" and not who.sees_internal):
        invalid("/reply_to", "no such post in this thread")
    if visibility == "partner" and post.visibility == "internal":
        raise Problem("visibility_violation", "a partner visible post may not reply to an internal one")


def _reopen_or_refuse(grid: Grid, tenant: Tenant, who: Principal, thread: Thread) -> None:
    """A finished thread: the partner's post reopens it; the hub must reopen a closed one before it posts."""
    if who.is_partner:
        reopen_by_post(grid, tenant, who, thread)
    elif thread.state in ("closed", "withdrawn"):
        raise Problem("conflict", f"the thread is {thread.state}: transition it first")


def post_updated(call: Call) -> Answer:
    """Operation updatePost: the author only; the body within 15 minutes, the commitment's state any time."""
    post = post_for(call.tenant, call.who, call.path["postId"])
    call.require_match(post)
    edit_post(call.grid, call.tenant, call.who, post, call.body)
    return call.found(post, post_view(call.who, call.tenant, post))


def edit_post(grid: Grid, tenant: Tenant, who: Principal, post: Post, patch: Json) -> None:
    """Merge the patch into the post."""
    if not _same_author(who.actor, post.author):
        raise Problem("conflict", "only its author may edit a post")
    if post.redacted is not None:
        raise Problem("conflict", "the post was redacted")
    if "body" in patch and grid.now() - post.create_time > timedelta(minutes=EDIT_MINUTES):
        raise Problem("conflict", f"a body can be edited for {EDIT_MINUTES} minutes")
    wanted = {} if who.is_partner else {"external_references": patch.get("external_references")}
    new_references = wanted.get("external_references")
    if new_references is not None:
        references.check_free(tenant, who, Post, new_references, post.id)
        references.bind(tenant, post, new_references)
    changed = [name for name in ("body", "commitment") if name in patch]
    if "body" in patch:
        post.body, post.edited = sanitised(patch["body"]), True
    if "commitment" in patch:
        post.written["commitment"] = patch["commitment"]
    partner = post.visibility == "partner"
    post.touch(grid.now(), partner=partner and bool(changed))
    grid.record("post_updated", post, who.by, thread_id=post.thread_id, body=post.body and post.body["text"],
                visibility=post.visibility, fields=sorted(patch))  # fmt: skip
    grid.publish(
        tenant, "post.updated", post, who.actor, partner=partner and bool(changed), thread_id=post.thread_id,
        changed=changed, hub_changed=["external_references"] if new_references is not None else [],
        data={"kind": post.kind},
    )  # fmt: skip


def _same_author(one: Actor, other: Actor) -> bool:
    return (one.type, one.id) == (other.type, other.id)


def post_redacted(call: Call) -> Answer:
    """Operation redactPost."""
    post = post_for(call.tenant, call.who, call.path["postId"])
    call.require_match(post)
    redact_post(call.grid, call.tenant, call.who, post, call.body["reason"])
    return Answer(200, post_view(call.who, call.tenant, post))


def redact_post(grid: Grid, tenant: Tenant, who: Principal, post: Post, reason: str) -> None:
    """Take the text away for ever; the tombstone keeps order and reply links. Redacting twice is a no-op."""
    if tenant.threads[post.thread_id].legal_hold:
        raise Problem("legal_hold")
    if post.redacted is not None:
        return
    now = grid.now()
    post.body, post.redacted = None, {"time": stamp(now), "reason": reason}
    partner = post.visibility == "partner"
    post.touch(now, partner=partner)
    grid.record("post_redacted", post, who.by, thread_id=post.thread_id, reason=reason, visibility=post.visibility)
    grid.publish(tenant, "post.redacted", post, who.actor, partner=partner, thread_id=post.thread_id,
                 changed=["body"], data={"kind": post.kind})  # fmt: skip

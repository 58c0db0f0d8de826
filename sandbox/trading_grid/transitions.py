"""The states of a thread: what may follow what, who may do it, and what a change brings with it."""

from __future__ import annotations

from sandbox.trading_grid import sla
from sandbox.trading_grid.gateway import Answer, Call
from sandbox.trading_grid.objects import Json, Thread
from sandbox.trading_grid.principals import Principal
from sandbox.trading_grid.problems import Problem, invalid
from sandbox.trading_grid.state import Grid
from sandbox.trading_grid.tenant import Tenant
from sandbox.trading_grid.views import stamp, thread_view
from sandbox.trading_grid.visibility import thread_for
from sandbox.trading_grid.vocabulary import FINISHED, MILESTONES, TRANSITIONS
from sandbox.trading_grid.writing import add_post


def thread_transitioned(call: Call) -> Answer:
    """Operation transitionThread."""
    thread = thread_for(call.tenant, call.who, call.path["threadId"])
    call.require_match(thread)
    transition(call.grid, call.tenant, call.who, thread, call.body)
    return call.found(thread, thread_view(call.who, call.tenant, thread))


def allowed(who: Principal, thread: Thread) -> tuple[str, ...]:
    """The states that may follow for this caller (ThreadState.x-transitions and its notes)."""
    if not who.is_partner:
        return TRANSITIONS[thread.state]
    if thread.state == "resolved":
        return ("in_progress", "closed")
    return () if thread.state in FINISHED else ("withdrawn",)


def transition(grid: Grid, tenant: Tenant, who: Principal, thread: Thread, body: Json) -> None:
    """Change the state; the same state for the same reason again is a no-op without event.

    Raises 409 invalid_transition (with the allowed ones), 422 for a missing awaiting_reason, resolution or reason.
    """
    target, waits_for = body["to_state"], body.get("awaiting_reason")
    if target == "awaiting_partner" and waits_for is None:
        invalid("/awaiting_reason", "is required for awaiting_partner", "required")
    if target == "resolved" and "resolution" not in body:
        invalid("/resolution", "is required for resolved", "required")
    waits_for = waits_for if target == "awaiting_partner" else None
    if target == thread.state and waits_for == thread.awaiting_reason:
        return
    choices = allowed(who, thread)
    asks_anew = target == thread.state == "awaiting_partner" and not who.is_partner
    if target not in choices and not asks_anew:
        raise Problem("invalid_transition", allowed_transitions=list(choices))
    reopens = thread.state in FINISHED and target == "in_progress"
    if reopens and not body.get("reason"):
        invalid("/reason", "is required to reopen", "required")
    if body.get("public_note") and not thread.open_to_partner:
        raise Problem("visibility_violation", "a public note on an internal thread")
    _change(grid, tenant, who, thread, body, reopens=reopens)
    if body.get("public_note"):
        note = {"format": "plain", "text": body["public_note"]}
        written = {"origin": body["origin"]} if "origin" in body else {}
        add_post(grid, tenant, thread, who.actor, who.by, "status", "partner", note, written)


def reopen_by_post(grid: Grid, tenant: Tenant, who: Principal, thread: Thread) -> None:
    """A partner who writes in a finished thread reopens it (createPost; flow G2.7 says resolved or closed)."""
    if thread.state in FINISHED:
        body = {"to_state": "in_progress", "reason": "the partner wrote again"}
        _change(grid, tenant, who, thread, body, reopens=True)


def _change(grid: Grid, tenant: Tenant, who: Principal, thread: Thread, body: Json, *, reopens: bool) -> None:
    old, old_reason = thread.state, thread.awaiting_reason
    target, now = body["to_state"], grid.now()
    thread.state = target
    thread.awaiting_reason = body.get("awaiting_reason") if target == "awaiting_partner" else None
    own_label = None if who.is_partner else body.get("milestone")
    thread.milestone = own_label or MILESTONES[target]
    if target == "resolved":
        thread.resolution = {**body["resolution"], "resolved_time": stamp(now)}
    if target == "awaiting_partner":
        sla.pause(thread, now)
    else:
        sla.go_on(grid, tenant, thread, now)
    if reopens:
        thread.reopen_count += 1
        sla.restart(grid, tenant, thread, now)
    thread.touch(now, partner=thread.open_to_partner)
    _tell(grid, tenant, who, thread, body, old, old_reason, reopens=reopens)


def _tell(  # noqa: PLR0913 -- old and new side by side
    grid: Grid, tenant: Tenant, who: Principal, thread: Thread, body: Json, old: str, old_reason: str | None,
    *, reopens: bool,
) -> None:  # fmt: skip
    grid.record(
        "thread_transitioned", thread, who.by,
        old=old, new=thread.state, old_awaiting_reason=old_reason, awaiting_reason=thread.awaiting_reason,
        milestone=thread.milestone, public_note=body.get("public_note"), reason=body.get("reason"),
        resolution=thread.resolution if thread.state == "resolved" else None, origin=body.get("origin"),
        reopened=reopens,
    )  # fmt: skip
    thread.history.append({"time": stamp(thread.update_time), "by": who.by, "from": old, "to": thread.state,
                           "reason": body.get("reason")})  # fmt: skip
    facts: Json = {"old_state": old, "new_state": thread.state}
    if thread.awaiting_reason:
        facts["awaiting_reason"] = thread.awaiting_reason
    if reopens:
        facts["reopen_count"] = thread.reopen_count
    grid.publish(
        tenant, "thread.reopened" if reopens else "thread.state_changed", thread, who.actor,
        partner=thread.open_to_partner, thread_id=thread.id, origin=body.get("origin"),
        changed=["state", "awaiting_reason", "milestone"], data=facts,
    )  # fmt: skip

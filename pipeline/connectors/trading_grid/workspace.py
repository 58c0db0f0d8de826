"""Milestones in the partner's workspace: one status thread each, made once (decisions D20, setting `milestone_to`)."""

from typing import Any

from pipeline.connector import Facts, Work
from pipeline.connectors.trading_grid.bodies import guard, origin_of, post_bodies
from pipeline.connectors.trading_grid.fetch import reading, segment
from pipeline.connectors.trading_grid.requests import idempotency
from pipeline.connectors.trading_grid.settings import partner_id_of, section_of
from pipeline.connectors.trading_grid.vocabulary import NAME
from pipeline.connectors.trading_grid.wire import collection, is_for_partner
from pipeline.domain.reason import Reason
from pipeline.domain.visibility import clear_text
from pipeline.errors import PermanentError
from pipeline.plan import Request, Slot
from schemas.content import Format, Text, Visibility
from schemas.operation import State

Json = dict[str, Any]

OBJECT_TYPE = "workspace_status"
_TITLE = "Status of your cases"


def speaks_in_thread(work: Work) -> bool:
    """Whether the milestone's words go into the case's own thread."""
    return str(section_of(work.config)["milestone_to"]) != "workspace"


def facts_of_workspace(work: Work) -> tuple[Request, ...]:
    """The look for the partner's status thread, where the setting wants one."""
    if section_of(work.config)["milestone_to"] == "thread":
        return ()
    reference = _reference(work)
    query = (("external_system", reference["system"]), ("external_id", reference["external_id"]))
    return (reading("status_threads", "/threads", query),)


def announce(work: Work, operation: State, facts: Facts) -> list[Request]:
    """The status post, and the thread for it if there is none yet. Sent before the transition, which is absolute:
    a repeat after half of it finds the post by its reference and goes on.
    """
    if "status_threads" not in facts:
        return []
    existing = [one for one in collection(facts["status_threads"] or {}) if _is_ours(work, one)]
    if existing:
        return _posts(work, operation, facts["thread"], f"/threads/{segment(str(existing[0]['id']))}")
    body = {
        "partner_id": _partner_id(work),
        "type": "question",
        "title": _TITLE,
        "visibility": "partner",
        "external_references": [_reference(work)],
        "origin": origin_of(work),
    }
    opened = Request("status_thread", "POST", "/threads", headers=(idempotency(work, "status_thread"),), body=body)
    return [opened, *_posts(work, operation, facts["thread"], f"/threads/{Slot('status_thread', 'id')}")]


def _posts(work: Work, operation: State, thread: Json, path: str) -> list[Request]:
    """One post: the case's title (the partner knows it from its thread), the milestone, the public note."""
    words = [str(thread.get("title") or "") if is_for_partner(thread) else "", operation.label or operation.state]
    note = clear_text(operation.public_note).value.body if operation.public_note is not None else ""
    text = Text("\n".join(part for part in (": ".join(filter(None, words)), note) if part), Format.PLAIN,
                Visibility.PARTNER)  # fmt: skip
    body: Json = {
        "kind": "status",
        "visibility": "partner",
        "body": post_bodies(clear_text(text))[0],
        "external_references": [guard(work, "comment", OBJECT_TYPE, str(thread.get("id")), operation.state)],
        "origin": origin_of(work),
    }
    return [Request("post_status", "POST", f"{path}/posts", headers=(idempotency(work, "status"),), body=body)]


def _is_ours(work: Work, thread: Json) -> bool:
    references = thread.get("external_references") or ()
    return thread.get("partner_id") == _partner_id(work) and _reference(work) in references


def _reference(work: Work) -> Json:
    return {"system": "other", "instance": section_of(work.config)["instance"], "object_type": OBJECT_TYPE,
            "external_id": _partner_id(work)}  # fmt: skip


def _partner_id(work: Work) -> str:
    found = partner_id_of(work.partner)
    if found is None:
        raise PermanentError(Reason.UNKNOWN_PARTNER, f"the case's partner has no `{NAME}` id")
    return found

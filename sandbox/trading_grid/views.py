"""What an object looks like to the caller: everything internal is left out for a partner (rules I3 and I5)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sandbox.trading_grid.events import Event
from sandbox.trading_grid.objects import (
    KIND_OF,
    Actor,
    Document,
    Entity,
    Json,
    Post,
    Sla,
    Thread,
    Version,
)
from sandbox.trading_grid.principals import Principal
from sandbox.trading_grid.tenant import Tenant
from sandbox.trading_grid.visibility import sees

API = "/active-community/v1"
_HUB_ONLY = ("external_references", "origin")


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds and `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def stamp_or_none(moment: datetime | None) -> str | None:
    """The same, or None."""
    return None if moment is None else stamp(moment)


def href(entity: Entity) -> str:
    """The object's address."""
    return f"{API}/{KIND_OF[type(entity)][1]}/{entity.id}"


def revision_for(who: Principal, entity: Entity) -> int:
    """The revision that this caller may know."""
    return entity.partner_revision if who.is_partner else entity.revision


def actor_view(who: Principal, tenant: Tenant, actor: Actor) -> Json:
    """For a partner everybody of the hub is the hub; client ids are the hub's business."""
    if who.is_partner and actor.type in ("hub_user", "service"):
        return {"type": "hub_user", "id": "hub", "display_name": tenant.hub_name}
    view: Json = {"type": actor.type, "id": actor.id, "display_name": actor.display_name}
    if actor.partner_id is not None:
        view["partner_id"] = actor.partner_id
    if actor.client_id is not None and not who.is_partner:
        view["client_id"] = actor.client_id
    return view


def base(who: Principal, entity: Entity) -> Json:
    """The members as written, less what only the hub may know, and the common server members."""
    view = dict(entity.written)
    if who.is_partner:
        for name in _HUB_ONLY:
            view.pop(name, None)
    update_time = entity.partner_update_time if who.is_partner else entity.update_time
    view["id"] = entity.id
    view["revision"] = revision_for(who, entity)
    view["create_time"] = stamp(entity.create_time)
    view["update_time"] = stamp(update_time)
    view["_links"] = {"self": {"href": href(entity)}}
    return view


def _sla(who: Principal, sla: Sla) -> Json:
    return {
        "policy": sla.policy,
        "response_due_time": stamp_or_none(sla.response_due),
        "resolution_due_time": stamp_or_none(sla.resolution_due),
        "paused": sla.paused_at is not None,
        # A breach and its escalation are the hub's own affair; the partner keeps the due times.
        "breached": [] if who.is_partner else list(sla.breached),
        "escalated_time": None if who.is_partner else stamp_or_none(sla.escalated),
    }


def thread_view(who: Principal, tenant: Tenant, thread: Thread) -> Json:
    """Schema Thread."""
    posts = thread.posts if who.sees_internal else thread.partner_posts
    shown = [key for key, link in thread.documents.items() if link == "partner" or who.sees_internal]
    evidence = [tenant.evidence[key] for key in thread.evidence_ids]
    view = base(who, thread)
    view |= {
        "partner_id": thread.partner_id,
        "visibility": thread.visibility,
        "state": thread.state,
        "awaiting_reason": thread.awaiting_reason,
        "milestone": thread.milestone,
        "created_by": actor_view(who, tenant, thread.created_by),
        "sla": _sla(who, thread.sla),
        "resolution": _resolution(who, thread.resolution),
        "transaction_references": list(thread.transactions.values()),
        "participants": [
            entry for entry in thread.participants.values()
            if not who.is_partner or entry["kind"].startswith("partner_")
        ],
        "post_count": len(posts),
        "document_count": len(shown),
        "open_evidence_request_count": sum(entry.state == "open" for entry in evidence),
        "last_post_time": stamp(posts[-1].create_time) if posts else None,
        "last_partner_post_time": stamp_or_none(thread.last_partner_post_time),
        "reopen_count": thread.reopen_count,
        "legal_hold": thread.legal_hold,
    }  # fmt: skip
    if not who.is_partner:
        view["assignee"] = thread.assignee
    if "related_thread_ids" in view:
        related = (tenant.threads[key] for key in view["related_thread_ids"])
        view["related_thread_ids"] = [entry.id for entry in related if sees(tenant, who, entry)]
    if who.is_partner and "participant_group_ids" in view:
        view["participant_group_ids"] = [
            key for key in view["participant_group_ids"] if tenant.groups[key].partner_id == who.partner_id
        ]
    return view


def _resolution(who: Principal, resolution: Json | None) -> Json | None:
    if resolution is None or not who.is_partner:
        return resolution
    return {name: value for name, value in resolution.items() if name != "root_cause"}


def post_view(who: Principal, tenant: Tenant, post: Post) -> Json:
    """Schema Post."""
    view = base(who, post)
    view |= {
        "thread_id": post.thread_id,
        "kind": post.kind,
        "visibility": post.visibility,
        "author": actor_view(who, tenant, post.author),
        "body": post.body,
        "sequence": post.sequence if who.sees_internal else post.partner_sequence,
        "edited": post.edited,
        "redacted": post.redacted,
    }
    view.setdefault("reply_to", None)
    return view


def document_view(who: Principal, tenant: Tenant, document: Document) -> Json:
    """Schema Document."""
    current = document.current
    threads = (tenant.threads[key] for key in document.thread_ids)
    view = base(who, document)
    view.pop("expected_sha256", None)
    view |= {
        "partner_id": document.partner_id,
        "renditions": current.renditions,
        "state": document.state,
        "current_version": current.number,
        "version_count": len(document.versions),
        "created_by": actor_view(who, tenant, document.created_by),
        "sha256": current.blob.sha256,
        "content_size": len(current.blob.content),
        "mime_type": current.blob.mime_type,
        "thread_ids": [
            thread.id for thread in threads
            if sees(tenant, who, thread)
            and (who.sees_internal or thread.documents.get(document.id) == "partner")
        ],
        "legal_hold": document.legal_hold,
        "retain_until": None,
    }  # fmt: skip
    view["_links"]["urn:eim:linkrel:download-media"] = {"href": href(document) + "/content"}
    return view


def version_view(who: Principal, tenant: Tenant, document: Document, version: Version) -> Json:
    """Schema DocumentVersion."""
    return {
        "version": version.number,
        "renditions": version.renditions,
        "mime_type": version.blob.mime_type,
        "content_size": len(version.blob.content),
        "sha256": version.blob.sha256,
        "comment": version.comment,
        "created_by": actor_view(who, tenant, version.created_by),
        "create_time": stamp(version.create_time),
        "scan_state": version.scan_state,
        "_links": {"self": {"href": f"{href(document)}/versions/{version.number}/content"}},
    }


def event_view(who: Principal, tenant: Tenant, event: Event) -> Json:
    """Schema Event; a partner gets its own numbering and its own revision of the object (rule I3)."""
    sequence, revision, fields = event.sequence, event.revision, event.changed_fields + event.hub_fields
    if who.partner_id is not None:
        sequence, revision = event.partners[who.partner_id]
        fields = event.changed_fields
    view: dict[str, Any] = {
        "id": event.id,
        "type": event.type,
        "spec_version": "1",
        "time": stamp(event.time),
        "sequence": sequence,
        "tenant_id": tenant.id,
        "partner_id": event.partner_id,
        "visibility": event.visibility,
        "resource": {
            "type": KIND_OF[type(event.resource)][0],
            "id": event.resource.id,
            "revision": revision,
            "href": href(event.resource),
        },
        "thread_id": event.thread_id,
        "actor": actor_view(who, tenant, event.actor),
        "changed_fields": fields,
        "data": event.data,
    }
    if event.origin is not None and not who.is_partner:
        view["origin"] = event.origin
    return view


def dump_tenant(tenant: Tenant) -> Json:
    """All of a tenant in the hub's view, by kind and id (side door `/_sandbox/state`)."""
    hub = everything(tenant)
    return {
        "partners": {key: base(hub, entry) for key, entry in tenant.partners.items()},
        "threads": {key: thread_view(hub, tenant, entry) for key, entry in tenant.threads.items()},
        "posts": {key: post_view(hub, tenant, entry) for key, entry in tenant.posts.items()},
        "documents": {key: document_view(hub, tenant, entry) for key, entry in tenant.documents.items()},
        "evidence_requests": {
            key: base(hub, entry) | {"state": entry.state, "thread_id": entry.thread_id,
                                     "fulfilled_by": [{name: value for name, value in attempt.items()
                                                       if name != "submitted_by"} for attempt in
                                                      entry.fulfilments]}
            for key, entry in tenant.evidence.items()
        },
        "onboarding_requirements": {
            key: base(hub, entry) | {"state": entry.state, "blocked_reason": entry.blocked_reason}
            for key, entry in tenant.requirements.items()
        },
        "approvals": {key: base(hub, entry) | {"state": entry.state} for key, entry in tenant.approvals.items()},
    }  # fmt: skip


def everything(tenant: Tenant) -> Principal:
    """A hub person with all rights, for the pages and the dump."""
    actor = Actor("hub_user", "usr_hub", "Robin Hub", client_id=None)
    return Principal(tenant.id, None, actor, frozenset({"community:internal"}))

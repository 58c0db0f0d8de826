"""Who may see what (rules I1 and I2): one function for each kind of object, and look-ups that refuse with 404."""

from __future__ import annotations

from typing import TypeVar

from sandbox.trading_grid.events import Event
from sandbox.trading_grid.objects import (
    Approval,
    Document,
    Entity,
    EvidenceRequest,
    OnboardingCase,
    Post,
    Requirement,
    Thread,
)
from sandbox.trading_grid.principals import Principal
from sandbox.trading_grid.problems import missing
from sandbox.trading_grid.tenant import Tenant

EntityT = TypeVar("EntityT", bound=Entity)


def sees(tenant: Tenant, who: Principal, entity: Entity) -> bool:
    """Whether `who` may see `entity` at this moment."""
    if isinstance(entity, Document):
        return sees_document(tenant, who, entity)
    if isinstance(entity, Post):
        thread = tenant.threads[entity.thread_id]
        return sees(tenant, who, thread) and (entity.visibility == "partner" or who.sees_internal)
    if not who.reaches(entity.partner_id):
        return False
    if isinstance(entity, Thread):
        return entity.open_to_partner or who.sees_internal
    if isinstance(entity, EvidenceRequest):
        return sees(tenant, who, tenant.threads[entity.thread_id])
    if isinstance(entity, Approval):
        return entity.visibility == "partner" or who.sees_internal
    return not who.is_partner or entity.partner_id is not None


def sees_document(tenant: Tenant, who: Principal, document: Document) -> bool:
    """Hub: by partner and classification. Partner: shared, linked partner-visible, or brought by itself."""
    if who.partner_id is None:
        return who.reaches(document.partner_id) and (
            who.sees_internal or document.written["classification"] != "hub_internal"
        )
    return document_reaches_partner(tenant, document, who.partner_id)


def document_reaches_partner(tenant: Tenant, document: Document, partner_id: str) -> bool:
    """Whether a partner may see the document; a hub_internal one never, whatever the shares say."""
    if document.written["classification"] == "hub_internal" or document.partner_id not in (None, partner_id):
        return False
    if document.created_by.partner_id == partner_id:
        return True
    linked = any(
        tenant.threads[thread_id].documents.get(document.id) == "partner"
        and tenant.threads[thread_id].open_to_partner
        and tenant.threads[thread_id].partner_id == partner_id
        for thread_id in document.thread_ids
    )
    return linked or any(_share_reaches(tenant, share, partner_id) for share in document.shares)


def _share_reaches(tenant: Tenant, share: dict[str, object], partner_id: str) -> bool:
    if share["withdrawn"]:
        return False
    kind, target = share["principal_type"], str(share["principal_id"])
    if kind == "partner":
        return target == partner_id
    if kind == "workspace":
        return tenant.workspaces[target].partner_id == partner_id
    group = tenant.groups[target]
    return partner_id in group.member_ids if group.kind == "audience" else group.partner_id == partner_id


def admits(tenant: Tenant, who: Principal, event: Event) -> bool:
    """Whether `who` may see this event now (rule I6: the rights of this moment, not of when it happened)."""
    if who.partner_id is not None and who.partner_id not in event.partners:
        return False
    if event.visibility == "internal" and not who.sees_internal:
        return False
    if event.partner_id is not None and not who.reaches(event.partner_id):
        return False
    return who.sees_internal or sees(tenant, who, event.resource)


def _found(tenant: Tenant, who: Principal, entity: EntityT | None) -> EntityT:
    if entity is None or not sees(tenant, who, entity):
        missing()
    return entity


def thread_for(tenant: Tenant, who: Principal, thread_id: str) -> Thread:
    """The thread, or 404; a partner's look is remembered, since it forbids hiding the thread later."""
    thread = _found(tenant, who, tenant.threads.get(thread_id))
    if who.is_partner:
        thread.partner_has_read = True
    return thread


def post_for(tenant: Tenant, who: Principal, post_id: str) -> Post:
    """The post, or 404."""
    return _found(tenant, who, tenant.posts.get(post_id))


def document_for(tenant: Tenant, who: Principal, document_id: str) -> Document:
    """The document, or 404."""
    return _found(tenant, who, tenant.documents.get(document_id))


def evidence_for(tenant: Tenant, who: Principal, request_id: str) -> EvidenceRequest:
    """The evidence request, or 404."""
    return _found(tenant, who, tenant.evidence.get(request_id))


def case_for(tenant: Tenant, who: Principal, case_id: str) -> OnboardingCase:
    """The onboarding case, or 404."""
    return _found(tenant, who, tenant.cases.get(case_id))


def requirement_for(tenant: Tenant, who: Principal, requirement_id: str) -> Requirement:
    """The requirement, or 404."""
    return _found(tenant, who, tenant.requirements.get(requirement_id))


def approval_for(tenant: Tenant, who: Principal, approval_id: str) -> Approval:
    """The approval, or 404."""
    return _found(tenant, who, tenant.approvals.get(approval_id))

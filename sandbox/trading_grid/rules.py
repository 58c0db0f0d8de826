"""Rules that several resources share: one partner per object (I4), no upgrade of internal content (I5), shelves."""

from __future__ import annotations

from typing import NoReturn

from sandbox.trading_grid.objects import Document, Group, Thread
from sandbox.trading_grid.principals import Principal
from sandbox.trading_grid.problems import Problem, invalid, missing
from sandbox.trading_grid.tenant import Tenant
from sandbox.trading_grid.visibility import document_reaches_partner, sees


def refuse_cross_partner(who: Principal) -> NoReturn:
    """A write that would tie two partners together: 422 for the hub, 404 for a partner (rule I4)."""
    if who.is_partner:
        missing()
    raise Problem("cross_partner_reference")


def refuse_unknown(who: Principal, pointer: str, detail: str) -> NoReturn:
    """A body that names an object the caller cannot see: 404 for a partner, 422 with the place for the hub."""
    if who.is_partner:
        missing()
    invalid(pointer, detail)


def require_partner(tenant: Tenant, who: Principal, partner_id: str | None, pointer: str = "/partner_id") -> str:
    """The partner named in a body, when the caller reaches it; a partner naming another one gets 404."""
    if partner_id not in tenant.partners or not who.reaches(partner_id):
        refuse_unknown(who, pointer, "no such partner")
    assert partner_id is not None
    return partner_id


def require_team(tenant: Tenant, who: Principal, group_id: str, partner_id: str | None, pointer: str) -> Group:
    """A team of this partner or of the hub; an audience is 422 fan_out_required, another partner's team I4."""
    group = tenant.groups.get(group_id)
    if group is None:
        invalid(pointer, "no such group")
    if group.kind == "audience":
        raise Problem("fan_out_required")
    if group.partner_id not in (None, partner_id):
        refuse_cross_partner(who)
    return group


def require_document(
    tenant: Tenant, who: Principal, document_id: str, thread: Thread, visibility: str, pointer: str
) -> Document:
    """A document of the thread's partner that is as visible as what it shall hang on."""
    document = tenant.documents.get(document_id)
    if document is None or (document.partner_id == thread.partner_id and not sees(tenant, who, document)):
        refuse_unknown(who, pointer, "no such document")
    if document.partner_id not in (None, thread.partner_id):
        refuse_cross_partner(who)
    assert thread.partner_id is not None
    if visibility == "partner" and not document_reaches_partner(tenant, document, thread.partner_id):
        raise Problem("visibility_violation", "the document is not visible to the partner")
    return document


def require_related(tenant: Tenant, who: Principal, thread_ids: list[str], partner_id: str | None) -> None:
    """Threads of the same partner that the caller may see."""
    for place, thread_id in enumerate(thread_ids):
        related = tenant.threads.get(thread_id)
        if related is not None and related.partner_id != partner_id and not who.is_partner:
            raise Problem("cross_partner_reference")
        if related is None or not sees(tenant, who, related):
            refuse_unknown(who, f"/related_thread_ids/{place}", "no such thread")

"""External references: unique for ever on (system, instance, object type, id) and our kind of object, per tenant."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.trading_grid.objects import KIND_OF, Entity, Json
from sandbox.trading_grid.principals import Principal
from sandbox.trading_grid.problems import Problem
from sandbox.trading_grid.tenant import ExternalKey, Tenant
from sandbox.trading_grid.visibility import sees


def key_of(kind: str, reference: Json) -> ExternalKey:
    """The unique key of one reference."""
    instance = reference.get("instance", "")
    return kind, reference["system"], instance, reference["object_type"], reference["external_id"]


def check_free(
    tenant: Tenant, who: Principal, kind: type[Entity], references: list[Json], own_id: str | None = None
) -> None:
    """Raise 409 external_reference_exists when another object holds one; names it only if the caller may see it."""
    for reference in references:
        existing = tenant.external.get(key_of(KIND_OF[kind][0], reference))
        if existing is not None and existing != own_id:
            holder = _holder(tenant, kind, existing)
            visible = holder is not None and sees(tenant, who, holder)
            named: Json = {"existing_id": existing} if visible else {}
            raise Problem("external_reference_exists", **named)


def bind(tenant: Tenant, entity: Entity, references: list[Json]) -> None:
    """Make these the references of `entity`, letting go of the ones it held before."""
    kind = KIND_OF[type(entity)][0]
    for reference in entity.written.get("external_references", ()):
        key = key_of(kind, reference)
        tenant.external.pop(key, None)
        tenant.external_ids[reference["external_id"]].discard(key)
    for reference in references:
        key = key_of(kind, reference)
        tenant.external[key] = entity.id
        tenant.external_ids.setdefault(reference["external_id"], set()).add(key)
    if references or "external_references" in entity.written:
        entity.written["external_references"] = references


def held_by(tenant: Tenant, kind: str, system: str | None, external_id: str | None) -> set[str]:
    """Ids of our objects of this kind bound to that system, that id, or both."""
    keys = tenant.external if external_id is None else tenant.external_ids.get(external_id, ())
    return {tenant.external[key] for key in keys if key[0] == kind and system in (None, key[1])}


def _holder(tenant: Tenant, kind: type[Entity], object_id: str) -> Entity | None:
    shelves: dict[str, Mapping[str, Entity]] = {
        "thread": tenant.threads,
        "post": tenant.posts,
        "document": tenant.documents,
        "evidence_request": tenant.evidence,
        "onboarding_requirement": tenant.requirements,
        "approval": tenant.approvals,
    }
    return shelves[KIND_OF[kind][0]].get(object_id)

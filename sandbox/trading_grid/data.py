"""The start data: two tenants, their partners, groups, onboarding and clients (published test credentials)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.trading_grid.events import Feed
from sandbox.trading_grid.objects import (
    Approval,
    Group,
    OnboardingCase,
    Partner,
    Requirement,
    Subscription,
    Workspace,
)
from sandbox.trading_grid.principals import Client
from sandbox.trading_grid.tenant import Tenant
from sandbox.trading_grid.webhooks import HOOK_PATH, HOOK_SECRET

if TYPE_CHECKING:
    from sandbox.trading_grid.state import Grid

TENANT, OTHER_TENANT = "tnt_sandbox", "tnt_other"
PARTNERS = {"acme": "Acme Logistics", "globex": "Globex Retail", "initech": "Initech Foods"}
PEOPLE = {"acme": "Dana Lee", "globex": "Kim Ortiz", "initech": "Noor Patel", "umbra": "Sam Quist"}

_CLIENTS = (
    Client(TENANT, "casebridge", "sandbox-trading-grid-secret", "Case sync"),
    Client(TENANT, "casebridge-narrow", "sandbox-narrow-secret", "Case sync for one partner",
           partner_scope=frozenset({"prt_acme"})),
    *(Client(TENANT, f"{slug}-partner", f"sandbox-{slug}-secret", PEOPLE[slug], partner_id=f"prt_{slug}",
             actor_id=f"usr_{slug}") for slug in PARTNERS),
    Client(OTHER_TENANT, "casebridge-other", "sandbox-other-secret", "Other tenant's client"),
    Client(OTHER_TENANT, "umbra-partner", "sandbox-umbra-secret", PEOPLE["umbra"], partner_id="prt_umbra",
           actor_id="usr_umbra"),
)  # fmt: skip

_IDENTIFIERS: dict[str, list[dict[str, Any]]] = {
    "acme": [
        {"scheme": "duns", "value": "123456789", "usage": "both"},
        {"scheme": "gln", "value": "0614141000012", "usage": "production", "verified": True},
        {"scheme": "x12_isa", "qualifier": "01", "value": "123456789", "usage": "production"},
        {"scheme": "vendor_number", "value": "V-10044", "issuer": "hub"},
    ],
    "globex": [{"scheme": "duns", "value": "987654321", "usage": "both"},
               {"scheme": "vendor_number", "value": "V-20077", "issuer": "hub"}],
    "initech": [{"scheme": "duns", "value": "555666777", "usage": "both"},
                {"scheme": "vendor_number", "value": "V-30012", "issuer": "hub"}],
    "umbra": [{"scheme": "vendor_number", "value": "V-10044", "issuer": "hub"}],
}  # fmt: skip

_TEAMS = (
    ("log", "logistics desk", ["short_shipment", "over_shipment", "damaged_goods", "late_shipment", "asn_mismatch",
                               "missing_proof_of_delivery"]),
    ("fin", "finance desk", ["invoice_mismatch", "price_mismatch", "duplicate_invoice", "chargeback"]),
)  # fmt: skip


def clients() -> dict[tuple[str, str], Client]:
    """Clients by (tenant, client id)."""
    return {(client.tenant_id, client.client_id): client for client in _CLIENTS}


def load(grid: Grid) -> None:
    """Fill an empty grid."""
    for index, (key, hub_name) in enumerate(((TENANT, "Sandbox Hub"), (OTHER_TENANT, "Other Hub"))):
        grid.tenants[key] = Tenant(key, hub_name, Feed(index, 2))
    first, second = grid.tenants[TENANT], grid.tenants[OTHER_TENANT]
    for slug, name in PARTNERS.items():
        _partner(grid, first, slug, name)
    _partner(grid, second, "umbra", "Umbra Freight")
    first.hub_users = {"usr_hub": "Robin Hub"}
    _group(grid, first, "grp_hub_resolution", "Resolution team", "team", None)
    _group(grid, first, "grp_all_partners", "All partners", "audience", None, members=tuple(first.partners))
    _onboarding(grid, first, "acme")
    _preset_subscription(grid, first)


def _partner(grid: Grid, tenant: Tenant, slug: str, name: str) -> None:
    key = f"prt_{slug}"
    tenant.partners[key] = Partner(
        **grid.common("prt", key, key),
        written={
            "name": name,
            "legal_name": f"{name} Inc.",
            "roles": ["supplier"],
            "tier": "standard",
            "country": "US",
            "time_zone": "America/Chicago",
            "identifiers": _IDENTIFIERS[slug],
            "supported_documents": ["850", "855", "856", "810", "997"],
            "state": "active",
            "contacts": [{
                "id": f"con_{slug}", "name": PEOPLE[slug], "email": f"{slug}@{slug}.example",
                "role": "service_contact", "is_default": True, "notify": True, "user_state": "active",
            }],
            "default_workspace_id": f"wsp_{slug}",
        },
    )  # fmt: skip
    tenant.workspaces[f"wsp_{slug}"] = Workspace(
        **grid.common("wsp", key, f"wsp_{slug}"),
        written={"name": f"{name} workspace", "kind": "partner", "partner_id": key, "state": "active"},
    )
    for short, title, topics in _TEAMS:
        _group(grid, tenant, f"grp_{slug}_{short}", f"{name} {title}", "team", key, topics=topics)


def _group(  # noqa: PLR0913 -- the facts of a group
    grid: Grid, tenant: Tenant, key: str, name: str, kind: str, partner_id: str | None,
    *, topics: list[str] | None = None, members: tuple[str, ...] = (),
) -> None:  # fmt: skip
    tenant.groups[key] = Group(
        **grid.common("grp", partner_id, key),
        written={"name": name, "kind": kind, "partner_id": partner_id, "topics": topics or [], "state": "active"},
        member_ids=members or ((f"con_{partner_id.removeprefix('prt_')}",) if partner_id else ()),
    )


def _onboarding(grid: Grid, tenant: Tenant, slug: str) -> None:
    key = f"prt_{slug}"
    case = OnboardingCase(
        **grid.common("onb", key, f"onb_{slug}"), state="technical_setup", workspace_id=f"wsp_{slug}", thread_id=None,
        written={"program": "EDI 2026", "target_live_date": "2027-03-01", "owner_team": "Onboarding"},
    )  # fmt: skip
    tenant.cases[case.id] = case
    wanted: tuple[tuple[str, dict[str, Any], str], ...] = (
        ("profile", {"title": "Company profile", "kind": "data", "owner_side": "partner", "mandatory": True,
                     "fields": [{"name": "gln", "label": "GLN", "format": "gln", "value_present": False,
                                 "valid": False}]}, "requested"),
        ("insurance", {"title": "Certificate of insurance", "kind": "document", "owner_side": "partner",
                       "mandatory": True, "document_class": "certificate_of_insurance"}, "requested"),
        ("golive", {"title": "Go-live approval", "kind": "approval", "owner_side": "hub", "mandatory": True},
         "not_started"),
    )  # fmt: skip
    for name, written, state in wanted:
        requirement = Requirement(
            **grid.common("req", key, f"req_{slug}_{name}"), case_id=case.id, state=state, written=written
        )
        tenant.requirements[requirement.id] = requirement
        case.requirement_ids.append(requirement.id)
    approval = Approval(
        **grid.common("apr", key, f"apr_{slug}_golive"), state="pending", visibility="internal",
        written={"subject": {"type": "onboarding_requirement", "id": f"req_{slug}_golive"},
                 "title": f"Go-live of {slug}", "approver_group": "onboarding", "approver_side": "hub"},
    )  # fmt: skip
    tenant.approvals[approval.id] = approval
    tenant.requirements[f"req_{slug}_golive"].approval_id = approval.id


def _preset_subscription(grid: Grid, tenant: Tenant) -> None:
    target = grid.kit.hooks.base_url
    if target is None:
        return
    owner = clients()[tenant.id, "casebridge"].principal()
    grid.webhooks.owners[owner.key] = owner
    tenant.subscriptions["sub_preset"] = Subscription(
        **grid.common("sub", None, "sub_preset"), owner=owner.key, secret=HOOK_SECRET, state="active",
        written={"url": target.rstrip("/") + HOOK_PATH, "event_types": ["*"], "include_internal": True,
                 "suppress_own_writes": False, "description": "preset by --hooks-to"},
    )  # fmt: skip

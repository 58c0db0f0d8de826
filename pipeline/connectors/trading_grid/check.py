"""Start-up check and registration of the webhook."""

import uuid
from collections.abc import Iterator

from pipeline.config import Config
from pipeline.connector import Http
from pipeline.connectors.trading_grid.fetch import fetch, fetch_pages, reading
from pipeline.connectors.trading_grid.settings import WEBHOOK_SECRET, partner_id_of, section_of
from pipeline.connectors.trading_grid.vocabulary import NAME, PAGE_SIZE
from pipeline.plan import Plan, Request

HOOK_PATH = "/hooks/trading-grid"
DESCRIPTION = "casebridge"
EVENT_TYPES = ("thread.*", "post.*", "document.*", "evidence_request.*", "onboarding_requirement.*", "approval.*")
_NEEDED = ("etag", "idempotency")  # without them a write could overwrite or double


def check(config: Config, http: Http) -> Iterator[str]:
    """One sentence for each capability, partner and team that Trading Grid does not have."""
    info = fetch(http, reading("service_info", "/service-info"))
    if info is None:
        yield "TRADING_GRID_URL: found no /active-community/v1/service-info there, expected the root of Trading Grid"
        return
    features = info.get("features") or {}
    for name in _NEEDED:
        if features.get(name) is False:
            yield f"Trading Grid says that it has no {name}; casebridge's writes would not be safe"
    yield from _missing_partners(config, http)
    yield from _missing_teams(config, http)


def connect(public_url: str) -> Plan:
    """List the subscriptions, then create ours; skip the write when the list holds one with exactly our address."""
    url = public_url.rstrip("/") + HOOK_PATH
    key = str(uuid.uuid5(uuid.NAMESPACE_URL, url))
    # no filter for our own writes: their events confirm them, and people may use the same client (flows.md rule 4)
    body = {"url": url, "event_types": list(EVENT_TYPES), "include_internal": True, "suppress_own_writes": False,
            "description": DESCRIPTION}  # fmt: skip
    listed = reading("subscriptions", "/webhook-subscriptions", (("items-per-page", str(PAGE_SIZE)),))
    headers = (("Idempotency-Key", key),)
    created = Request("subscription", "POST", "/webhook-subscriptions", headers=headers, body=body)
    by_hand = f"Put `secret` of the answer into {WEBHOOK_SECRET.name}: it is shown this once."
    return Plan(NAME, (listed, created), by_hand=by_hand)


def _missing_partners(config: Config, http: Http) -> Iterator[str]:
    wanted = {partner.key: partner_id_of(partner) for partner in config.partners}
    if not any(wanted.values()):
        return
    states = {str(one.get("id")): str(one.get("state")) for one in fetch_pages(http, "partners", "/partners")}
    for key, partner_id in wanted.items():
        if partner_id is not None and partner_id not in states:
            yield f"partners: {key} has the {NAME} id {partner_id}, which Trading Grid does not know"


def _missing_teams(config: Config, http: Http) -> Iterator[str]:
    teams = section_of(config)["teams"]
    if not teams:
        return
    kinds = {str(one.get("id")): one.get("kind") for one in fetch_pages(http, "groups", "/partner-groups")}
    for key, by_type in teams.items():
        for exception_type, group in by_type.items():
            if kinds.get(group) != "team":
                found = kinds.get(group) or "nothing"
                yield f"{NAME}.teams.{key}.{exception_type}: found {found} under {group}, expected a team group"

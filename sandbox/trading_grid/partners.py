"""Partners, their groups, their workspaces, and the digest shown beside a ticket."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sandbox.trading_grid.gateway import Answer, Call
from sandbox.trading_grid.objects import Group, Json, Partner, Thread, Workspace
from sandbox.trading_grid.paging import page
from sandbox.trading_grid.problems import Problem, missing
from sandbox.trading_grid.views import base, stamp, stamp_or_none
from sandbox.trading_grid.visibility import sees
from sandbox.trading_grid.vocabulary import FINISHED


def partner_view(call: Call, partner: Partner) -> Json:
    """Schema Partner; a tax id is masked on read."""
    view = base(call.who, partner)
    view["identifiers"] = [
        {**entry, "value": "***" + entry["value"][-2:]} if entry["scheme"] == "tax_id" else entry
        for entry in view["identifiers"]
    ]
    return view


def list_partners(call: Call) -> Answer:
    """Operation listPartners; a partner gets its own record only."""
    query = call.query
    found = [
        partner for partner in call.tenant.partners.values()
        if sees(call.tenant, call.who, partner)
        and query["state"] in (None, partner.written["state"])
        and (query["updated-after"] is None or partner.update_time > query["updated-after"])
        and query["external_system"] is None and query["external_id"] is None
    ]  # fmt: skip
    return page(call, found, lambda partner: partner_view(call, partner), sortby=query["sortby"])


def lookup_partner(call: Call) -> Answer:
    """Operation lookupPartner: by one identifier."""
    for partner in call.tenant.partners.values():
        known = any(_identifies(entry, call.query) for entry in partner.written["identifiers"])
        if known and sees(call.tenant, call.who, partner):
            return call.found(partner, partner_view(call, partner))
    raise Problem("not_found")


def _identifies(entry: Json, query: Mapping[str, Any]) -> bool:
    usage = entry.get("usage", "both")
    return (
        (entry["scheme"], entry["value"]) == (query["scheme"], query["value"])
        and query["qualifier"] in (None, entry.get("qualifier"))
        and (query["usage"] is None or usage in ("both", query["usage"]))
    )


def _partner(call: Call) -> Partner:
    partner = call.tenant.partners.get(call.path["partnerId"])
    if partner is None or not sees(call.tenant, call.who, partner):
        missing()
    return partner


def get_partner(call: Call) -> Answer:
    """Operation getPartner."""
    partner = _partner(call)
    return call.found(partner, partner_view(call, partner))


def partner_summary(call: Call) -> Answer:
    """Operation getPartnerSummary: counts on what the caller may see; its ETag changes with the content only."""
    partner, tenant, who = _partner(call), call.tenant, call.who
    now = call.grid.now()
    threads = [entry for entry in tenant.threads.values()
               if entry.partner_id == partner.id and sees(tenant, who, entry)]  # fmt: skip
    documents = [entry for entry in tenant.documents.values()
                 if entry.partner_id == partner.id and sees(tenant, who, entry)]  # fmt: skip
    open_threads = [entry for entry in threads if entry.state not in FINISHED]
    spoken = [entry.last_partner_post_time for entry in threads if entry.last_partner_post_time]
    body: Json = {
        "partner_id": partner.id,
        "open_threads": len(open_threads),
        "threads_by_type": dict(Counter(entry.written["type"] for entry in open_threads)),
        "threads_last_90_days": sum(entry.create_time > now - timedelta(days=90) for entry in threads),
        "overdue_evidence_requests": sum(
            entry.overdue and entry.state == "open" and sees(tenant, who, entry)
            for entry in tenant.evidence.values() if entry.partner_id == partner.id
        ),
        "open_onboarding_requirements": sum(
            entry.state not in ("accepted", "waived")
            for entry in tenant.requirements.values() if entry.partner_id == partner.id
        ),
        "last_partner_post_time": stamp_or_none(max(spoken) if spoken else None),
        "recent_threads": [_digest(entry) for entry in _newest(threads)],
        "recent_documents": [
            {"id": entry.id, "name": entry.written["name"], "document_class": entry.written["document_class"],
             "create_time": stamp(entry.create_time)}
            for entry in sorted(documents, key=lambda entry: entry.ordinal, reverse=True)[:10]
        ],
    }  # fmt: skip
    tag = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:16]
    headers = {"ETag": f'"{tag}"', "Cache-Control": "private, max-age=60"}
    return Answer(200, body | {"generated_time": stamp(now)}, headers)


def _newest(threads: list[Thread]) -> list[Thread]:
    return sorted(threads, key=lambda entry: entry.update_time, reverse=True)[:10]


def _digest(thread: Thread) -> Json:
    return {
        "id": thread.id,
        "title": thread.written["title"],
        "type": thread.written["type"],
        "state": thread.state,
        "resolution_outcome": thread.resolution["outcome"] if thread.resolution else None,
        "update_time": stamp(thread.update_time),
        "document_count": len(thread.documents),
    }


def list_groups(call: Call) -> Answer:
    """Operation listPartnerGroups; a partner sees its own teams, never an audience or who else is in it."""
    query = call.query

    def view(group: Group) -> Json:
        return base(call.who, group) | {"member_count": len(group.member_ids)}

    found = [
        group for group in call.tenant.groups.values()
        if sees(call.tenant, call.who, group)
        and query["partner_id"] in (None, group.partner_id)
        and query["kind"] in (None, group.kind)
        and (query["topic"] is None or query["topic"] in group.written["topics"])
    ]  # fmt: skip
    return page(call, found, view)


def list_workspaces(call: Call) -> Answer:
    """Operation listWorkspaces; the counts are what the caller can see (rule I3)."""
    query, tenant, who = call.query, call.tenant, call.who

    def view(space: Workspace) -> Json:
        threads = [entry for entry in tenant.threads.values() if entry.written["workspace_id"] == space.id]
        documents = [entry for entry in tenant.documents.values() if entry.written.get("workspace_id") == space.id]
        return base(who, space) | {
            "thread_count": sum(sees(tenant, who, entry) for entry in threads),
            "document_count": sum(sees(tenant, who, entry) for entry in documents),
        }

    found = [
        space for space in tenant.workspaces.values()
        if sees(tenant, who, space)
        and query["partner_id"] in (None, space.partner_id)
        and (query["updated-after"] is None or space.update_time > query["updated-after"])
    ]  # fmt: skip
    return page(call, found, view)

"""How a document reaches the partner: shares with it, and links to its threads (rule I4)."""

from __future__ import annotations

from datetime import datetime

from sandbox.trading_grid import rules
from sandbox.trading_grid.documents import shown, tell
from sandbox.trading_grid.gateway import Answer, Call
from sandbox.trading_grid.objects import Document, Json, Thread
from sandbox.trading_grid.principals import Principal
from sandbox.trading_grid.problems import Problem, invalid
from sandbox.trading_grid.state import Grid
from sandbox.trading_grid.tenant import Tenant
from sandbox.trading_grid.views import stamp
from sandbox.trading_grid.visibility import document_for, thread_for


def share_created(call: Call) -> Answer:
    """Operation createShare: only with the document's own partner; an audience only for a hub document."""
    document = document_for(call.tenant, call.who, call.path["documentId"])
    body, tenant, grid = call.body, call.tenant, call.grid
    _check_share(tenant, document, body)
    share = {**body, "id": grid.next_id("shr"), "create_time": stamp(grid.now())}
    document.shares.append({**share, "withdrawn": False})
    held = document.shares[-1]
    document.touch(grid.now(), partner=shown(tenant, document))
    grid.record("document_shared", document, call.who.by, share_id=share["id"], principal_id=body["principal_id"])
    tell(grid, tenant, document, "document.shared", call.who, data={"permission": body["permission"]})
    if body.get("expires_time"):
        grid.timers.at(datetime.fromisoformat(body["expires_time"]), lambda: _withdraw(grid, tenant, document, held))
    return Answer(201, share, {"Location": f"{call.request.url.path}/{share['id']}"})


def _check_share(tenant: Tenant, document: Document, body: Json) -> None:
    kind, key = body["principal_type"], body["principal_id"]
    if document.written["classification"] == "hub_internal":
        raise Problem("visibility_violation", "the document is hub_internal")
    if kind == "partner":
        known, owner = key in tenant.partners, key
    elif kind == "workspace":
        space = tenant.workspaces.get(key)
        known, owner = space is not None, (space.partner_id if space else None)
    else:
        group = tenant.groups.get(key)
        known, owner = group is not None, (group.partner_id if group else None)
    if not known:
        invalid("/principal_id", "no such principal")
    # An audience has no owner: right for a hub document, a second partner for any other.
    if owner != document.partner_id:
        raise Problem("cross_partner_reference")


def _withdraw(grid: Grid, tenant: Tenant, document: Document, share: Json) -> None:
    share["withdrawn"] = True
    document.touch(grid.now(), partner=False)
    grid.record("document_unshared", document, "system", share_id=share["id"])
    tell(grid, tenant, document, "document.unshared", None)


def document_linked(call: Call) -> Answer:
    """Operation linkDocument: 204, also when the link was there."""
    thread = thread_for(call.tenant, call.who, call.path["threadId"])
    document = document_for(call.tenant, call.who, call.path["documentId"])
    link(call.grid, call.tenant, call.who, thread, document, call.body["visibility"])
    return Answer(204)


def link(grid: Grid, tenant: Tenant, who: Principal, thread: Thread, document: Document, visibility: str) -> None:
    """Hang a document on a thread of its partner; an internal link is never made partner visible later."""
    if document.partner_id != thread.partner_id:
        rules.refuse_cross_partner(who)
    if visibility == "internal" and not who.sees_internal:
        raise Problem("visibility_violation", "the caller may not make internal links")
    before = thread.documents.get(document.id)
    if before == visibility:
        return
    closed = not thread.open_to_partner or document.written["classification"] == "hub_internal"
    if visibility == "partner" and (closed or before == "internal"):
        raise Problem("visibility_violation", "thread, document or link is internal")
    thread.documents[document.id] = visibility
    if thread.id not in document.thread_ids:
        document.thread_ids.append(thread.id)
    now, partner = grid.now(), visibility == "partner"
    document.touch(now, partner=partner)
    thread.touch(now, partner=partner)
    grid.record("document_linked", document, who.by, thread_id=thread.id, visibility=visibility)
    tell(grid, tenant, document, "document.linked", who, thread_id=thread.id, data={"visibility": visibility},
         internal=not partner)  # fmt: skip

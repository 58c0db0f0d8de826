"""Documents: registering a blob, the malware scan, versions, content."""

from __future__ import annotations

import base64
import re
from datetime import timedelta
from urllib.parse import quote

from sandbox.trading_grid import references, rules
from sandbox.trading_grid.gateway import Answer, Call
from sandbox.trading_grid.objects import SYSTEM, Blob, Document, Json, Version
from sandbox.trading_grid.principals import Principal
from sandbox.trading_grid.problems import Problem, invalid
from sandbox.trading_grid.state import Grid
from sandbox.trading_grid.tenant import Tenant
from sandbox.trading_grid.views import document_view, version_view
from sandbox.trading_grid.visibility import document_for, document_reaches_partner

_RANGE = re.compile(r"bytes=(\d*)-(\d*)$")


def document_created(call: Call) -> Answer:
    """Operation createDocument."""
    document = create_document(call.grid, call.tenant, call.who, call.body)
    return call.created(document, document_view(call.who, call.tenant, document))


def create_document(grid: Grid, tenant: Tenant, who: Principal, body: Json) -> Document:
    """Register a blob as a document of one partner; it is pending_scan until the scan has ended."""
    written = dict(body)
    partner_id = written.pop("partner_id", who.partner_id)
    if partner_id is not None or who.is_partner:
        partner_id = rules.require_partner(tenant, who, partner_id)
    if who.is_partner:
        written.pop("external_references", None)
        if written["classification"] == "hub_internal":
            raise Problem("visibility_violation", "a partner has nothing internal to the hub")
    workspace = tenant.workspaces.get(written.get("workspace_id", ""))
    if "workspace_id" in written and (workspace is None or workspace.partner_id != partner_id):
        if workspace is None:
            rules.refuse_unknown(who, "/workspace_id", "no such workspace")
        rules.refuse_cross_partner(who)
    bound = written.pop("external_references", [])
    references.check_free(tenant, who, Document, bound)
    blob = claim(tenant, who, written.pop("renditions"), written.get("expected_sha256"))
    document = Document(**grid.common("doc", partner_id), written=written, state="pending_scan", created_by=who.actor)
    tenant.documents[document.id] = document
    references.bind(tenant, document, bound)
    document.versions.append(version(grid, who, blob, 1, ""))
    grid.record(
        "document_created", document, who.by, name=written["name"], document_class=written["document_class"],
        classification=written["classification"], sha256=blob.sha256, size=len(blob.content),
        origin=written.get("origin"), external_references=bound, author_type=who.actor.type,
    )  # fmt: skip
    tell(grid, tenant, document, "document.created", who, origin=written.get("origin"))
    scan(grid, tenant, document)
    return document


def claim(tenant: Tenant, who: Principal, renditions: list[Json], expected: str | None) -> Blob:
    """The blob of the primary rendition, if it is the caller's own (rule I7)."""
    place = next((at for at, entry in enumerate(renditions) if entry["rendition_type"] == "primary"), None)
    if place is None:
        invalid("/renditions", "a primary rendition is required", "required")
    blob = tenant.blobs.get(renditions[place]["blob_id"])
    if blob is None or blob.owner != who.key:
        invalid(f"/renditions/{place}/blob_id", "no such blob")
    if expected is not None and expected != blob.sha256:
        raise Problem("checksum_mismatch")
    blob.used = True
    return blob


def version(grid: Grid, who: Principal, blob: Blob, number: int, comment: str) -> Version:
    """A new version over a claimed blob."""
    rendition = {"name": blob.name, "rendition_type": "primary", "source": "FILE_ID", "blob_id": blob.id,
                 "mime_type": blob.mime_type, "content_size": len(blob.content)}  # fmt: skip
    return Version(number, blob, [rendition], comment, who.actor, grid.now(), "pending")


def scan(grid: Grid, tenant: Tenant, document: Document) -> None:
    """End the scan of the current version now or after the set delay."""
    current = document.current
    delay = grid.switches.scan_delay_seconds

    def end() -> None:
        current.scan_state = "infected" if current.blob.infected else "clean"
        document.state = "quarantined" if current.blob.infected else "available"
        document.touch(grid.now(), partner=shown(tenant, document))
        grid.record("document_scanned", document, "system", state=document.state, version=current.number)
        tell(grid, tenant, document, "document.scan_completed", None,
             data={"state": document.state, "scan_state": current.scan_state, "version": current.number})  # fmt: skip

    if delay:
        grid.timers.at(grid.now() + timedelta(seconds=delay), end)
    else:
        end()


def shown(tenant: Tenant, document: Document) -> bool:
    """Whether any partner can see the document now."""
    return any(document_reaches_partner(tenant, document, key) for key in _audience(tenant, document))


def _audience(tenant: Tenant, document: Document) -> list[str]:
    return [document.partner_id] if document.partner_id is not None else list(tenant.partners)


def tell(  # noqa: PLR0913 -- the facts of an event
    grid: Grid, tenant: Tenant, document: Document, kind: str, who: Principal | None, *,
    data: Json | None = None, origin: Json | None = None, thread_id: str | None = None,
    internal: bool = False,
) -> None:  # fmt: skip
    """Publish a document's event to the partners that can see the document now."""
    seers = [key for key in _audience(tenant, document) if document_reaches_partner(tenant, document, key)]
    facts = {"document_class": document.written["document_class"], "state": document.state, **(data or {})}
    threads = document.thread_ids
    grid.publish(
        tenant, kind, document, who.actor if who else SYSTEM, partner=bool(seers) and not internal, audience=seers,
        thread_id=thread_id or (threads[0] if len(threads) == 1 else None), origin=origin, data=facts,
    )  # fmt: skip


def get_document(call: Call) -> Answer:
    """Operation getDocument."""
    document = document_for(call.tenant, call.who, call.path["documentId"])
    return call.found(document, document_view(call.who, call.tenant, document))


def document_content(call: Call) -> Answer:
    """Operation getDocumentContent: whole or one range, never before the scan has ended (rule I8)."""
    document = document_for(call.tenant, call.who, call.path["documentId"])
    if document.state == "pending_scan":
        raise Problem("document_pending_scan")
    if document.state == "quarantined":
        raise Problem("document_quarantined")
    if document.state == "deleted":
        raise Problem("gone")
    blob = document.current.blob
    digest = base64.b64encode(bytes.fromhex(blob.sha256)).decode()
    headers = {
        "ETag": f'"sha256-{blob.sha256}"',
        "Repr-Digest": f"sha-256=:{digest}:",
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(blob.name)}",
        "X-Content-Type-Options": "nosniff",
        "Accept-Ranges": "bytes",
    }
    content, status = blob.content, 200
    chosen = _RANGE.match(call.request.headers.get("range", ""))
    if chosen and (chosen[1] or chosen[2]):
        size = len(content)
        first = int(chosen[1]) if chosen[1] else max(0, size - int(chosen[2]))
        last = min(int(chosen[2]), size - 1) if chosen[1] and chosen[2] else size - 1
        if first < size:
            content, status = content[first : last + 1], 206
            headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return Answer(status, None, headers, raw=content, media_type="application/octet-stream")


def version_added(call: Call) -> Answer:
    """Operation addDocumentVersion: the same bytes as the current version give that one back, without event."""
    document = document_for(call.tenant, call.who, call.path["documentId"])
    call.require_match(document)
    body, who, tenant = call.body, call.who, call.tenant
    blob = claim(tenant, who, body["renditions"], body.get("expected_sha256"))
    location = {"Location": f"{call.request.url.path}/{document.current.number}/content"}
    if blob.sha256 == document.current.blob.sha256:
        view = version_view(who, tenant, document, document.current)
        return Answer(201, view, location | {"Idempotent-Replayed": "true"})
    if body.get("external_references") and not who.is_partner:
        references.check_free(tenant, who, Document, body["external_references"], document.id)
        references.bind(tenant, document, body["external_references"])
    new = version(call.grid, who, blob, len(document.versions) + 1, body.get("comment", ""))
    document.versions.append(new)
    document.state = "pending_scan"
    document.touch(call.grid.now(), partner=shown(tenant, document))
    call.grid.record("document_version_added", document, who.by, version=new.number, sha256=blob.sha256)
    tell(call.grid, tenant, document, "document.version_added", who, origin=body.get("origin"),
         data={"version": new.number})  # fmt: skip
    scan(call.grid, tenant, document)
    location = {"Location": f"{call.request.url.path}/{new.number}/content"}
    return Answer(201, version_view(who, tenant, document, new), location)

"""One file onto a thread: blob, document, link (two steps as in OpenText's CMS, then the thread)."""

import base64
from typing import Any
from urllib.parse import quote

from pipeline.connector import Facts, Work
from pipeline.connectors.trading_grid.bodies import external_reference, origin_of, post_bodies
from pipeline.connectors.trading_grid.fetch import reading, segment
from pipeline.connectors.trading_grid.requests import idempotency, thread_path, write_posts
from pipeline.connectors.trading_grid.vocabulary import DOCUMENT_CLASSES, NAME
from pipeline.domain.files import safe_name
from pipeline.domain.reason import Reason
from pipeline.domain.visibility import Cleared, clear_file, clear_text, require
from pipeline.errors import PermanentError
from pipeline.plan import Plan, Request, Slot, Stored
from schemas.content import File, FileState
from schemas.operation import Attach

Json = dict[str, Any]


def plan_attach(work: Work, operation: Attach, facts: Facts) -> Plan:
    """Upload, register, link, and the accompanying words; a file that is not in the store is only spoken of.

    `facts["existing_id"]` names the document that an earlier attempt registered: it is linked, nothing is uploaded.
    Raises VisibilityError and PermanentError `file_quarantined`.
    """
    file = clear_file(operation.file)
    if operation.file.state is FileState.QUARANTINED:
        raise PermanentError(Reason.FILE_QUARANTINED, f"file {operation.file.external_id} is quarantined")
    if operation.stored is None:
        return Plan(NAME, tuple(_words(work, operation)))
    if existing := facts.get("existing_id"):
        known = reading("document", f"/documents/{segment(str(existing))}")  # its id belongs on the receipt
        link = _link(work, segment(str(existing)))
        return Plan(NAME, (known, link, *_words(work, operation, str(existing))))
    document = Slot("document", "id")
    uploads = (_upload(work, file, operation.stored), _document(work, file, operation.stored, facts["thread"]))
    return Plan(NAME, (*uploads, _link(work, str(document)), *_words(work, operation, document)))


def _upload(work: Work, file: Cleared[File], stored: str) -> Request:
    """The raw bytes; `filename*` names them (RFC 6266), `Content-Digest` lets the server check them (RFC 9530)."""
    value: File = require(file)
    digest = base64.b64encode(bytes.fromhex(stored)).decode()
    headers = (
        idempotency(work, "file"),
        ("Content-Type", "application/octet-stream"),
        ("Content-Disposition", f"attachment; filename*=UTF-8''{quote(safe_name(value.name), safe='')}"),
        ("Content-Digest", f"sha-256=:{digest}:"),
    )
    return Request("file", "POST", "/files/fromStream", headers=headers, body=Stored(stored, value.size))


def _document(work: Work, file: Cleared[File], stored: str, thread: Json) -> Request:
    value: File = require(file)
    partner = str(thread["partner_id"])
    name = safe_name(value.name)
    rendition = {"name": name, "rendition_type": "primary", "source": "FILE_ID", "blob_id": Slot("file", "id"),
                 "mime_type": value.content_type, "content_size": value.size}  # fmt: skip
    known = value.document_class in DOCUMENT_CLASSES
    # one attachment may go to several partners (flows.md Z1.2): each has a document of its own
    external_id = f"{value.external_id}:v{value.version}:{partner}:{stored[:16]}"[:128]
    body = {
        "name": name,
        "partner_id": partner,
        "document_class": value.document_class if known else "other",
        "classification": "partner_confidential",
        "renditions": [rendition],
        "expected_sha256": stored,
        "external_references": [external_reference(work.config, "casebridge:attachment", external_id)],
        "origin": origin_of(work),
    }
    return Request("document", "POST", "/documents", headers=(idempotency(work, "document"),), body=body)


def _link(work: Work, document: str) -> Request:
    return Request("link", "PUT", f"{thread_path(work)}/documents/{document}", body={"visibility": "partner"})


def _words(work: Work, operation: Attach, document: str | Slot | None = None) -> list[Request]:
    """The text beside the file, as a post that carries it."""
    if operation.text is None:
        return []
    members: Json = {"attachments": [{"document_id": document}]} if document is not None else {}
    bodies = post_bodies(clear_text(operation.text))
    return write_posts(work, thread_path(work), bodies, operation.file.external_id, **members)

"""Blobs: one request brings the bytes, by multipart form or as they are (operation uploadFile)."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import timedelta
from urllib.parse import unquote

from starlette.datastructures import UploadFile

from sandbox.trading_grid.gateway import Answer, Call, idempotency_key
from sandbox.trading_grid.objects import Blob, Json
from sandbox.trading_grid.principals import Principal
from sandbox.trading_grid.problems import Problem, invalid
from sandbox.trading_grid.state import Grid
from sandbox.trading_grid.tenant import Tenant
from sandbox.trading_grid.views import API, stamp
from sandbox.trading_grid.vocabulary import MAX_FILE_BYTES

_MAGIC = (
    (b"%PDF-", "application/pdf"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"), (b"PK\x03\x04", "application/zip"),
)  # fmt: skip
_FILE_NAME = re.compile(r"filename\*=UTF-8''([^;]+)|filename=\"([^\"]*)\"|filename=([^;\s]+)", re.IGNORECASE)


async def file_uploaded(call: Call) -> Answer:
    """Operation uploadFile; the replay key is bound to name and bytes, since a form's boundary differs each time."""
    name, content = await _received(call)
    _check_digest(call, content)
    grid, who = call.grid, call.who
    key = (who.key, "POST", call.request.url.path, idempotency_key(call.request))
    fingerprint = hashlib.sha256(name.encode() + b"\0" + content).digest()
    kept = grid.replays.find(key, fingerprint, grid.now())
    if kept is not None:
        return Answer(kept.status, json.loads(kept.body), {**kept.headers, "Idempotent-Replayed": "true"})
    blob = store(grid, call.tenant, who, name, content)
    view = _view(grid, blob)
    headers = {"Location": f"{API}/files/{blob.id}"}
    grid.replays.keep(key, fingerprint, grid.now(), 201, headers, json.dumps(view).encode())
    return Answer(201, view, headers)


async def _received(call: Call) -> tuple[str, bytes]:
    request = call.request
    if int(request.headers.get("content-length", "0") or "0") > MAX_FILE_BYTES + 65_536:
        raise Problem("payload_too_large")
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "multipart/form-data":
        async with request.form(max_files=1) as form:
            part = form.get("file")
            if not isinstance(part, UploadFile):
                invalid("/file", "a part named file is required", "required")
            name, content = part.filename or "file", await part.read()
    elif media_type and media_type != "application/x-www-form-urlencoded":
        name, content = _file_name(request.headers.get("content-disposition", "")), await request.body()
    else:
        raise Problem("unsupported_media_type", "send multipart/form-data or the bytes with their own type")
    if len(content) > MAX_FILE_BYTES:
        raise Problem("payload_too_large")
    return name, content


def _file_name(disposition: str) -> str:
    found = _FILE_NAME.search(disposition)
    if found is None:
        return "file"
    return unquote(found[1]) if found[1] else found[2] or found[3] or "file"


def _check_digest(call: Call, content: bytes) -> None:
    given = re.search(r"sha-256=:([^:]+):", call.request.headers.get("content-digest", ""))
    if given and given[1] != base64.b64encode(hashlib.sha256(content).digest()).decode():
        raise Problem("checksum_mismatch")


def store(grid: Grid, tenant: Tenant, who: Principal, name: str, content: bytes) -> Blob:
    """Keep the bytes for 24 hours, or as long as a document uses them."""
    blob = Blob(
        id=grid.next_id("blb"),
        owner=who.key,
        name=name,
        mime_type=detected(content),
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        infected="eicar" in name.lower(),
        expires=grid.now() + timedelta(hours=24),
    )
    tenant.blobs[blob.id] = blob
    grid.kit.journal.record("file_stored", blob.id, by=who.by, name=name, size=len(content), sha256=blob.sha256)
    grid.timers.at(blob.expires, lambda: None if blob.used else _forget(tenant, blob))
    return blob


def _forget(tenant: Tenant, blob: Blob) -> None:
    tenant.blobs.pop(blob.id, None)


def detected(content: bytes) -> str:
    """The media type by the first bytes; what the client says is not trusted."""
    for magic, mime_type in _MAGIC:
        if content.startswith(magic):
            return mime_type
    try:
        content[:4096].decode("utf-8")
    except UnicodeDecodeError:
        return "application/octet-stream"
    return "text/plain"


def _view(grid: Grid, blob: Blob) -> Json:
    ended = "infected" if blob.infected else "clean"
    return {
        "id": blob.id,
        "originalFileName": blob.name,
        "mimeType": blob.mime_type,
        "size": len(blob.content),
        "sha256": blob.sha256,
        "scan_state": "pending" if grid.switches.scan_delay_seconds else ended,
        "expires_time": stamp(blob.expires),
    }

"""Uploads and attachments: tokens, guessed types, virus scanning that comes later, redaction (sheet 4)."""

from __future__ import annotations

import hashlib
import mimetypes
import secrets
from datetime import timedelta
from pathlib import PurePath

from .account import Account, File, Upload, wire_time
from .data import JsonObject
from .errors import ApiError, invalid

_FIRST_BYTES = {
    ".pdf": b"%PDF",
    ".png": b"\x89PNG",
    ".gif": b"GIF8",
    ".zip": b"PK",
    ".jpg": b"\xff\xd8",
    ".jpeg": b"\xff\xd8",
}


def upload(account: Account, name: str, content_type: str, content: bytes, token: str | None) -> Upload:
    """Store a file under a new token, or beside the files of an open one.

    Raises ApiError 413 or 422 (setting `oversize_status`) for a file above the account's limit, 422 for a
    name whose extension contradicts the content, or for an unknown token.
    """
    if len(content) > account.settings.attachment_size:
        raise ApiError(
            account.settings.oversize_status,
            {"error": "AttachmentTooLarge", "description": "Attachment file is larger than the account's limit."},
        )
    _check_type(account, name, content)
    kept = live_upload(account, token) if token else _new_upload(account)
    kept.files.append(_file(account, name, content_type, content))
    return kept


def upload_shown(kept: Upload) -> JsonObject:
    """The answer to an upload: `attachment` is the newest file, `attachments` all of the token."""
    return {
        "upload": {
            "token": kept.token,
            "expires_at": wire_time(kept.expires_at),
            "attachments": [file.wire for file in kept.files],
            "attachment": kept.files[-1].wire,
        }
    }


def live_upload(account: Account, token: str) -> Upload:
    """The upload of a token; raises ApiError 422 when it is unknown, consumed or expired."""
    kept = account.uploads.get(token)
    if kept is None or kept.expires_at <= account.now():
        raise invalid("base", f"Attachment: upload token {token} is invalid or expired")
    return kept


def consume(account: Account, tokens: list[str]) -> list[File]:
    """Take the files of checked tokens; the tokens are spent."""
    return [file for token in tokens for file in account.uploads.pop(token).files]


def copies(account: Account, comments: list[JsonObject]) -> Upload:
    """Copies of all files of some comments under a new token, as a merge makes them."""
    kept = _new_upload(account)
    for wire in (wire for comment in comments for wire in comment["attachments"]):
        kept.files.append(_file(account, wire["file_name"], wire["content_type"], account.files[wire["id"]].content))
    return kept


def settle_scans(account: Account) -> None:
    """Let the scanner finish with every file that has waited long enough; call it before files are shown."""
    due = account.now() - timedelta(seconds=account.settings.scan_seconds)
    while account.unscanned and account.unscanned[0].uploaded_at <= due:
        account.unscanned.popleft().wire["malware_scan_result"] = account.settings.scan_result


def facts(file: File) -> JsonObject:
    """What the journal keeps of a file."""
    return {
        "file_name": file.wire["file_name"],
        "content_type": file.wire["content_type"],
        "size": len(file.content),
        "sha256": hashlib.sha256(file.content).hexdigest(),
    }


def infected(file: File) -> bool:
    """Whether the file may not be downloaded."""
    return bool(file.wire["malware_scan_result"] == "malware_found" and not file.wire["malware_access_override"])


def redact(file: File) -> None:
    """What redaction leaves of a file: an empty text."""
    file.content = b""
    file.wire.update(file_name="redacted.txt", content_type="text/plain", size=0, width=None, height=None)


def without_inline(comment: JsonObject) -> JsonObject:
    """The comment as it is listed unless `include_inline_images` was asked for."""
    if not any(item["inline"] for item in comment["attachments"]):
        return comment
    return {**comment, "attachments": [item for item in comment["attachments"] if not item["inline"]]}


def _new_upload(account: Account) -> Upload:
    kept = Upload(secrets.token_urlsafe(18), account.now() + timedelta(seconds=account.settings.upload_seconds))
    account.uploads[kept.token] = kept
    return kept


def _file(account: Account, name: str, content_type: str, content: bytes) -> File:
    number, token = account.next_attachment_id(), secrets.token_urlsafe(18)
    plain_type = content_type.partition(";")[0].strip()
    if plain_type in ("", "application/octet-stream", "application/binary"):
        plain_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    url = f"{account.base_url}/attachments/token/{token}/?name={name}"
    wire = {
        "url": f"{account.base_url}/api/v2/attachments/{number}.json",
        "id": number,
        "file_name": name,
        "content_url": url,
        "mapped_content_url": url,
        "content_type": plain_type,
        "size": len(content),
        "width": None,
        "height": None,
        "inline": False,
        "deleted": False,
        "malware_access_override": False,
        "malware_scan_result": "not_scanned",
        "thumbnails": [],
    }
    file = File(wire, content, token, account.now())
    account.files[number] = account.file_by_token[token] = file
    account.unscanned.append(file)
    return file


def _check_type(account: Account, name: str, content: bytes) -> None:
    expected = _FIRST_BYTES.get(PurePath(name).suffix.lower())
    if account.settings.check_file_type and expected and not content.startswith(expected):
        raise ApiError(
            422, {"error": "AttachmentUnprocessable", "description": "file type and file extension do not match"}
        )

"""Files: added as base64, replaced under the same id, removed."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Any

from sandbox.gemini.errors import RefusedError
from sandbox.gemini.fields import FILES, text, whole
from sandbox.gemini.model import EVERYONE, Actor, File, Item, User
from sandbox.gemini.site import Site, may_read_file

from .history import audit

Json = dict[str, Any]


@dataclass(slots=True)
class Upload:
    """A file as sent, decoded."""

    name: str
    content_type: str
    content: bytes
    comment_id: int | None = None


def checked_file(body: Json) -> Upload:
    """Read an upload; raises RefusedError when the name is missing or the content is not base64."""
    name = text(body.get("Name"), "Name")
    if not name:
        raise RefusedError(400, "Name of the attachment is required")
    try:
        content = base64.b64decode(text(body.get("Content"), "Content"), validate=True)
    except binascii.Error as error:
        raise RefusedError(400, f"Content of {name} is not base64: {error}") from error
    if "ContentLength" in body and whole(body["ContentLength"], "ContentLength") != len(content):
        raise RefusedError(400, f"ContentLength of {name} is {body['ContentLength']}, Content holds {len(content)}")
    comment_id = whole(body.get("CommentId") or 0, "CommentId") or None
    return Upload(name, text(body.get("ContentType"), "ContentType"), content, comment_id)


def add_file(site: Site, actor: Actor, item: Item, upload: Upload) -> File:
    """Hang a file on the item, or on one of its comments."""
    if upload.comment_id is not None and upload.comment_id not in item.comments:
        raise RefusedError(400, f"There is no comment {upload.comment_id} on item {item.id}")
    file = File(
        site.next("file"), upload.name, upload.content_type, upload.content, actor.user, site.now(), upload.comment_id
    )
    item.files[file.id] = file
    _note(site, actor, item, file, "file_added")
    return file


def replace_file(site: Site, actor: Actor, item: Item, file_id: int, upload: Upload) -> File:
    """Put new bytes under the same id; raises RefusedError 404."""
    file = visible_file(item, file_id, actor.user)
    file.name, file.content_type, file.content = upload.name, upload.content_type, upload.content
    _note(site, actor, item, file, "file_replaced")
    return file


def remove_file(site: Site, actor: Actor, item: Item, file_id: int) -> None:
    """Delete a file; raises RefusedError 404."""
    file = visible_file(item, file_id, actor.user)
    del item.files[file_id]
    _note(site, actor, item, file, "file_deleted")


def visible_file(item: Item, file_id: int, reader: User) -> File:
    """The file; raises RefusedError 404 when there is none that the reader may see."""
    file = item.files.get(file_id)
    if file is None or not may_read_file(item, file, reader):
        raise RefusedError(404, f"There is no attachment {file_id} on item {item.id}")
    return file


def _note(site: Site, actor: Actor, item: Item, file: File, effect: str) -> None:
    comment = item.comments.get(file.comment_id) if file.comment_id else None
    if comment is not None:
        comment.encoded = ""
    site.touch(item, actor.user)
    audit(site, item, actor, FILES, "Attachment", after=file.name if comment is None else "")
    site.kit.journal.record(
        effect,
        str(file.id),
        by=actor.by,
        parent=str(item.id),
        comment=file.comment_id,
        name=file.name,
        size=len(file.content),
        sha256=hashlib.sha256(file.content).hexdigest(),
        visibility=comment.visibility if comment else EVERYONE,
    )

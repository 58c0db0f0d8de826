"""Trading Grid's JSON as our records; members and values that we do not know are ignored, as its contract asks."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urljoin

from pipeline.connectors.trading_grid.vocabulary import OBJECT_KINDS, REFERENCE_TYPES
from pipeline.errors import InvalidPayloadError
from schemas.content import Author, File, FileState, Format, Reference, Side, Text, Visibility

Json = Mapping[str, Any]

_MARK = re.compile(r"[A-Z2-7]{8}")
_SIDES = {"partner_user": Side.PARTNER, "hub_user": Side.HUB, "service": Side.HUB}
_FILE_STATES = {"pending_scan": FileState.PENDING_SCAN, "quarantined": FileState.QUARANTINED}
_FOR_PARTNERS = frozenset({"public", "partner_confidential"})  # hub_internal and restricted are never shown
_FORMATS = {form.value: form for form in Format}
_DOWNLOAD = "urn:eim:linkrel:download-media"


@dataclass(frozen=True)
class Event:
    """One thin event of the feed: what happened to which resource, by whom; never any text."""

    id: str
    type: str
    at: datetime
    sequence: int
    resource_type: str
    resource_id: str
    revision: int
    thread_id: str | None = None
    partner_id: str | None = None
    visibility: Visibility = Visibility.INTERNAL
    actor: Json = field(default_factory=dict)
    origin: Json = field(default_factory=dict)
    changed_fields: tuple[str, ...] = ()
    data: Json = field(default_factory=dict)

    @property
    def object(self) -> str:
        """What has to be read because of it: its thread, else the resource itself."""
        return f"thread:{self.thread_id}" if self.thread_id else f"{self.resource_type}:{self.resource_id}"


def parse_event(raw: bytes | Json) -> Event:
    """One line of the feed. Raises InvalidPayloadError naming the member that is missing or of another type."""
    body = _as_object(raw, "event")
    resource = _member(body, "resource", dict)
    return Event(
        id=_member(body, "id", str),
        type=_member(body, "type", str),
        at=parse_time(_member(body, "time", str)),
        sequence=_member(body, "sequence", int),
        resource_type=_member(resource, "type", str),
        resource_id=_member(resource, "id", str),
        revision=_member(resource, "revision", int),
        thread_id=body.get("thread_id") or None,
        partner_id=body.get("partner_id") or None,
        visibility=visibility_of(body.get("visibility")),
        actor=_optional(body, "actor"),
        origin=_optional(body, "origin"),
        changed_fields=tuple(str(name) for name in body.get("changed_fields") or ()),
        data=_optional(body, "data"),
    )


def parse_time(text: str) -> datetime:
    """An RFC 3339 time, aware. Raises InvalidPayloadError."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidPayloadError(f"found the time {text!r}, expected RFC 3339") from error
    if at.tzinfo is None:
        raise InvalidPayloadError(f"found the time {text!r} without a zone, expected RFC 3339 with Z")
    return at


def collection(body: Json) -> list[dict[str, Any]]:
    """The entries of a HAL page; `_embedded` is absent when there are none (systems/trading_grid.md 3)."""
    entries = _optional(body, "_embedded").get("collection") or []
    return [entry for entry in entries if isinstance(entry, dict)]


def visibility_of(value: object) -> Visibility:
    """`partner` is for the partner; anything else, and nothing at all, is internal."""
    return Visibility.PARTNER if value == Visibility.PARTNER.value else Visibility.INTERNAL


def author_of(actor: Json, client_id: str) -> Author:
    """Who did it. `ours` when the call was made by our own OAuth client."""
    return Author(
        side=_SIDES.get(str(actor.get("type")), Side.SYSTEM),
        external_id=str(actor.get("id") or ""),
        name=str(actor.get("display_name") or ""),
        ours=client_id in (actor.get("client_id"), actor.get("id")),
    )


def marks_of(*origins: object) -> tuple[str, ...]:
    """Our mark, where one of the origins carries it as its correlation id."""
    found = [str(origin.get("correlation_id") or "") for origin in origins if isinstance(origin, Mapping)]
    return tuple(dict.fromkeys(text for text in found if _MARK.fullmatch(text)))


def text_of(post: Json, thread: Json) -> Text | None:
    """The post's text; None once it is redacted. The thread's own visibility is the upper bound (flows.md rule 5)."""
    body = post.get("body")
    if not isinstance(body, Mapping):
        return None
    shown = is_for_partner(post) and is_for_partner(thread)
    return Text(
        body=str(body.get("text") or ""),
        format=_FORMATS.get(str(body.get("format")), Format.PLAIN),
        visibility=Visibility.PARTNER if shown else Visibility.INTERNAL,
    )


def is_for_partner(thing: Json) -> bool:
    """Whether a thread or post is marked for the partner."""
    return visibility_of(thing.get("visibility")) is Visibility.PARTNER


def file_of(document: Json, *, shown: bool, root_url: str) -> File:
    """A document's current version; `shown` says whether the thread or post that holds it is for the partner."""
    for_partner = shown and document.get("classification") in _FOR_PARTNERS
    link = _optional(_optional(document, "_links"), _DOWNLOAD).get("href")
    rendition: Json = next(iter(document.get("renditions") or ()), {})
    return File(
        external_id=_member(document, "id", str),
        name=str(rendition.get("name") or document.get("name") or document["id"]),
        content_type=str(document.get("mime_type") or "application/octet-stream"),
        size=int(document.get("content_size") or 0),
        visibility=Visibility.PARTNER if for_partner else Visibility.INTERNAL,
        state=_FILE_STATES.get(str(document.get("state")), FileState.READY),
        sha256=document.get("sha256"),
        document_class=document.get("document_class"),
        version=int(document.get("current_version") or 1),
        url=urljoin(root_url + "/", link) if link else None,
    )


def references_of(thread: Json) -> tuple[Reference, ...]:
    """All business references in the thread's order, each once: its transactions', then its dispute's numbers."""
    return tuple(dict.fromkeys(_references(thread)))


def bound_of(thread: Json) -> tuple[str, ...]:
    """The external references as `system:kind:id`, the spelling of ObjectRef."""
    return tuple(
        f"{found.get('system')}:{OBJECT_KINDS.get(str(kind), str(kind))}:{found.get('external_id')}"
        for found in thread.get("external_references") or ()
        if (kind := found.get("object_type")) is not None
    )


def _references(thread: Json) -> Iterator[Reference]:
    for transaction in thread.get("transaction_references") or ():
        for found in transaction.get("references") or ():
            if found.get("type") in REFERENCE_TYPES and found.get("value"):
                yield Reference(str(found["type"]), str(found["value"]), found.get("line"))
    dispute = _optional(thread, "dispute")
    for kind in ("claim", "chargeback"):
        if number := dispute.get(f"{kind}_number"):
            yield Reference(kind, str(number))
    for transaction in thread.get("transaction_references") or ():
        if transaction.get("interchange_control_number"):
            yield Reference("interchange", fingerprint(transaction))


def fingerprint(transaction: Json) -> str:
    """The natural key of one transaction (systems/trading_grid.md 9.1); control numbers wrap, so with its date."""
    names = ("interchange_control_number", "group_control_number", "message_control_number", "document_date")
    parties = [_optional(transaction, side).get("value", "") for side in ("sender", "receiver")]
    words = [transaction.get("standard"), transaction.get("document_type"), *parties]
    return "|".join(str(word or "").strip().upper() for word in [*words, *(transaction.get(name) for name in names)])


def _as_object(raw: bytes | Json, what: str) -> Json:
    if isinstance(raw, Mapping):
        return raw
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InvalidPayloadError(f"{what}: found no JSON ({error})") from error
    if not isinstance(body, dict):
        raise InvalidPayloadError(f"{what}: found {type(body).__name__}, expected an object")
    return body


def _member(body: Json, name: str, kind: type) -> Any:
    value = body.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise InvalidPayloadError(f"{name}: found {value!r:.80}, expected {kind.__name__}")
    return value


def _optional(body: Json, name: str) -> dict[str, Any]:
    value = body.get(name)
    return value if isinstance(value, dict) else {}

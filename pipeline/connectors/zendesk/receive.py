"""Zendesk's webhook: verified over the raw bytes, then no more than the name of a ticket (sheet 5)."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.connector import Headers, Signal, SignatureError, UnreadableError

TEST_SECRET = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="  # noqa: S105 -- published by Zendesk: anybody can sign with it
SIGNATURE = "x-zendesk-webhook-signature"
TIMESTAMP = "x-zendesk-webhook-signature-timestamp"
INVOCATION = "x-zendesk-webhook-invocation-id"
FUTURE = timedelta(minutes=5)  # what a sender's clock may be ahead of ours
_TICKET = re.compile(r"[1-9][0-9]{0,18}")
_SUBJECT = re.compile(r"zen:ticket:([1-9][0-9]{0,18})")


def verify(headers: Headers, raw: bytes, now: datetime, secrets: Sequence[str], tolerance: timedelta) -> None:
    """Raise SignatureError unless one of the secrets made the signature, within the tolerance before `now`."""
    signature, timestamp = _header(headers, SIGNATURE), _header(headers, TIMESTAMP)
    if not secrets:
        raise SignatureError("no ZENDESK_WEBHOOK_SECRET is configured")
    message = timestamp.encode() + raw
    digests = [hmac.new(secret.encode(), message, hashlib.sha256).digest() for secret in secrets]
    matches = [hmac.compare_digest(base64.b64encode(digest), signature.encode()) for digest in digests]
    if not any(matches):
        raise SignatureError("the signature does not fit the body")
    signed_at = _parse_time(timestamp)
    if signed_at is None or not now - tolerance <= signed_at <= now + FUTURE:
        raise SignatureError(f"signed at {timestamp}, outside the tolerance")


def usable(secrets: Sequence[str | None], *, sandbox: bool) -> tuple[str, ...]:
    """The configured secrets without empty ones and, outside a sandbox, without Zendesk's published test secret."""
    return tuple(secret for secret in secrets if secret and (sandbox or secret != TEST_SECRET))


def signal(headers: Headers, raw: bytes) -> Signal:
    """The ticket that a rightly signed body names. Raises UnreadableError for any other body.

    An event subscription is keyed by its signed body id, a trigger's own JSON by its `id` or, unsigned, by the
    invocation: repeats of the latter cost one reading more and nothing else.
    """
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as fault:
        raise _unreadable(raw, f"no JSON: {fault}") from fault
    if not isinstance(body, dict):
        raise _unreadable(raw, f"found {type(body).__name__}, expected an object")
    ticket = _ticket(body)
    if ticket is None:
        raise _unreadable(raw, "found no ticket id in `subject`, `detail.id`, `ticket_id` or `ticket.id`")
    return Signal(key=_key(body, headers, raw), object=f"ticket:{ticket}", raw=raw)


def _ticket(body: dict[str, Any]) -> str | None:
    matched = _SUBJECT.fullmatch(str(body.get("subject", "")))
    if matched:
        return matched[1]
    is_event = isinstance(body.get("type"), str) and body["type"].startswith("zen:event-type:ticket.")
    nested = _member(body, "detail") if is_event else _member(body, "ticket")
    candidate = nested.get("id") if nested else body.get("ticket_id")
    text = str(candidate) if isinstance(candidate, str | int) and not isinstance(candidate, bool) else ""
    return text if _TICKET.fullmatch(text) else None


def _member(body: dict[str, Any], name: str) -> dict[str, Any]:
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def _key(body: dict[str, Any], headers: Headers, raw: bytes) -> str:
    for candidate in (body.get("id"), body.get("event_id"), headers.get(INVOCATION)):
        if isinstance(candidate, str) and 0 < len(candidate) <= 200:
            return candidate
    return hashlib.sha256(raw).hexdigest()


def _header(headers: Headers, name: str) -> str:
    """One header's value; two of them arrive joined by a comma and so fit no digest."""
    value = headers.get(name, "")
    if not value or not value.isascii():
        raise SignatureError(f"{name} is missing or not ASCII")
    return value


def _parse_time(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _unreadable(raw: bytes, detail: str) -> UnreadableError:
    return UnreadableError(hashlib.sha256(raw).hexdigest(), detail)

"""Webhooks out: event envelopes or the trigger body, signed, with Zendesk's own rules of repetition (sheet 5)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime

from . import data
from .account import Account, Ticket, Webhook, wire_time
from .actor import Actor
from .data import JsonObject
from .placeholders import values
from .text import expand

EVENT_VERSION = "2022-11-06"
_MOST_RETRIES = {"conflict": 3, "busy": 5, "time_out": 5}
_PAUSE = 1.0


def send(account: Account, ticket: Ticket, actor: Actor, told: list[tuple[str, JsonObject]]) -> None:
    """Send one action's events, which share a sequence, to every active webhook subscribed to them."""
    if account.kit.hooks.base_url is None or not told or account.settings.webhook_mode == "off":
        return
    active = [webhook for webhook in account.webhooks.values() if webhook.wire["status"] == "active"]
    if account.settings.webhook_mode == "trigger":
        body = expand(account.settings.trigger_body, values(account, ticket.wire, actor)).encode()
        for webhook in active:
            _post(account, webhook, ticket.id, body)
        return
    for family, body in _envelopes(account, ticket, actor, told):
        for webhook in active:
            if f"zen:event-type:ticket.{family}" in webhook.wire["subscriptions"]:
                _post(account, webhook, ticket.id, body)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """base64(HMAC-SHA256(secret as shown, timestamp || raw body))."""
    return base64.b64encode(hmac.digest(secret.encode(), timestamp.encode() + body, hashlib.sha256)).decode()


def again(attempts: int, status: int | None, headers: Mapping[str, str]) -> float | None:
    """Seconds until the next attempt: 409 up to 3 repeats, 429/503 with Retry-After < 60, time-out up to 5."""
    if status == 409:
        return _PAUSE if attempts <= _MOST_RETRIES["conflict"] else None
    if status in (429, 503):
        wait = headers.get("retry-after", "")
        known = wait.isdigit() and int(wait) < 60 and attempts <= _MOST_RETRIES["busy"]
        return float(wait) if known else None
    if status is None:
        return _PAUSE if attempts <= _MOST_RETRIES["time_out"] else None
    return None


def _envelopes(
    account: Account, ticket: Ticket, actor: Actor, told: list[tuple[str, JsonObject]]
) -> list[tuple[str, bytes]]:
    detail = _detail(ticket.wire, actor)
    sequence = uuid.uuid4().hex.upper()
    at = _nanoseconds(account.now())
    return [
        (
            family,
            json.dumps(
                {
                    "type": f"zen:event-type:ticket.{family}",
                    "account_id": data.ACCOUNT_ID,
                    "id": str(uuid.uuid4()),
                    "time": at,
                    "zendesk_event_version": EVENT_VERSION,
                    "subject": f"zen:ticket:{ticket.id}",
                    "detail": detail,
                    "event": {
                        **event,
                        "meta": {"sequence": {"id": sequence, "position": position, "total": len(told)}},
                    },
                },
                ensure_ascii=False,
            ).encode(),
        )
        for position, (family, event) in enumerate(told, 1)
    ]


def _detail(wire: JsonObject, actor: Actor) -> JsonObject:
    """The ticket as events show it: ids as text ("0" is none), words in capitals, no custom fields."""
    return {
        "id": str(wire["id"]),
        "actor_id": str(actor.user["id"]),
        "assignee_id": id_text(wire["assignee_id"]),
        "brand_id": id_text(wire["brand_id"]),
        "created_at": wire["created_at"],
        "custom_status": id_text(wire["custom_status_id"]),
        "description": wire["description"],
        "external_id": wire["external_id"],
        "form_id": id_text(wire["ticket_form_id"]),
        "group_id": id_text(wire["group_id"]),
        "is_public": wire["is_public"],
        "organization_id": id_text(wire["organization_id"]),
        "priority": capitals(wire["priority"]),
        "requester_id": id_text(wire["requester_id"]),
        "status": capitals(wire["status"]),
        "subject": wire["subject"],
        "submitter_id": id_text(wire["submitter_id"]),
        "tags": wire["tags"],
        "type": capitals(wire["type"]),
        "updated_at": wire["updated_at"],
        "via": {"channel": actor.event_channel},
    }


def id_text(number: int | None) -> str:
    """An id as events spell it."""
    return str(number or 0)


def capitals(word: str | None) -> str:
    """A status, priority or type as events spell it."""
    return (word or "").upper()


def _post(account: Account, webhook: Webhook, ticket_id: int, body: bytes) -> None:
    account.kit.hooks.send(webhook.path, _headers(account, webhook, body), body, obj=str(ticket_id), retry=again)


def _headers(account: Account, webhook: Webhook, body: bytes) -> Callable[[], dict[str, str]]:
    """The headers of each attempt: signed at the time of the attempt, one invocation id for all of them."""
    invocation = uuid.uuid4().hex.upper()[:26]

    def signed() -> dict[str, str]:
        timestamp = wire_time(account.kit.hooks.stamp())
        return {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Zendesk Webhook",
            "X-Zendesk-Account-Id": str(data.ACCOUNT_ID),
            "X-Zendesk-Webhook-Id": webhook.wire["id"],
            "X-Zendesk-Webhook-Invocation-Id": invocation,
            "X-Zendesk-Webhook-Signature": signature(webhook.secret, timestamp, body),
            "X-Zendesk-Webhook-Signature-Timestamp": timestamp,
        }

    return signed


def _nanoseconds(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f000Z")

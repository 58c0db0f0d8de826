"""Webhook subscriptions by API: create (with a first ping), list, redeliver."""

from __future__ import annotations

import base64
import ipaddress
import secrets
from urllib.parse import urlsplit

from sandbox.trading_grid import rules
from sandbox.trading_grid.gateway import Answer, Call
from sandbox.trading_grid.objects import SYSTEM, Json, Subscription
from sandbox.trading_grid.paging import page
from sandbox.trading_grid.problems import Problem, invalid, missing
from sandbox.trading_grid.views import base, stamp_or_none
from sandbox.trading_grid.vocabulary import EVENT_TYPES


def subscription_view(call: Call, subscription: Subscription) -> Json:
    """Schema Subscription, without the secret."""
    call.grid.webhooks.refresh(subscription)
    return base(call.who, subscription) | {
        "state": subscription.state,
        "disabled_reason": subscription.disabled_reason,
        "consecutive_failures": subscription.failures,
        "last_success_time": stamp_or_none(subscription.last_success),
    }


def subscription_created(call: Call) -> Answer:
    """Operation createSubscription: pending until the ping is answered; the secret is shown this once."""
    grid, tenant, who, body = call.grid, call.tenant, call.who, call.body
    _check_target(body["url"])
    for place, kind in enumerate(body["event_types"]):
        if not any(known == kind or (kind.endswith("*") and known.startswith(kind[:-1])) for known in EVENT_TYPES):
            invalid(f"/event_types/{place}", "no such event type")
    for place, key in enumerate(body.get("partner_ids", ())):
        rules.require_partner(tenant, who, key, f"/partner_ids/{place}")
    if body.get("include_internal") and not who.sees_internal:
        raise Problem("insufficient_scope")
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
    subscription = Subscription(
        **grid.common("sub", None), owner=who.key, secret=secret, state="pending", written=dict(body)
    )
    tenant.subscriptions[subscription.id] = subscription
    grid.webhooks.owners[who.key] = who
    grid.record("subscription_created", subscription, who.by, url=body["url"], event_types=body["event_types"])
    _ping(call, subscription)
    return call.created(subscription, subscription_view(call, subscription) | {"secret": secret})


def _ping(call: Call, subscription: Subscription) -> None:
    """Only the new subscription gets its ping, so it is not on the feed."""
    event = call.grid.unpublished(call.tenant, "webhook.ping", subscription, SYSTEM)
    call.grid.webhooks.deliver(call.tenant, subscription, event)


def _check_target(url: str) -> None:
    """https, or plain http to this machine; private and link-local addresses are refused."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        address = None
    loopback = host == "localhost" or (address is not None and address.is_loopback)
    private = address is not None and not address.is_global
    if not host or parts.scheme not in ("http", "https"):
        invalid("/url", "must be an https address")
    if (private and not loopback) or (parts.scheme == "http" and not loopback):
        raise Problem("webhook_target_refused")


def list_subscriptions(call: Call) -> Answer:
    """Operation listSubscriptions: the caller's own and the preset one of the same client."""
    found = [entry for entry in call.tenant.subscriptions.values() if entry.owner == call.who.key]
    return page(call, found, lambda entry: subscription_view(call, entry))


def redelivered(call: Call) -> Answer:
    """Operation redeliver: 202; same event id and webhook-id, a new timestamp."""
    delivery = call.grid.webhooks.deliveries.get(call.path["deliveryId"])
    subscription = call.tenant.subscriptions.get(call.path["subscriptionId"])
    if delivery is None or subscription is None or delivery.subscription is not subscription:
        missing()
    if subscription.owner != call.who.key:
        missing()
    call.grid.webhooks.send(call.tenant, delivery)
    return Answer(202)

"""Webhooks by Standard Webhooks 1.0: who gets which event, signing, shortened retries, redelivery."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sandbox.kit.hooks import Hooks
from sandbox.trading_grid.events import Event
from sandbox.trading_grid.objects import Json, Subscription
from sandbox.trading_grid.principals import Principal
from sandbox.trading_grid.tenant import Tenant
from sandbox.trading_grid.views import event_view
from sandbox.trading_grid.visibility import admits

if TYPE_CHECKING:
    from sandbox.trading_grid.state import Grid

HOOK_PATH = "/hooks/trading-grid"
HOOK_SECRET = "whsec_c2FuZGJveC10cmFkaW5nLWdyaWQtd2ViaG9vay1zZWNyZXQ="
# 5 s, 30 s, 2 min, 10 min, 30 min, 2 h, 6 h, 12 h, 24 h in the contract; shortened so that a demo sees the end.
RETRY_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 60.0)
_LONGEST_WAIT = 60.0
_UNREADABLE_TRIES = 3
_KEPT = 20_000


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """`v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`, keyed with the bytes behind `whsec_`."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


@dataclass(slots=True)
class Delivery:
    """One event on its way to one subscription."""

    id: str
    subscription: Subscription
    event: Event
    attempts: int = 0
    state: str = "pending"


class Webhooks:
    """The deliveries of all subscriptions; the preset one goes to `--hooks-to`."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._targets: dict[str, Hooks] = {}
        self._seen: dict[str, int] = {}
        self.owners: dict[str, Principal] = {}
        self.deliveries: dict[str, Delivery] = {}

    def clear(self) -> None:
        """Forget subscriptions' targets and deliveries."""
        self._targets.clear()
        self._seen.clear()
        self.owners.clear()
        self.deliveries.clear()

    def publish(self, tenant: Tenant, event: Event) -> None:
        """Queue `event` for each subscription that asks for it and may see it."""
        for subscription in tenant.subscriptions.values():
            if subscription.state != "disabled" and _wants(subscription, event, self.owners[subscription.owner]):
                self.deliver(tenant, subscription, event)

    def deliver(self, tenant: Tenant, subscription: Subscription, event: Event) -> Delivery:
        """Queue one delivery."""
        delivery = Delivery(self._grid.next_id("dlv"), subscription, event)
        self.deliveries[delivery.id] = delivery
        if len(self.deliveries) > _KEPT:
            del self.deliveries[next(iter(self.deliveries))]  # the oldest: a dict keeps the order of arrival
        self.send(tenant, delivery)
        return delivery

    def send(self, tenant: Tenant, delivery: Delivery) -> None:
        """Send a delivery (again): same event id and webhook-id, a new timestamp and signature at each attempt."""
        subscription, event = delivery.subscription, delivery.event
        owner = self.owners[subscription.owner]
        if event.type != "webhook.ping" and not admits(tenant, owner, event):
            return
        body = json.dumps(event_view(owner, tenant, event), ensure_ascii=False).encode()
        hooks, path = self._target(subscription)

        def headers() -> dict[str, str]:
            delivery.attempts += 1
            stamp = int(hooks.stamp().timestamp())
            return {
                "Content-Type": "application/json",
                "webhook-id": event.id,
                "webhook-timestamp": str(stamp),
                "webhook-signature": sign(subscription.secret, event.id, stamp, body),
            }

        def retry(attempts: int, status: int | None, answer: Mapping[str, str]) -> float | None:
            return _again(subscription, attempts, status, answer)

        hooks.send(path, headers, body, obj=event.thread_id or event.resource.id, retry=retry)

    def refresh(self, subscription: Subscription) -> None:
        """Take over what the delivery threads learnt: the first 2xx makes a pending subscription active."""
        hooks = self._targets.get(subscription.id)
        if hooks is None:
            return
        for entry in hooks.deliveries(self._seen.get(subscription.id, 0)):
            self._seen[subscription.id] = entry["n"]
            if entry["status"] is not None and 200 <= entry["status"] < 300:
                subscription.failures = 0
                subscription.last_success = self._grid.now()
                if subscription.state == "pending":
                    subscription.state = "active"

    def shown(self) -> list[Json]:
        """The newest 200 deliveries as JSON-ready values: what `redeliver` takes."""
        return [
            {"id": entry.id, "subscription_id": entry.subscription.id, "event_id": entry.event.id,
             "event_type": entry.event.type, "attempts": entry.attempts}
            for entry in list(self.deliveries.values())[-200:]
        ]  # fmt: skip

    def _target(self, subscription: Subscription) -> tuple[Hooks, str]:
        """The queue to the subscription's host, with the same faults switched on as the kit's own."""
        own = self._grid.kit.hooks
        if subscription.id == "sub_preset":
            return own, HOOK_PATH
        url = urlsplit(subscription.written["url"])
        hooks = self._targets.get(subscription.id)
        if hooks is None:
            hooks = self._targets[subscription.id] = Hooks(f"{url.scheme}://{url.netloc}", now=self._grid.kit.clock.now)
        hooks.switches = own.switches
        return hooks, url.path or "/"


def _wants(subscription: Subscription, event: Event, owner: Principal) -> bool:
    written: dict[str, Any] = subscription.written
    if not any(_matches(pattern, event.type) for pattern in written["event_types"]):
        return False
    if written.get("partner_ids") and event.partner_id not in written["partner_ids"]:
        return False
    if event.visibility == "internal" and not written.get("include_internal", False):
        return False
    own = event.actor.client_id is not None and event.actor.client_id == owner.client_id
    return not (own and written.get("suppress_own_writes", False))


def _matches(pattern: str, kind: str) -> bool:
    return pattern in ("*", kind) or (pattern.endswith(".*") and kind.startswith(pattern[:-1]))


def _again(subscription: Subscription, attempts: int, status: int | None, answer: Mapping[str, str]) -> float | None:
    """Seconds until the next attempt, or None: 410 disables, 400 is tried three times, Retry-After is honoured."""
    subscription.failures += 1
    if status == 410:
        subscription.state, subscription.disabled_reason = "disabled", "the target answered 410"
        return None
    if status == 400 and attempts >= _UNREADABLE_TRIES:
        return None
    if attempts > len(RETRY_SECONDS):
        return None
    named = answer.get("retry-after", "")
    return min(float(named), _LONGEST_WAIT) if named.isdigit() else RETRY_SECONDS[attempts - 1]

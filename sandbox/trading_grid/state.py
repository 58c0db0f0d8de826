"""The whole state of the sandboxed Trading Grid, and the two ways in which a change is told: journal and event."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sandbox.kit.app import Kit
from sandbox.trading_grid import data
from sandbox.trading_grid.events import Event
from sandbox.trading_grid.idempotency import Replays
from sandbox.trading_grid.objects import Actor, Entity, Json
from sandbox.trading_grid.principals import Tokens
from sandbox.trading_grid.switches import Switches
from sandbox.trading_grid.tenant import Tenant
from sandbox.trading_grid.timers import Timers
from sandbox.trading_grid.views import dump_tenant
from sandbox.trading_grid.vocabulary import EVENT_DAYS
from sandbox.trading_grid.webhooks import Webhooks

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SCRAMBLE = 0x9E3779B1  # odd, so that multiplying modulo 2**40 gives every id once, in no visible order


class Grid:
    """The system's state; every handler runs in one event loop and changes it without awaiting in between."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.switches = Switches()
        self.timers = Timers(kit.clock.now)
        self.webhooks = Webhooks(self)
        self.epoch = 0
        self._load()

    def reset(self) -> None:
        """Back to the start data; cursors given before count as expired, tokens as revoked."""
        self.switches = Switches()
        self.timers.clear()
        self.webhooks.clear()
        self.epoch += 1
        self._load()

    def _load(self) -> None:
        self._serial = 0
        self.tenants: dict[str, Tenant] = {}
        self.tokens = Tokens(data.clients())
        self.replays = Replays()
        self.limited: dict[str, tuple[float, datetime]] = {}
        data.load(self)

    def now(self) -> datetime:
        """The sandbox's time, cut to milliseconds as the API shows it."""
        now = self.kit.clock.now()
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def next_id(self, prefix: str) -> str:
        """A fresh id: the same in every run, but telling nobody how many came before (rule I3)."""
        self._serial += 1
        number = self._serial * _SCRAMBLE % 2**40
        letters = []
        for _ in range(8):
            number, place = divmod(number, 32)
            letters.append(_ALPHABET[place])
        return f"{prefix}_01{''.join(letters)}"

    def common(self, prefix: str, partner_id: str | None, object_id: str | None = None) -> dict[str, Any]:
        """The constructor arguments that every new object shares."""
        now = self.now()
        return {
            "id": object_id or self.next_id(prefix),
            "partner_id": partner_id,
            "ordinal": self._next_ordinal(),
            "create_time": now,
            "update_time": now,
            "partner_update_time": now,
        }

    def _next_ordinal(self) -> int:
        self._serial += 1
        return self._serial

    def record(self, effect: str, entity: Entity, by: str, **facts: Any) -> None:
        """Write one effect into the journal."""
        self.kit.journal.record(effect, entity.id, by=by, partner_id=entity.partner_id, **facts)

    def publish(  # noqa: PLR0913 -- an event has this many independent facts
        self,
        tenant: Tenant,
        kind: str,
        entity: Entity,
        actor: Actor,
        *,
        partner: bool,
        thread_id: str | None = None,
        origin: Json | None = None,
        changed: Iterable[str] = (),
        hub_changed: Iterable[str] = (),
        data: Json | None = None,
        audience: Iterable[str] | None = None,
    ) -> Event:
        """Put one event on the feed and queue its webhooks.

        `partner` says whether the partner may see it; `hub_changed` are changed fields only the hub may know;
        `audience` names the partners of a tenant-wide object.
        """
        partners = list(audience) if audience is not None else [entity.partner_id] if entity.partner_id else []
        event = self.unpublished(tenant, kind, entity, actor, partner=partner)
        event.thread_id, event.origin, event.data = thread_id, origin, data or {}
        event.changed_fields, event.hub_fields = list(changed), list(hub_changed)
        if partner:
            for partner_id in partners:
                event.partners[partner_id] = (tenant.feed.lane(partner_id).end + 1, entity.partner_revision)
        tenant.feed.publish(event)
        self.webhooks.publish(tenant, event)
        return event

    def unpublished(self, tenant: Tenant, kind: str, entity: Entity, actor: Actor, *, partner: bool = True) -> Event:
        """An event with its id and sequence that is on no feed (a ping goes to one subscription only)."""
        return Event(
            id=self.next_id("evt"),
            type=kind,
            time=self.now(),
            sequence=tenant.feed.next_sequence(),
            partner_id=entity.partner_id,
            visibility="partner" if partner else "internal",
            resource=entity,
            revision=entity.revision,
            thread_id=None,
            actor=actor,
        )

    def expire_events(self) -> None:
        """Let go of events older than the feed keeps them."""
        before = self.now() - timedelta(days=EVENT_DAYS)
        for tenant in self.tenants.values():
            tenant.feed.expire(before)

    def dump(self) -> Json:
        """The whole state as JSON-ready values, hub's view."""
        return {
            "switches": self.switches.shown(),
            "tenants": {tenant.id: dump_tenant(tenant) for tenant in self.tenants.values()},
        }

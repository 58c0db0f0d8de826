"""The event feed: one lane for the hub and one for each partner, read by position (rules I3, I6, I10)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sandbox.trading_grid.objects import Actor, Entity, Json


@dataclass(slots=True)
class Event:
    """A thin event; `partners` maps each partner that may see it to (its own sequence, its own revision)."""

    id: str
    type: str
    time: datetime
    sequence: int
    partner_id: str | None
    visibility: str
    resource: Entity
    revision: int
    thread_id: str | None
    actor: Actor
    origin: Json | None = None
    changed_fields: list[str] = field(default_factory=list)
    data: Json = field(default_factory=dict)
    hub_fields: list[str] = field(default_factory=list)
    partners: dict[str, tuple[int, int]] = field(default_factory=dict)


class Lane:
    """A list of events with a moving start: positions never change when old events are let go."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self.start = 0

    @property
    def end(self) -> int:
        """The position after the newest event."""
        return self.start + len(self._events)

    def append(self, event: Event) -> None:
        """Add the newest event."""
        self._events.append(event)

    def expire(self, before: datetime) -> None:
        """Let go of events older than `before`."""
        kept = 0
        while kept < len(self._events) and self._events[kept].time < before:
            kept += 1
        if kept:
            del self._events[:kept]
            self.start += kept

    def expire_all(self) -> None:
        """Let go of everything: every cursor given so far is expired, unless it stands at the end."""
        self.start = self.end
        self._events.clear()

    def page(self, after: int, limit: int, admits: Callable[[Event], bool]) -> tuple[list[Event], int]:
        """Up to `limit` admitted events from position `after` on, and the position to go on from."""
        found: list[Event] = []
        position = max(after, self.start)
        events, offset = self._events, self.start
        while position < offset + len(events) and len(found) < limit:
            event = events[position - offset]
            position += 1
            if admits(event):
                found.append(event)
        return found, position


class Feed:
    """The lanes of one tenant; `index` of `tenants` keeps sequences of different tenants apart."""

    def __init__(self, index: int, tenants: int) -> None:
        self._index, self._tenants = index, tenants
        self._count = 0
        self.hub = Lane()
        self.partners: dict[str, Lane] = {}
        self._changed: asyncio.Event | None = None

    def next_sequence(self) -> int:
        """Rises with gaps; two tenants never give the same number."""
        self._count += 1 + self._count % 3 % 2
        return self._tenants * (1000 + self._count) + self._index

    def lane(self, partner_id: str | None) -> Lane:
        """The lane of a partner, or the hub's."""
        if partner_id is None:
            return self.hub
        return self.partners.setdefault(partner_id, Lane())

    def publish(self, event: Event) -> None:
        """Append to the hub's lane and to the lanes of the partners named in the event; wake who waits."""
        self.hub.append(event)
        for partner_id in event.partners:
            self.lane(partner_id).append(event)
        if self._changed is not None:
            self._changed.set()
            self._changed = None

    async def changed(self, seconds: float) -> bool:
        """Wait for the next event; False when the time is over."""
        if self._changed is None:
            self._changed = asyncio.Event()
        try:
            await asyncio.wait_for(self._changed.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def expire(self, before: datetime) -> None:
        """Let go of old events in all lanes."""
        for lane in (self.hub, *self.partners.values()):
            lane.expire(before)

    def expire_all(self) -> None:
        """Let go of all events in all lanes."""
        for lane in (self.hub, *self.partners.values()):
            lane.expire_all()

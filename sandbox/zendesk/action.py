"""One step of one user on one ticket: it becomes an audit, journal entries and webhook events, or nothing."""

from __future__ import annotations

from typing import Any

from . import webhooks
from .account import Account, Ticket, wire_time
from .actor import Actor
from .data import JsonObject


class Action:
    """Collects what one request or form does to a ticket; `commit` makes it one audit.

    The collected fields are already changed on the ticket when they are told here: nothing else runs between
    the first change and the commit, since everything happens in one turn of the event loop.
    """

    def __init__(self, account: Account, ticket: Ticket, actor: Actor, custom: JsonObject | None = None) -> None:
        self.account, self.ticket, self.actor = account, ticket, actor
        self.at = wire_time(account.now())
        self.audit_id = account.next_event_id()
        self.creating = not ticket.audits
        self.metadata: JsonObject = {
            "system": {
                "client": actor.client,
                "ip_address": actor.ip_address,
                "location": "",
                "latitude": None,
                "longitude": None,
            },
            "custom": custom or {},
        }
        self._events: list[JsonObject] = []
        self._told: list[tuple[str, JsonObject]] = []
        self._noted: list[tuple[str, str, JsonObject]] = []

    def event(self, kind: str, event_id: int | None = None, **facts: Any) -> JsonObject:
        """Add an audit event; its id is a new one unless given."""
        made = {"id": event_id or self.account.next_event_id(), "type": kind, **facts}
        self._events.append(made)
        return made

    def tell(self, family: str, event: JsonObject) -> None:
        """Add a webhook event."""
        self._told.append((family, event))

    def note(self, effect: str, obj: int | None = None, **facts: Any) -> None:
        """Add a journal entry about the ticket, or about `obj` with the ticket as its parent."""
        parent = {} if obj is None else {"parent": str(self.ticket.id)}
        self._noted.append((effect, str(obj or self.ticket.id), {"ticket_id": self.ticket.id, **parent, **facts}))

    def note_birth(self, effect: str, **facts: Any) -> None:
        """Add the journal entry of the ticket's creation before those of what came with it."""
        self._noted.insert(0, (effect, str(self.ticket.id), {"ticket_id": self.ticket.id, **facts}))

    def commit(self, *, touch: bool = True) -> JsonObject:
        """Store the audit and tell the world; without any event nothing is stored and `events` stays empty.

        `touch=False` leaves `updated_at` alone: redactions and the like move only the export's timestamp.
        """
        audit = {
            "id": self.audit_id,
            "ticket_id": self.ticket.id,
            "created_at": self.at,
            "author_id": self.actor.id,
            "metadata": self.metadata,
            "events": self._events,
            "via": self.actor.via,
        }
        if not self._events:
            return audit
        if touch:
            self.ticket.wire["updated_at"] = self.at
        self.ticket.audits.append(audit)
        self.account.mark_changed(self.ticket)
        for effect, obj, facts in self._noted:
            self.account.kit.journal.record(
                effect, obj, by=self.actor.by, audit_id=self.audit_id, marks=self.metadata["custom"], **facts
            )
        webhooks.send(self.account, self.ticket, self.actor, self._told)
        return audit

"""The account's whole state: tickets, people, files, webhooks, jobs, live settings and the change log."""

from __future__ import annotations

import secrets
from collections import deque
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from sandbox.kit.app import Kit

from . import data
from .data import JsonObject

_FIRST_EVENT_ID = 6130907993000
_FIRST_USER_ID = 6130900000000
_FIRST_ATTACHMENT_ID = 6130800000000


_CHOICES = {
    "webhook_mode": ("events", "trigger", "off"),
    "scan_result": ("malware_not_found", "malware_found", "failed_to_scan", "not_scanned"),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What `/_sandbox/zendesk` can change while the sandbox runs; a limit of None is off."""

    export_lag_seconds: float = 60.0
    """How long the cursor export withholds a change (Zendesk: the last minute)."""
    search_lag_seconds: float = 120.0
    per_ticket_limit: bool = True
    """30 updates in 10 minutes per user and ticket."""
    account_per_minute: int | None = None
    updates_per_minute: int | None = None
    incremental_per_minute: int | None = None
    attachment_size: int = 52_428_800
    oversize_status: int = 413
    check_file_type: bool = False
    """Refuse a file whose first bytes contradict its name's extension."""
    private_attachments: bool = False
    attachment_redirect: bool = False
    """`content_url` answers 302 to another host name, which counts an Authorization header as a leak."""
    upload_seconds: float = 3600.0
    scan_seconds: float = 1.0
    scan_result: str = "malware_not_found"
    comment_limit: int = 5000
    hold_enabled: bool = True
    legacy_basic: bool = True
    job_polls: int = 1
    """How many polls a job answers `working` before `completed`."""
    webhook_mode: str = "events"
    """`events` (one envelope an event), `trigger` (one `trigger_body` an action) or `off`."""
    trigger_body: str = (
        '{"kind":"ticket_changed","ticket_id":"{{ticket.id}}",'
        '"updated_at":"{{ticket.updated_at_with_timestamp}}","actor_id":"{{current_user.id}}"}'
    )


@dataclass(slots=True)
class Ticket:
    """One ticket: its shape on the wire, its comments and audits in order, its place in the change log."""

    wire: JsonObject
    comments: list[JsonObject] = field(default_factory=list)
    audits: list[JsonObject] = field(default_factory=list)
    changed: int = 0
    generated_at: int = 0
    followup_source_id: int | None = None

    @property
    def id(self) -> int:
        """The ticket's number."""
        return int(self.wire["id"])

    @property
    def deleted(self) -> bool:
        """Whether it was (softly) deleted."""
        return bool(self.wire["status"] == "deleted")


@dataclass(slots=True)
class File:
    """One uploaded file; `wire` is the same object in the upload's answer and in its comment."""

    wire: JsonObject
    content: bytes
    token: str
    uploaded_at: datetime
    comment_id: int | None = None


@dataclass(slots=True)
class Upload:
    """An upload token with its files; one comment consumes it."""

    token: str
    expires_at: datetime
    files: list[File] = field(default_factory=list)


@dataclass(slots=True)
class Webhook:
    """A registered webhook; the sandbox delivers to its endpoint's path below the base of `--hooks-to`."""

    wire: JsonObject
    path: str
    secret: str


@dataclass(frozen=True, slots=True)
class Token:
    """An OAuth access token; a `scope` that was sent as a list grants nothing."""

    user_id: int
    scopes: frozenset[str]
    expires_at: datetime


class Account:
    """State of one Zendesk account; only ever touched from the server's event loop."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.base_url = ""
        self.reset()

    def reset(self) -> None:
        """Back to the start data and default settings; issued tokens stay valid no longer."""
        self.settings = Settings()
        self.tickets: dict[int, Ticket] = {}
        self.by_external_id: dict[str, list[int]] = {}
        self.comments: dict[int, tuple[Ticket, JsonObject]] = {}
        self.changes: list[tuple[int, int, int]] = []
        self.users = data.users()
        self.user_by_email = {str(user["email"]).lower(): number for number, user in self.users.items()}
        self.organizations = data.organizations()
        self.groups = data.groups()
        self.ticket_fields = data.ticket_fields()
        self.custom_statuses = data.custom_statuses()
        self.files: dict[int, File] = {}
        self.file_by_token: dict[str, File] = {}
        self.unscanned: deque[File] = deque()
        self.uploads: dict[str, Upload] = {}
        self.webhooks: dict[str, Webhook] = {data.WEBHOOK_ID: _own_webhook(self.kit.hooks.base_url)}
        self.jobs: dict[str, JsonObject] = {}
        self.tokens: dict[str, Token] = {}
        self.idempotent: dict[str, tuple[datetime, bytes, bytes, str]] = {}
        self.windows: dict[tuple[object, ...], deque[float]] = {}
        self.minute_used = (0, 0)
        self._last_ticket_id = 0
        self._last_event_id = _FIRST_EVENT_ID
        self._last_user_id = _FIRST_USER_ID
        self._last_attachment_id = _FIRST_ATTACHMENT_ID

    def dump(self) -> JsonObject:
        """The whole state as JSON-ready values (file contents as sizes only, no secrets)."""
        return {
            "settings": asdict(self.settings),
            "tickets": [
                {"ticket": ticket.wire, "comments": ticket.comments, "audits": ticket.audits}
                for ticket in self.tickets.values()
            ],
            "users": list(self.users.values()),
            "organizations": list(self.organizations.values()),
            "attachments": [file.wire for file in self.files.values()],
            "webhooks": [webhook.wire for webhook in self.webhooks.values()],
            "jobs": list(self.jobs.values()),
        }

    def now(self) -> datetime:
        """The sandbox's time."""
        return self.kit.clock.now()

    def set(self, **changes: Any) -> None:
        """Change live settings; raises ValueError naming an unknown one or a word that is none of the choices."""
        unknown = set(changes) - {item.name for item in fields(Settings)}
        if unknown:
            raise ValueError(f"unknown setting {', '.join(sorted(unknown))}")
        for name, choices in _CHOICES.items():
            if changes.get(name, choices[0]) not in choices:
                raise ValueError(f"{name} must be one of {', '.join(choices)}")
        self.settings = replace(self.settings, **changes)

    def next_ticket_id(self) -> int:
        """Tickets count from 1."""
        self._last_ticket_id += 1
        return self._last_ticket_id

    def next_event_id(self) -> int:
        """Audits, events and comments share one row of 13-digit ids."""
        self._last_event_id += 1
        return self._last_event_id

    def next_attachment_id(self) -> int:
        """Attachments have their own row of 13-digit ids."""
        self._last_attachment_id += 1
        return self._last_attachment_id

    def add_user(self, name: str, email: str | None, organization_id: int | None = None) -> JsonObject:
        """Create an end user."""
        self._last_user_id += 1
        user = data.new_user(self._last_user_id, name, email, wire_time(self.now()), organization_id=organization_id)
        self.users[user["id"]] = user
        if email:
            self.user_by_email[email.lower()] = user["id"]
        return user

    def mark_changed(self, ticket: Ticket) -> None:
        """Move the ticket to the end of the change log that the cursor export reads.

        The log's times never go back, even when a test turns the clock back, so that it stays searchable.
        """
        at = int(self.now().timestamp())
        if self.changes:
            at = max(at, self.changes[-1][0])
        number = self.changes[-1][1] + 1 if self.changes else 1
        ticket.generated_at, ticket.changed = at, number
        self.changes.append((at, number, ticket.id))

    def index_external_id(self, ticket: Ticket, old: str | None) -> None:
        """Keep the look-up by external id right after it changed; external ids are not unique."""
        if old is not None:
            self.by_external_id[old].remove(ticket.id)
        if ticket.wire["external_id"] is not None:
            self.by_external_id.setdefault(ticket.wire["external_id"], []).append(ticket.id)


def wire_time(moment: datetime) -> str:
    """Zendesk's form of a time: UTC, whole seconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def new_secret() -> str:
    """A random signing secret or token."""
    return secrets.token_urlsafe(32)


def _own_webhook(base_url: str | None) -> Webhook:
    return Webhook(
        {
            "id": data.WEBHOOK_ID,
            "name": "casebridge",
            "status": "active",
            "endpoint": f"{base_url or 'http://127.0.0.1:8000'}{data.WEBHOOK_PATH}",
            "http_method": "POST",
            "request_format": "json",
            "subscriptions": [f"zen:event-type:ticket.{family}" for family in data.EVENT_FAMILIES],
            "created_at": "2026-01-05T08:00:00Z",
            "created_by": str(data.INTEGRATION_ID),
        },
        data.WEBHOOK_PATH,
        data.WEBHOOK_SECRET,
    )

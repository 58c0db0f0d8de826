"""The things a tenant holds, as plain records; their rules live in the modules named after them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did something (schema Actor)."""

    type: str
    id: str
    display_name: str
    partner_id: str | None = None
    client_id: str | None = None


SYSTEM = Actor("system", "system", "Trading Grid")


@dataclass(slots=True, kw_only=True)
class Entity:
    """What every object has: its partner, two revisions (hub's and partner's, rule I3) and the members as written."""

    id: str
    partner_id: str | None
    ordinal: int
    create_time: datetime
    update_time: datetime
    partner_update_time: datetime
    revision: int = 1
    partner_revision: int = 1
    written: Json = field(default_factory=dict)

    def touch(self, now: datetime, *, partner: bool) -> None:
        """Count one change; `partner` says whether the partner can see it."""
        self.revision += 1
        self.update_time = now
        if partner:
            self.partner_revision += 1
            self.partner_update_time = now


@dataclass(slots=True, kw_only=True)
class Partner(Entity):
    """A trading partner; `id` and `partner_id` are the same."""


@dataclass(slots=True, kw_only=True)
class Group(Entity):
    """A team of one partner or of the hub, or an audience of many partners (`member_ids`)."""

    member_ids: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """team or audience."""
        return str(self.written["kind"])


@dataclass(slots=True, kw_only=True)
class Workspace(Entity):
    """A shared area of one partner."""


@dataclass(slots=True)
class Sla:
    """The two clocks of a thread; `resolution_due` moves on by the time spent paused."""

    response_due: datetime | None
    resolution_due: datetime | None
    policy: str
    paused_at: datetime | None = None
    breached: list[str] = field(default_factory=list)
    escalated: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Post(Entity):
    """One entry of a thread; `body` is None after a redaction."""

    thread_id: str
    kind: str
    visibility: str
    author: Actor
    sequence: int
    partner_sequence: int
    body: Json | None
    edited: bool = False
    redacted: Json | None = None


@dataclass(slots=True, kw_only=True)
class Thread(Entity):
    """One topic with exactly one partner; `documents` maps linked document ids to the link's visibility."""

    visibility: str
    state: str
    created_by: Actor
    sla: Sla
    awaiting_reason: str | None = None
    milestone: str = ""
    assignee: str | None = None
    resolution: Json | None = None
    participants: dict[str, Json] = field(default_factory=dict)
    transactions: dict[str, Json] = field(default_factory=dict)
    posts: list[Post] = field(default_factory=list)
    partner_posts: list[Post] = field(default_factory=list)
    documents: dict[str, str] = field(default_factory=dict)
    evidence_ids: list[str] = field(default_factory=list)
    history: list[Json] = field(default_factory=list)
    last_partner_post_time: datetime | None = None
    reopen_count: int = 0
    legal_hold: bool = False
    partner_has_read: bool = False

    @property
    def open_to_partner(self) -> bool:
        """Whether the partner may see the thread at all."""
        return self.visibility == "partner"


@dataclass(slots=True)
class Blob:
    """Uploaded bytes, bound to the client that brought them (rule I7)."""

    id: str
    owner: str
    name: str
    mime_type: str
    content: bytes
    sha256: str
    infected: bool
    expires: datetime
    used: bool = False


@dataclass(slots=True)
class Version:
    """One immutable version of a document."""

    number: int
    blob: Blob
    renditions: list[Json]
    comment: str
    created_by: Actor
    create_time: datetime
    scan_state: str


@dataclass(slots=True, kw_only=True)
class Document(Entity):
    """Metadata over one or more versions."""

    state: str
    created_by: Actor
    versions: list[Version] = field(default_factory=list)
    shares: list[Json] = field(default_factory=list)
    thread_ids: list[str] = field(default_factory=list)
    legal_hold: bool = False

    @property
    def current(self) -> Version:
        """The newest version."""
        return self.versions[-1]


@dataclass(slots=True, kw_only=True)
class EvidenceRequest(Entity):
    """A request for documents on a thread."""

    thread_id: str
    state: str
    due_time: datetime
    requested_by: Actor
    overdue: bool = False
    fulfilments: list[Json] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class OnboardingCase(Entity):
    """The onboarding of one partner; comes from the start data."""

    state: str
    workspace_id: str
    thread_id: str | None
    requirement_ids: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Requirement(Entity):
    """One thing an onboarding needs."""

    case_id: str
    state: str
    blocked_reason: str | None = None
    blocked_since: datetime | None = None
    due_time: datetime | None = None
    document_ids: list[str] = field(default_factory=list)
    approval_id: str | None = None


@dataclass(slots=True, kw_only=True)
class Approval(Entity):
    """A decision asked of the hub or of the partner."""

    state: str
    visibility: str
    assignee: str | None = None
    due_time: datetime | None = None
    overdue: bool = False
    decided_by: Actor | None = None
    decided_time: datetime | None = None
    comment: str | None = None


@dataclass(slots=True, kw_only=True)
class Subscription(Entity):
    """A webhook subscription; `owner` is the client whose rights decide what is delivered."""

    owner: str
    secret: str
    state: str
    disabled_reason: str | None = None
    failures: int = 0
    last_success: datetime | None = None


KIND_OF: dict[type[Entity], tuple[str, str]] = {
    # resource.type of an event, path below the API base
    Partner: ("partner", "partners"),
    Group: ("partner_group", "partner-groups"),
    Workspace: ("workspace", "workspaces"),
    Thread: ("thread", "threads"),
    Post: ("post", "posts"),
    Document: ("document", "documents"),
    EvidenceRequest: ("evidence_request", "evidence-requests"),
    OnboardingCase: ("onboarding_case", "onboarding-cases"),
    Requirement: ("onboarding_requirement", "onboarding-requirements"),
    Approval: ("approval", "approvals"),
    Subscription: ("webhook_subscription", "webhook-subscriptions"),
}

"""One tenant's objects and indexes."""

from __future__ import annotations

from dataclasses import dataclass, field

from sandbox.trading_grid.events import Feed
from sandbox.trading_grid.objects import (
    Approval,
    Blob,
    Document,
    EvidenceRequest,
    Group,
    OnboardingCase,
    Partner,
    Post,
    Requirement,
    Subscription,
    Thread,
    Workspace,
)

ExternalKey = tuple[str, str, str, str, str]
"""Kind of our object, system, instance, object type, external id."""


@dataclass(slots=True)
class Tenant:
    """Everything of one tenant; nothing in here points into another one (rule I10)."""

    id: str
    hub_name: str
    feed: Feed
    partners: dict[str, Partner] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    hub_users: dict[str, str] = field(default_factory=dict)
    workspaces: dict[str, Workspace] = field(default_factory=dict)
    threads: dict[str, Thread] = field(default_factory=dict)
    posts: dict[str, Post] = field(default_factory=dict)
    blobs: dict[str, Blob] = field(default_factory=dict)
    documents: dict[str, Document] = field(default_factory=dict)
    evidence: dict[str, EvidenceRequest] = field(default_factory=dict)
    cases: dict[str, OnboardingCase] = field(default_factory=dict)
    requirements: dict[str, Requirement] = field(default_factory=dict)
    approvals: dict[str, Approval] = field(default_factory=dict)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    external: dict[ExternalKey, str] = field(default_factory=dict)
    external_ids: dict[str, set[ExternalKey]] = field(default_factory=dict)
    threads_by_reference: dict[tuple[str, str], list[str]] = field(default_factory=dict)

"""The request bodies of the contract, written in the language of `shapes`."""

from __future__ import annotations

from sandbox.trading_grid import vocabulary as words
from sandbox.trading_grid.parts import (
    BUSINESS_REFERENCE,
    DISCREPANCY,
    DISPUTE,
    DOCUMENT_CLASS,
    EXCEPTION_TYPE,
    EXTERNAL_REFERENCE,
    MONEY,
    OBJECT_ID,
    ORIGIN,
    REASON_CODE,
    RESOLUTION,
    SHA256,
    TRANSACTION_REFERENCE,
    VISIBILITY,
)
from sandbox.trading_grid.shapes import (
    Shape,
    anything,
    array,
    boolean,
    choice,
    day,
    integer,
    members,
    moment,
    nullable,
    scalars,
    text,
)

_THREAD_MEMBERS: dict[str, Shape] = {
    "workspace_id": OBJECT_ID,
    "type": choice(*words.THREAD_TYPES),
    "title": text(255, 1),
    "visibility": VISIBILITY,
    "priority": choice(*words.PRIORITIES),
    "severity": choice(*words.SEVERITIES),
    "exception_type": EXCEPTION_TYPE,
    "reason": REASON_CODE,
    "discrepancies": array(DISCREPANCY, 500),
    "dispute": DISPUTE,
    "related_thread_ids": array(OBJECT_ID, 50),
    "tags": array(text(64), 50, unique=True),
    "external_references": array(EXTERNAL_REFERENCE, 20),
    "origin": ORIGIN,
}
THREAD = members(
    ("partner_id", "type", "title"),
    partner_id=OBJECT_ID,
    description=text(65536),
    transaction_references=array(TRANSACTION_REFERENCE, 100),
    participant_group_ids=array(OBJECT_ID, 20),
    onboarding_case_id=nullable(OBJECT_ID),
    **_THREAD_MEMBERS,
)
# RFC 7396: null takes a member away, so every optional member may be null in a merge patch.
_ALWAYS_THERE = frozenset({"type", "title", "visibility", "workspace_id"})
THREAD_PATCH = members(
    (),
    1,
    assignee=nullable(text(200)),
    **{name: shape if name in _ALWAYS_THERE else nullable(shape) for name, shape in _THREAD_MEMBERS.items()},
)
TRANSITION = members(
    ("to_state",),
    to_state=choice(*words.TRANSITIONS),
    awaiting_reason=choice(*words.AWAITING_REASONS),
    milestone=text(120),
    reason=text(4000),
    public_note=text(10000),
    resolution=RESOLUTION,
    origin=ORIGIN,
)
PARTICIPANT = members(("kind",), kind=choice("partner_team", "partner_contact", "hub_team", "hub_user"))

BODY = members(("format", "text"), format=choice("plain", "markdown", "html"), text=text(65536, 1))
COMMITMENT = members(
    ("promised_by", "action", "state"),
    promised_by=choice("hub", "partner"),
    action=text(1000),
    due_date=day,
    state=choice("open", "met", "missed", "withdrawn"),
)
DECISION = members(
    ("outcome",),
    outcome=choice("approved", "rejected", "agreed", "deferred", "other"),
    subject=text(300),
    amount=MONEY,
)
POST = members(
    ("kind", "visibility", "body"),
    kind=choice(*words.POST_KINDS),
    update_type=choice(*words.UPDATE_TYPES),
    visibility=VISIBILITY,
    body=BODY,
    reply_to=nullable(OBJECT_ID),
    attachments=array(members(("document_id",), document_id=OBJECT_ID, version=integer(1, 10**6)), 50),
    decision=DECISION,
    commitment=COMMITMENT,
    external_references=array(EXTERNAL_REFERENCE, 10),
    origin=ORIGIN,
)
POST_PATCH = members((), 1, body=BODY, commitment=COMMITMENT, external_references=array(EXTERNAL_REFERENCE, 10))
REDACTION = members(("reason",), reason=text(500, 1))

RENDITION = members(
    ("rendition_type", "source", "blob_id"),
    name=text(255),
    rendition_type=choice("primary", "pdf", "thumbnail", "text"),
    source=choice("FILE_ID"),
    blob_id=text(64, 1),
    mime_type=text(255),
    content_size=integer(0, 2**53),
)
DOCUMENT = members(
    ("name", "document_class", "classification", "renditions"),
    name=text(255, 1),
    description=text(4000),
    partner_id=nullable(OBJECT_ID),
    workspace_id=OBJECT_ID,
    document_class=DOCUMENT_CLASS,
    classification=choice(*words.CLASSIFICATIONS),
    renditions=array(RENDITION, 5, 1),
    expected_sha256=SHA256,
    references=array(BUSINESS_REFERENCE, 100),
    valid_from=nullable(day),
    valid_until=nullable(day),
    properties=scalars,
    external_references=array(EXTERNAL_REFERENCE, 20),
    origin=ORIGIN,
)
VERSION = members(
    ("renditions",),
    renditions=array(RENDITION, 5, 1),
    comment=text(1000),
    expected_sha256=SHA256,
    external_references=array(EXTERNAL_REFERENCE, 20),
    origin=ORIGIN,
)
SHARE = members(
    ("principal_type", "principal_id", "permission"),
    principal_type=choice("partner", "partner_group", "workspace"),
    principal_id=OBJECT_ID,
    permission=choice("view", "comment", "contribute"),
    expires_time=nullable(moment),
)
LINK = members(("visibility",), visibility=VISIBILITY, note=text(1000))

EVIDENCE = members(
    ("title", "document_class", "due_time"),
    title=text(255, 1),
    instructions=text(10000),
    document_class=DOCUMENT_CLASS,
    min_documents=integer(1, 20),
    due_time=moment,
    addressed_group_id=nullable(OBJECT_ID),
    references=array(BUSINESS_REFERENCE, 50),
    external_references=array(EXTERNAL_REFERENCE, 10),
    origin=ORIGIN,
)
EVIDENCE_PATCH = members(
    (),
    1,
    title=text(255),
    instructions=text(10000),
    due_time=moment,
    state=choice("cancelled"),
    external_references=array(EXTERNAL_REFERENCE),
)
FULFILMENT = members(("document_id",), document_id=OBJECT_ID, version=integer(1, 10**6), note=text(4000))
REVIEW = members(
    ("decision",),
    document_id=OBJECT_ID,
    decision=choice("accepted", "rejected"),
    note=text(4000),
    new_due_time=moment,
)
REQUIREMENT_PATCH = members(
    (),
    1,
    state=choice("requested", "submitted", "in_review", "accepted", "rejected", "waived", "blocked"),
    blocked_reason=nullable(choice(*words.BLOCKED_REASONS)),
    due_time=nullable(moment),
    document_ids=array(OBJECT_ID),
    note=text(4000),
    external_references=array(EXTERNAL_REFERENCE),
)
APPROVAL = members(
    ("subject", "title", "approver_side", "visibility"),
    subject=members(
        ("type", "id"),
        type=choice("onboarding_case", "onboarding_requirement", "thread", "document"),
        id=OBJECT_ID,
    ),
    title=text(255),
    description=text(4000),
    approver_group=text(100),
    approver_side=choice("hub", "partner"),
    visibility=VISIBILITY,
    due_time=nullable(moment),
    amount=MONEY,
    external_references=array(EXTERNAL_REFERENCE, 10),
    origin=ORIGIN,
)
APPROVAL_ACTION = members(
    ("action",),
    action=choice("claim", "complete", "cancel"),
    assignee=text(200),
    outcome=choice("approved", "rejected"),
    variables=array(members(("name",), name=text(200), value=anything)),
    comment=text(4000),
    origin=ORIGIN,
)
SUBSCRIPTION = members(
    ("url", "event_types"),
    url=text(1000, 1),
    event_types=array(text(80, 1, r"^([a-z_]+\.([a-z_]+|\*)|\*)$"), 100, 1, unique=True),
    partner_ids=array(OBJECT_ID),
    include_internal=boolean,
    suppress_own_writes=boolean,
    description=text(500),
)

"""The 45 core operations as a table, and the extended ones that answer 501."""

from __future__ import annotations

from sandbox.trading_grid import (
    approvals,
    bodies,
    documents,
    evidence,
    feed,
    files,
    onboarding,
    participants,
    partners,
    parts,
    posts,
    queries,
    sharing,
    subscriptions,
    threads,
    transactions,
    transitions,
)
from sandbox.trading_grid.gateway import BYTES, MERGE, Operation
from sandbox.trading_grid.service import service_info

_READ, _WRITE = "community:read", "community:write"
_THREAD, _DOCUMENT = "/threads/{threadId}", "/documents/{documentId}"
_EVIDENCE = "/evidence-requests/{evidenceRequestId}"
_CASE, _REQUIREMENT = "/onboarding-cases/{caseId}", "/onboarding-requirements/{requirementId}"
_HOOKS = "/webhook-subscriptions"

CORE = (
    Operation("getServiceInfo", "GET", "/service-info", _READ, service_info),
    # partners, groups, workspaces
    Operation("listPartners", "GET", "/partners", _READ, partners.list_partners, query=queries.PARTNERS),
    Operation("lookupPartner", "GET", "/partners/lookup", _READ, partners.lookup_partner, hub_only=True,
              query=queries.LOOKUP),
    Operation("getPartner", "GET", "/partners/{partnerId}", _READ, partners.get_partner),
    Operation("getPartnerSummary", "GET", "/partners/{partnerId}/summary", _READ, partners.partner_summary,
              hub_only=True),
    Operation("listPartnerGroups", "GET", "/partner-groups", _READ, partners.list_groups, query=queries.GROUPS),
    Operation("listWorkspaces", "GET", "/workspaces", _READ, partners.list_workspaces, query=queries.WORKSPACES),
    # threads
    Operation("listThreads", "GET", "/threads", _READ, threads.list_threads, query=queries.THREADS),
    Operation("createThread", "POST", "/threads", _WRITE, threads.thread_created, keyed=True, body=bodies.THREAD),
    Operation("getThread", "GET", _THREAD, _READ, threads.get_thread),
    Operation("updateThread", "PATCH", _THREAD, _WRITE, threads.thread_updated, if_match=True,
              body=bodies.THREAD_PATCH, media=MERGE),
    Operation("transitionThread", "POST", f"{_THREAD}/transitions", _WRITE, transitions.thread_transitioned,
              keyed=True, if_match=True, body=bodies.TRANSITION),
    Operation("putThreadExternalReference", "PUT", f"{_THREAD}/external-references", _WRITE,
              threads.external_reference_put, hub_only=True, body=parts.EXTERNAL_REFERENCE),
    Operation("addTransactionReference", "POST", f"{_THREAD}/transaction-references", _WRITE,
              transactions.reference_added, keyed=True, body=parts.TRANSACTION_REFERENCE),
    Operation("putParticipant", "PUT", f"{_THREAD}/participants/{{participantId}}", _WRITE,
              participants.participant_put, hub_only=True, body=bodies.PARTICIPANT),
    # posts
    Operation("listPosts", "GET", f"{_THREAD}/posts", _READ, posts.list_posts, query=queries.POSTS),
    Operation("createPost", "POST", f"{_THREAD}/posts", _WRITE, posts.post_created, keyed=True, body=bodies.POST),
    Operation("getPost", "GET", "/posts/{postId}", _READ, posts.get_post),
    Operation("updatePost", "PATCH", "/posts/{postId}", _WRITE, posts.post_updated, if_match=True,
              body=bodies.POST_PATCH, media=MERGE),
    Operation("redactPost", "POST", "/posts/{postId}/redactions", _WRITE, posts.post_redacted, hub_only=True,
              keyed=True, if_match=True, body=bodies.REDACTION),
    # files and documents
    Operation("uploadFile", "POST", "/files/fromStream", "documents:write", files.file_uploaded, keyed=True,
              media=BYTES),
    Operation("createDocument", "POST", "/documents", "documents:write", documents.document_created, keyed=True,
              body=bodies.DOCUMENT),
    Operation("getDocument", "GET", _DOCUMENT, "documents:read", documents.get_document),
    Operation("getDocumentContent", "GET", f"{_DOCUMENT}/content", "documents:read", documents.document_content),
    Operation("addDocumentVersion", "POST", f"{_DOCUMENT}/versions", "documents:write", documents.version_added,
              keyed=True, if_match=True, body=bodies.VERSION),
    Operation("createShare", "POST", f"{_DOCUMENT}/shares", "documents:share", sharing.share_created, hub_only=True,
              keyed=True, body=bodies.SHARE),
    Operation("linkDocument", "PUT", f"{_THREAD}/documents/{{documentId}}", "documents:write",
              sharing.document_linked, body=bodies.LINK),
    # evidence
    Operation("createEvidenceRequest", "POST", f"{_THREAD}/evidence-requests", _WRITE, evidence.evidence_created,
              hub_only=True, keyed=True, body=bodies.EVIDENCE),
    Operation("getEvidenceRequest", "GET", _EVIDENCE, _READ, evidence.get_evidence),
    Operation("updateEvidenceRequest", "PATCH", _EVIDENCE, _WRITE, evidence.evidence_updated, hub_only=True,
              if_match=True, body=bodies.EVIDENCE_PATCH, media=MERGE),
    Operation("fulfilEvidenceRequest", "POST", f"{_EVIDENCE}/fulfilments", "documents:write",
              evidence.evidence_fulfilled, keyed=True, body=bodies.FULFILMENT),
    Operation("reviewEvidence", "POST", f"{_EVIDENCE}/reviews", _WRITE, evidence.evidence_reviewed, hub_only=True,
              keyed=True, if_match=True, body=bodies.REVIEW),
    # onboarding
    Operation("listOnboardingCases", "GET", "/onboarding-cases", "onboarding:read", onboarding.list_cases,
              query=queries.CASES),
    Operation("getOnboardingCase", "GET", _CASE, "onboarding:read", onboarding.get_case),
    Operation("listRequirements", "GET", f"{_CASE}/requirements", "onboarding:read", onboarding.list_requirements,
              query=queries.REQUIREMENTS),
    Operation("getRequirement", "GET", _REQUIREMENT, "onboarding:read", onboarding.get_requirement),
    Operation("updateRequirement", "PATCH", _REQUIREMENT, "onboarding:write", onboarding.requirement_updated,
              if_match=True, body=bodies.REQUIREMENT_PATCH, media=MERGE),
    # approvals
    Operation("createApproval", "POST", "/approvals", _WRITE, approvals.approval_created, hub_only=True, keyed=True,
              body=bodies.APPROVAL),
    Operation("getApproval", "GET", "/approvals/{approvalId}", _READ, approvals.get_approval),
    Operation("actOnApproval", "POST", "/approvals/{approvalId}", "approvals:decide", approvals.approval_acted,
              keyed=True, body=bodies.APPROVAL_ACTION),
    # events and webhooks
    Operation("listEvents", "GET", "/events", "events:read", feed.list_events, query=queries.EVENTS),
    Operation("listSubscriptions", "GET", _HOOKS, "webhooks:manage", subscriptions.list_subscriptions,
              hub_only=True, query=queries.PAGE),
    Operation("createSubscription", "POST", _HOOKS, "webhooks:manage", subscriptions.subscription_created,
              hub_only=True, keyed=True, body=bodies.SUBSCRIPTION),
    Operation("redeliver", "POST", f"{_HOOKS}/{{subscriptionId}}/deliveries/{{deliveryId}}/redeliver",
              "webhooks:manage", subscriptions.redelivered, hub_only=True),
)  # fmt: skip

EXTENDED = (
    ("POST", "/partners"), ("PATCH", "/partners/{partnerId}"), ("GET", "/partners/{partnerId}/contacts"),
    ("POST", "/partners/{partnerId}/contacts"), ("DELETE", "/partners/{partnerId}/contacts/{contactId}"),
    ("POST", "/partner-groups"), ("GET", "/partner-groups/{groupId}"), ("PATCH", "/partner-groups/{groupId}"),
    ("GET", "/partner-groups/{groupId}/members"), ("PUT", "/partner-groups/{groupId}/members/{memberId}"),
    ("DELETE", "/partner-groups/{groupId}/members/{memberId}"),
    ("POST", "/workspaces"), ("GET", "/workspaces/{workspaceId}"), ("PATCH", "/workspaces/{workspaceId}"),
    ("GET", f"{_THREAD}/transaction-references"), ("DELETE", f"{_THREAD}/transaction-references/{{referenceId}}"),
    ("GET", f"{_THREAD}/participants"), ("DELETE", f"{_THREAD}/participants/{{participantId}}"),
    ("GET", f"{_THREAD}/history"),
    ("POST", "/uploads"), ("GET", "/uploads/{uploadId}"), ("PATCH", "/uploads/{uploadId}"),
    ("DELETE", "/uploads/{uploadId}"),
    ("GET", "/documents"), ("PATCH", _DOCUMENT), ("DELETE", _DOCUMENT), ("GET", f"{_DOCUMENT}/versions"),
    ("GET", f"{_DOCUMENT}/versions/{{versionNumber}}/content"), ("GET", f"{_DOCUMENT}/shares"),
    ("DELETE", f"{_DOCUMENT}/shares/{{shareId}}"), ("DELETE", f"{_THREAD}/documents/{{documentId}}"),
    ("GET", "/evidence-requests"),
    ("POST", "/onboarding-cases"), ("PATCH", _CASE), ("POST", f"{_CASE}/requirements"),
    ("GET", "/approvals"),
    ("GET", f"{_HOOKS}/{{subscriptionId}}"), ("PATCH", f"{_HOOKS}/{{subscriptionId}}"),
    ("DELETE", f"{_HOOKS}/{{subscriptionId}}"), ("POST", f"{_HOOKS}/{{subscriptionId}}/rotate-secret"),
    ("POST", f"{_HOOKS}/{{subscriptionId}}/ping"), ("GET", f"{_HOOKS}/{{subscriptionId}}/deliveries"),
)  # fmt: skip

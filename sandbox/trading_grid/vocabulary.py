"""The closed word lists of the contract (`components/schemas` of openapi.yaml), as the request checks need them."""

from __future__ import annotations

VISIBILITIES = ("internal", "partner")
THREAD_TYPES = ("exception", "dispute", "transaction_issue", "onboarding", "question", "compliance", "chargeback")
PRIORITIES = ("low", "normal", "high", "urgent")
SEVERITIES = ("minor", "major", "critical")

EXCEPTION_TYPES = (
    "short_shipment", "over_shipment", "damaged_goods", "wrong_item", "substitution", "nonreceipt", "price_mismatch",
    "quantity_mismatch", "invoice_mismatch", "duplicate_invoice", "missing_invoice", "order_mismatch",
    "missing_acknowledgment", "rejected_acknowledgment", "late_acknowledgment", "missing_asn", "late_asn",
    "asn_mismatch", "late_shipment", "shipment_delay", "routing_violation", "label_error", "packing_violation",
    "missing_proof_of_delivery", "missing_document", "invalid_identifier", "validation_failure", "translation_error",
    "transmission_failure", "configuration_error", "compliance_violation", "quality_claim", "payment_discrepancy",
    "chargeback", "missing_data", "approval_delay", "access_issue", "other",
)  # fmt: skip

REFERENCE_TYPES = (
    "purchase_order", "sales_order", "invoice", "credit_memo", "debit_memo", "claim", "chargeback", "deduction",
    "shipment", "delivery_note", "bill_of_lading", "pro_number", "tracking_number", "load_number", "appointment",
    "sscc", "remittance", "contract", "gtin", "buyer_part", "supplier_part", "line_number", "release_number",
    "return_authorization",
)  # fmt: skip

DOCUMENT_CLASSES = (
    "purchase_order", "purchase_order_acknowledgment", "shipping_notice", "packing_list", "bill_of_lading",
    "proof_of_delivery", "delivery_photo", "receiving_report", "invoice", "corrected_invoice", "credit_memo",
    "debit_memo", "remittance_advice", "claim_evidence", "chargeback_notice", "chargeback_evidence",
    "inspection_report", "corrective_action_plan", "compliance_certificate", "compliance_form",
    "certificate_of_insurance", "certificate_of_origin", "tax_form", "banking_form", "trading_partner_agreement",
    "nda", "edi_implementation_guide", "test_result", "approval_record", "transaction_payload", "acknowledgment",
    "correspondence", "audit_report", "other",
)  # fmt: skip
CLASSIFICATIONS = ("public", "partner_confidential", "hub_internal", "restricted")

CODE_LISTS = ("x12_426", "edifact_4465", "x12_668", "x12_647", "x12_717", "x12_110", "edifact_0083", "edifact_9321",
              "partner", "internal")  # fmt: skip
IDENTIFIER_SCHEMES = ("duns", "duns4", "gln", "scac", "lei", "vat", "tax_id", "vendor_number", "customer_number",
                      "x12_isa", "edifact_unb", "as2_id", "mailbox_number", "internal")  # fmt: skip

POST_KINDS = ("message", "decision", "commitment", "status")
UPDATE_TYPES = ("general", "shipment_confirmation", "invoice_correction", "quantity_correction", "price_correction",
                "acknowledgment_sent", "document_submission", "compliance_submission", "corrective_action",
                "resolution_note")  # fmt: skip

DISPUTE_STATES = ("open", "evidence_requested", "under_review", "approved", "partially_approved", "denied", "credited",
                  "written_off", "expired", "closed")  # fmt: skip
RESOLUTION_OUTCOMES = ("accepted", "partially_accepted", "rejected", "corrected", "credited", "replaced", "no_fault",
                       "duplicate", "withdrawn", "other")  # fmt: skip
AWAITING_REASONS = ("input", "documents", "confirmation", "correction")
BLOCKED_REASONS = ("missing_data", "missing_document", "approval_delay", "configuration_error", "test_failure",
                   "access_issue", "other")  # fmt: skip

# ThreadState.x-transitions: what a hub client may do.
TRANSITIONS: dict[str, tuple[str, ...]] = {
    "new": ("received", "assigned", "in_progress", "withdrawn"),
    "received": ("assigned", "in_progress", "awaiting_partner", "withdrawn"),
    "assigned": ("in_progress", "awaiting_partner", "awaiting_approval", "resolved", "withdrawn"),
    "in_progress": ("assigned", "awaiting_partner", "awaiting_approval", "resolved", "withdrawn"),
    "awaiting_partner": ("in_progress", "assigned", "resolved", "withdrawn"),
    "awaiting_approval": ("in_progress", "awaiting_partner", "resolved"),
    "resolved": ("closed", "in_progress"),
    "closed": ("in_progress",),
    "withdrawn": ("in_progress",),
}
FINISHED = frozenset({"resolved", "closed", "withdrawn"})

MILESTONES = {
    "new": "Received", "received": "Received", "assigned": "Assigned", "in_progress": "In progress",
    "awaiting_partner": "Awaiting your input", "awaiting_approval": "Under review", "resolved": "Resolved",
    "closed": "Closed", "withdrawn": "Withdrawn",
}  # fmt: skip

EVENT_TYPES = frozenset({
    "partner.created", "partner.updated", "partner.state_changed", "partner_group.membership_changed",
    "workspace.created", "workspace.updated", "thread.created", "thread.updated", "thread.state_changed",
    "thread.participant_added", "thread.participant_removed", "thread.transaction_reference_added",
    "thread.sla_breached", "thread.reopened", "post.created", "post.updated", "post.redacted", "document.created",
    "document.updated", "document.version_added", "document.scan_completed", "document.shared", "document.unshared",
    "document.linked", "document.unlinked", "document.deleted", "evidence_request.created",
    "evidence_request.updated", "evidence_request.submitted", "evidence_request.accepted",
    "evidence_request.rejected", "evidence_request.overdue", "evidence_request.cancelled", "onboarding_case.created",
    "onboarding_case.state_changed", "onboarding_requirement.created", "onboarding_requirement.state_changed",
    "onboarding_requirement.blocked", "onboarding_requirement.overdue", "approval.requested", "approval.claimed",
    "approval.decided", "approval.overdue", "webhook.ping",
})  # fmt: skip

HUB_SCOPES = frozenset({
    "community:read", "community:write", "community:internal", "documents:read", "documents:write", "documents:share",
    "onboarding:read", "onboarding:write", "approvals:decide", "events:read", "webhooks:manage",
})  # fmt: skip
PARTNER_SCOPES = HUB_SCOPES - {"community:internal", "documents:share", "webhooks:manage"}

MAX_FILE_BYTES = 26_214_400
MAX_JSON_BYTES = 2_097_152
IDEMPOTENCY_DAYS = 7
EVENT_DAYS = 30
EDIT_MINUTES = 15

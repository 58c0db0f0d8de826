"""Trading Grid's closed lists, as its contract spells them, and the way from one thread state to another."""

from collections import deque
from collections.abc import Mapping, Sequence

NAME = "trading_grid"
THREAD = "thread"

THREAD_TYPES = frozenset(
    {"exception", "dispute", "transaction_issue", "onboarding", "question", "compliance", "chargeback"}
)
EXCEPTION_TYPES = frozenset(
    {"short_shipment", "over_shipment", "damaged_goods", "wrong_item", "substitution", "nonreceipt", "price_mismatch",
     "quantity_mismatch", "invoice_mismatch", "duplicate_invoice", "missing_invoice", "order_mismatch",
     "missing_acknowledgment", "rejected_acknowledgment", "late_acknowledgment", "missing_asn", "late_asn",
     "asn_mismatch", "late_shipment", "shipment_delay", "routing_violation", "label_error", "packing_violation",
     "missing_proof_of_delivery", "missing_document", "invalid_identifier", "validation_failure", "translation_error",
     "transmission_failure", "configuration_error", "compliance_violation", "quality_claim", "payment_discrepancy",
     "chargeback", "missing_data", "approval_delay", "access_issue", "other"}
)  # fmt: skip
PRIORITIES = frozenset({"low", "normal", "high", "urgent"})
SEVERITIES = frozenset({"minor", "major", "critical"})
AWAITING_REASONS = frozenset({"input", "documents", "confirmation", "correction"})
OUTCOMES = frozenset({"accepted", "partially_accepted", "rejected", "corrected", "credited", "replaced", "no_fault",
                      "duplicate", "withdrawn", "other"})  # fmt: skip
UPDATE_TYPES = frozenset({"general", "shipment_confirmation", "invoice_correction", "quantity_correction",
                          "price_correction", "acknowledgment_sent", "document_submission", "compliance_submission",
                          "corrective_action", "resolution_note"})  # fmt: skip
REFERENCE_TYPES = frozenset(
    {"purchase_order", "sales_order", "invoice", "credit_memo", "debit_memo", "claim", "chargeback", "deduction",
     "shipment", "delivery_note", "bill_of_lading", "pro_number", "tracking_number", "load_number", "appointment",
     "sscc", "remittance", "contract", "gtin", "buyer_part", "supplier_part", "line_number", "release_number",
     "return_authorization"}
)  # fmt: skip
DOCUMENT_CLASSES = frozenset(
    {"purchase_order", "purchase_order_acknowledgment", "shipping_notice", "packing_list", "bill_of_lading",
     "proof_of_delivery", "delivery_photo", "receiving_report", "invoice", "corrected_invoice", "credit_memo",
     "debit_memo", "remittance_advice", "claim_evidence", "chargeback_notice", "chargeback_evidence",
     "inspection_report", "corrective_action_plan", "compliance_certificate", "compliance_form",
     "certificate_of_insurance", "certificate_of_origin", "tax_form", "banking_form", "trading_partner_agreement",
     "nda", "edi_implementation_guide", "test_result", "approval_record", "transaction_payload", "acknowledgment",
     "correspondence", "audit_report", "other"}
)  # fmt: skip
ORIGIN_SYSTEMS = frozenset({"trading_grid", "zendesk", "gemini", "integration"})
REFERENCE_SYSTEMS = frozenset({"zendesk", "gemini", "other"})

# Trading Grid's words for the kinds of object that casebridge binds (flows.md G1: `gemini`, `issue`, id)
OBJECT_TYPES = {"item": "issue"}
OBJECT_KINDS = {word: kind for kind, word in OBJECT_TYPES.items()}

TITLE_LENGTH = 255
TEXT_LENGTH = 65_536
NOTE_LENGTH = 10_000  # public notes and resolution summaries
MILESTONE_LENGTH = 120
HOP_LIMIT = 8
PAGE_SIZE = 200

# ThreadState.x-transitions of the contract; a test compares them
TRANSITIONS: Mapping[str, Sequence[str]] = {
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
CLOSED_STATES = frozenset({"closed", "withdrawn"})
_REOPENED_FROM = frozenset({"resolved", "closed", "withdrawn"})
# A hop in between says something to the partner: only what is true of every case on its way may be passed through.
_PASSABLE = ("in_progress", "assigned", "received", "resolved")


def path_to(current: str, wanted: str, moves: Mapping[str, Sequence[str]] = TRANSITIONS) -> list[str] | None:
    """The states to go through, `wanted` last; [] when already there; None when there is no way."""
    ways: dict[str, list[str]] = {current: []}
    waiting = deque([current])
    while waiting:
        state = waiting.popleft()
        if state == wanted:
            return ways[state]
        allowed = moves.get(state, ())
        between = [name for name in _PASSABLE if name in allowed and name != wanted]
        for name in [wanted] * (wanted in allowed) + between:
            if name not in ways:
                ways[name] = [*ways[state], name]
                waiting.append(name)
    return None


def is_reopening(before: str, after: str) -> bool:
    """Whether the move restarts a finished thread: the contract wants a `reason` then."""
    return before in _REOPENED_FROM and after == "in_progress"

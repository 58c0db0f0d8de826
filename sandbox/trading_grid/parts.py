"""The value shapes that several request bodies share."""

from __future__ import annotations

from sandbox.trading_grid import vocabulary as words
from sandbox.trading_grid.shapes import (
    anything,
    array,
    boolean,
    choice,
    day,
    integer,
    members,
    moment,
    nullable,
    text,
)

OBJECT_ID = text(64, 1, r"^[A-Za-z0-9_-]{1,64}$")
VISIBILITY = choice(*words.VISIBILITIES)
EXCEPTION_TYPE = choice(*words.EXCEPTION_TYPES)
DOCUMENT_CLASS = choice(*words.DOCUMENT_CLASSES)
SHA256 = text(64, 64, r"^[0-9a-f]{64}$")
MONEY = members(
    ("value", "currency"),
    value=text(24, 1, r"^-?\d{1,15}(\.\d{1,4})?$"),
    currency=text(3, 3, r"^[A-Z]{3}$"),
)
REASON_CODE = members(("code_list", "code"), code_list=choice(*words.CODE_LISTS), code=text(20), text=text(300))
BUSINESS_REFERENCE = members(("type", "value"), type=choice(*words.REFERENCE_TYPES), value=text(80, 1), line=text(20))
EXTERNAL_REFERENCE = members(
    ("system", "object_type", "external_id"),
    system=choice("zendesk", "gemini", "other"),
    instance=text(100),
    object_type=text(40),
    external_id=text(128, 1),
    url=text(1000),
)
ORIGIN = members(
    ("system",),
    system=choice("trading_grid", "zendesk", "gemini", "integration"),
    correlation_id=text(128),
    hop_count=integer(0, 8, code="hop_limit"),
)
IDENTIFIER = members(
    ("scheme", "value"),
    scheme=choice(*words.IDENTIFIER_SCHEMES),
    qualifier=text(4),
    value=text(80, 1),
    issuer=text(80),
    usage=choice("production", "test", "both"),
    verified=boolean,
)
ACKNOWLEDGMENT = members(
    ("code",),
    code=choice("A", "E", "P", "R", "M", "W", "X", "none"),
    received_time=nullable(moment),
    due_time=nullable(moment),
    overdue=boolean,
)
TRANSACTION_REFERENCE = members(
    ("standard", "document_type", "references"),
    id=anything,
    standard=choice("x12", "edifact", "xml", "flat_file", "none"),
    document_type=text(12, 2, r"^[A-Z0-9]{2,12}$"),
    version=text(20),
    direction=choice("inbound", "outbound"),
    sender=IDENTIFIER,
    receiver=IDENTIFIER,
    interchange_control_number=text(14),
    group_control_number=text(14),
    message_control_number=text(14),
    platform_reference=text(64),
    references=array(BUSINESS_REFERENCE, 200),
    document_date=day,
    amount=MONEY,
    processing_status=choice(
        "saved", "submitted", "translation", "translation_error", "sent", "delivered", "acknowledged", "failed",
        "resubmitted", "unknown",
    ),
    acknowledgment=ACKNOWLEDGMENT,
    fingerprint=anything,
)  # fmt: skip
DISCREPANCY = members(
    ("measure", "expected", "actual"),
    item=BUSINESS_REFERENCE,
    line=text(20),
    measure=choice("quantity", "price", "amount", "date", "weight", "identifier", "other"),
    expected=text(40),
    actual=text(40),
    unit=text(10),
    reason=REASON_CODE,
)
DISPUTE = members(
    ("dispute_state",),
    claim_number=text(80),
    chargeback_number=text(80),
    claimed_amount=MONEY,
    disputed_amount=MONEY,
    approved_amount=MONEY,
    reason=REASON_CODE,
    dispute_state=choice(*words.DISPUTE_STATES),
    dispute_deadline=nullable(moment),
    attempt=integer(1, 9),
)
RESOLUTION = members(
    ("outcome", "summary"),
    outcome=choice(*words.RESOLUTION_OUTCOMES),
    summary=text(10000, 1),
    corrective_action=text(10000),
    credit_amount=MONEY,
    root_cause=text(10000),
    resolved_time=moment,
)

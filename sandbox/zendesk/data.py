"""The account's published start data: credentials, people, organizations, fields and statuses."""

from __future__ import annotations

from typing import Any

JsonObject = dict[str, Any]

ACCOUNT_ID = 12345
BRAND_ID = 2
TICKET_FORM_ID = 1
GROUP_ID = 70
INTEGRATION_ID = 9001
AGENT_IDS = (9101, 9102)

CLIENT_ID = "casebridge"
CLIENT_SECRET = "sandbox-zendesk-secret"
LEGACY_EMAIL = "casebridge@hub.example"
LEGACY_TOKEN = "sandbox-zendesk-token"
WEBHOOK_ID = "01SANDBOXZENDESKWEBHOOK0001"
WEBHOOK_SECRET = "sandbox-zendesk-webhook-secret"
WEBHOOK_PATH = "/hooks/zendesk"

EVENT_FAMILIES = (
    "created",
    "agent_assignment_changed",
    "group_assignment_changed",
    "status_changed",
    "custom_status_changed",
    "priority_changed",
    "type_changed",
    "subject_changed",
    "comment_added",
    "comment_made_private",
    "comment_redacted",
    "attachment_linked_to_comment",
    "attachment_redacted_from_comment",
    "custom_field_changed",
    "tags_changed",
    "requester_changed",
    "organization_changed",
    "brand_changed",
    "form_changed",
    "external_id_changed",
    "problem_link_changed",
    "task_due_at_changed",
    "merged",
    "soft_deleted",
)
"""The `zen:event-type:ticket.*` events that the sandbox can send."""

ESCALATE_TAG = "b2b_partner_issue"
ONBOARDING_TAG = "b2b_onboarding"

PARTNER_FIELD = 360001
EXCEPTION_TYPE_FIELD = 360002
_TEXT_FIELDS = {
    PARTNER_FIELD: "partner",
    360003: "po_number",
    360004: "claim_number",
    360005: "partner_description",
    360006: "corrected_quantity",
    360007: "invoice_number",
}
EXCEPTION_TYPES = (
    "short_shipment",
    "over_shipment",
    "damaged_goods",
    "wrong_item",
    "substitution",
    "nonreceipt",
    "price_mismatch",
    "quantity_mismatch",
    "invoice_mismatch",
    "duplicate_invoice",
    "missing_invoice",
    "order_mismatch",
    "missing_acknowledgment",
    "rejected_acknowledgment",
    "late_acknowledgment",
    "missing_asn",
    "late_asn",
    "asn_mismatch",
    "late_shipment",
    "shipment_delay",
    "routing_violation",
    "label_error",
    "packing_violation",
    "missing_proof_of_delivery",
    "missing_document",
    "invalid_identifier",
    "validation_failure",
    "translation_error",
    "transmission_failure",
    "configuration_error",
    "compliance_violation",
    "quality_claim",
    "payment_discrepancy",
    "chargeback",
    "missing_data",
    "approval_delay",
    "access_issue",
    "other",
)
TICKET_FIELD_IDS = tuple(sorted((*_TEXT_FIELDS, EXCEPTION_TYPE_FIELD)))

STATUSES = ("new", "open", "pending", "hold", "solved", "closed")
PRIORITIES = ("low", "normal", "high", "urgent")
TYPES = ("problem", "incident", "question", "task")
DEFAULT_STATUS_IDS = {"new": 8001, "open": 8002, "pending": 8003, "hold": 8004, "solved": 8005, "closed": 8005}
_STATUS_LABELS = (
    (8001, "new", "New", True),
    (8002, "open", "Open", True),
    (8003, "pending", "Pending", True),
    (8004, "hold", "On-hold", True),
    (8005, "solved", "Solved", True),
    (8103, "pending", "Awaiting partner", False),
)
_STARTED = "2026-01-05T08:00:00Z"


def users() -> dict[int, JsonObject]:
    """The integration's own user (an admin: exports need one), two agents and one end user a partner."""
    made = [
        _user(INTEGRATION_ID, "casebridge", LEGACY_EMAIL, "admin"),
        _user(9101, "Support agent A", "agent.a@hub.example", "agent"),
        _user(9102, "Support agent B", "agent.b@hub.example", "agent"),
        _user(9201, "Customer of Acme", "customer@acme.example", "end-user", 500),
        _user(9202, "Customer of Globex", "customer@globex.example", "end-user", 501),
        _user(9203, "Customer of Initech", "customer@initech.example", "end-user", 502),
        _user(9204, "Customer without organization", "customer@nowhere.example", "end-user"),
    ]
    return {user["id"]: user for user in made}


def organizations() -> dict[int, JsonObject]:
    """The three partners."""
    named = ((500, "Acme Logistics", "acme"), (501, "Globex Retail", "globex"), (502, "Initech Foods", "initech"))
    return {
        number: {
            "url": f"/api/v2/organizations/{number}.json",
            "id": number,
            "name": name,
            "shared_tickets": False,
            "shared_comments": False,
            "external_id": key,
            "created_at": _STARTED,
            "updated_at": _STARTED,
            "domain_names": [f"{key}.example"],
            "details": None,
            "notes": None,
            "group_id": None,
            "tags": [],
            "organization_fields": {},
        }
        for number, name, key in named
    }


def groups() -> list[JsonObject]:
    """The one group."""
    return [
        {
            "url": f"/api/v2/groups/{GROUP_ID}.json",
            "id": GROUP_ID,
            "is_public": True,
            "name": "B2B support",
            "description": "",
            "default": True,
            "deleted": False,
            "created_at": _STARTED,
            "updated_at": _STARTED,
        }
    ]


def ticket_fields() -> list[JsonObject]:
    """The seven custom ticket fields; exception_type is a drop-down, whose values are tags too."""
    made = [_field(number, title, "text") for number, title in _TEXT_FIELDS.items()]
    options = [
        {
            "id": 361000 + position,
            "name": word.replace("_", " ").capitalize(),
            "raw_name": word.replace("_", " ").capitalize(),
            "value": word,
            "position": position,
        }
        for position, word in enumerate(EXCEPTION_TYPES)
    ]
    made.append({**_field(EXCEPTION_TYPE_FIELD, "exception_type", "tagger"), "custom_field_options": options})
    return sorted(made, key=lambda field: int(field["id"]))


def custom_statuses() -> list[JsonObject]:
    """One status a category by default, and a second one in pending."""
    return [
        {
            "url": f"/api/v2/custom_statuses/{number}.json",
            "id": number,
            "status_category": category,
            "agent_label": label,
            "raw_agent_label": label,
            "end_user_label": label,
            "raw_end_user_label": label,
            "description": label,
            "raw_description": label,
            "end_user_description": label,
            "raw_end_user_description": label,
            "active": True,
            "default": default,
            "created_at": _STARTED,
            "updated_at": _STARTED,
        }
        for number, category, label, default in _STATUS_LABELS
    ]


def _user(number: int, name: str, email: str, role: str, organization: int | None = None) -> JsonObject:
    return new_user(number, name, email, _STARTED, role=role, organization_id=organization)


def new_user(
    number: int, name: str, email: str | None, at: str, *, role: str = "end-user", organization_id: int | None = None
) -> JsonObject:
    """A user in the shape that admins see."""
    return {
        "id": number,
        "url": f"/api/v2/users/{number}.json",
        "name": name,
        "email": email,
        "created_at": at,
        "updated_at": at,
        "time_zone": "UTC",
        "iana_time_zone": "Etc/UTC",
        "phone": None,
        "shared_phone_number": None,
        "photo": None,
        "locale_id": 1,
        "locale": "en-US",
        "organization_id": organization_id,
        "role": role,
        "verified": True,
        "external_id": None,
        "tags": [],
        "alias": None,
        "active": True,
        "shared": False,
        "shared_agent": False,
        "last_login_at": None,
        "two_factor_auth_enabled": False,
        "signature": None,
        "details": None,
        "notes": None,
        "role_type": None,
        "custom_role_id": None,
        "moderator": role != "end-user",
        "ticket_restriction": None,
        "only_private_comments": False,
        "restricted_agent": False,
        "suspended": False,
        "default_group_id": None if role == "end-user" else GROUP_ID,
        "report_csv": role == "admin",
        "user_fields": {},
    }


def _field(number: int, title: str, kind: str) -> JsonObject:
    return {
        "url": f"/api/v2/ticket_fields/{number}.json",
        "id": number,
        "type": kind,
        "title": title,
        "raw_title": title,
        "description": "",
        "raw_description": "",
        "position": number - 360000,
        "active": True,
        "required": False,
        "collapsed_for_agents": False,
        "regexp_for_validation": None,
        "title_in_portal": title,
        "raw_title_in_portal": title,
        "visible_in_portal": False,
        "editable_in_portal": False,
        "required_in_portal": False,
        "agent_can_edit": True,
        "tag": None,
        "created_at": _STARTED,
        "updated_at": _STARTED,
        "removable": True,
        "key": None,
        "agent_description": None,
    }

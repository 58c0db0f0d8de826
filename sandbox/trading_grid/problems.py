"""Refusals as RFC 9457 problems, in the contract's codes, or in OpenText's older shapes by switch."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, NoReturn

# title and `retryable` by code, after `components/responses` of the contract.
_TITLES: dict[str, tuple[int, str, bool]] = {
    "invalid_request": (400, "Malformed request, unknown query parameter or bad cursor", False),
    "invalid_cursor": (400, "Malformed request, unknown query parameter or bad cursor", False),
    "idempotency_key_required": (400, "Idempotency-Key is required", False),
    "unauthenticated": (401, "Token missing, expired or revoked", True),
    "insufficient_scope": (403, "Token is valid but lacks the scope", False),
    "not_found": (404, "No such object, or the caller may not know that it exists", False),
    "conflict": (409, "Conflict with the current state", False),
    "invalid_transition": (409, "Conflict with the current state", False),
    "external_reference_exists": (409, "Another object holds this external reference", False),
    "document_pending_scan": (409, "The malware scan has not ended", True),
    "document_quarantined": (409, "The document is quarantined", False),
    "legal_hold": (409, "Under legal hold", False),
    "approval_already_decided": (409, "The approval was decided before", False),
    "gone": (410, "Gone", False),
    "cursor_expired": (410, "Gone", False),
    "precondition_failed": (412, "If-Match did not match", False),
    "payload_too_large": (413, "Body or file too large", False),
    "unsupported_media_type": (415, "Media type not accepted", False),
    "validation_failed": (422, "Semantic validation failed", False),
    "visibility_violation": (422, "Internal content never becomes partner visible", False),
    "cross_partner_reference": (422, "The write would tie two partners together", False),
    "fan_out_required": (422, "An audience cannot take part in a thread: open one per partner", False),
    "hop_limit": (422, "The change crossed too many systems: this is a loop", False),
    "checksum_mismatch": (422, "The bytes do not match the checksum", False),
    "idempotency_key_reused": (422, "The key was used with another body", False),
    "webhook_target_refused": (422, "The address is private", False),
    "precondition_required": (428, "If-Match is required", False),
    "rate_limited": (429, "Rate limited", True),
    "internal_error": (500, "Any other error", True),
    "not_implemented": (501, "This operation is not built in the sandbox", False),
}


class Problem(Exception):  # noqa: N818 -- RFC 9457's own word for it
    """A refusal: `code` of the contract's Problem schema, its status, and members such as `allowed_transitions`."""

    def __init__(self, code: str, detail: str = "", *, headers: dict[str, str] | None = None, **members: Any) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.status, self.title, self.retryable = _TITLES[code]
        self.detail = detail
        self.headers = headers or {}
        self.members = members

    def body(self, trace_id: str) -> dict[str, Any]:
        """The problem+json object."""
        body: dict[str, Any] = {
            "type": f"/problems/{self.code}",
            "title": self.title,
            "status": self.status,
            "code": self.code,
            "retryable": self.retryable,
            "trace_id": trace_id,
        }
        if self.detail:
            body["detail"] = self.detail
        return body | self.members

    def encoded(self, trace_id: str, *, legacy: str, path: str, now: datetime) -> tuple[str, bytes]:
        """Media type and bytes; `legacy` is "none", "cms" or "communications" (sheet section 8)."""
        if legacy == "cms":
            return "application/json", json.dumps({"exception": f"{self.title}. {self.detail}".strip()}).encode()
        if legacy == "communications":
            old = {
                "timestamp": now.isoformat(),
                "status": self.status,
                "message": self.detail or self.title,
                "error": self.title,
                "details": [],
                "errorCode": self.code.upper(),
                "path": path,
            }
            return "application/json", json.dumps(old).encode()
        return "application/problem+json", json.dumps(self.body(trace_id), separators=(",", ":")).encode()


def missing() -> NoReturn:
    """Refuse exactly as for an object that does not exist (rule I2): no detail, no members."""
    raise Problem("not_found")


def invalid(pointer: str, detail: str, code: str = "invalid") -> NoReturn:
    """Refuse one member of the request body with 422 validation_failed; `pointer` is a JSON Pointer."""
    raise Problem("validation_failed", errors=[{"pointer": pointer, "code": code, "detail": detail}])

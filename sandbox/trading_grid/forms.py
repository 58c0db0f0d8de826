"""From a form's fields to the API's bodies: what a person types becomes what a client would send."""

from __future__ import annotations

from starlette.datastructures import FormData, UploadFile

from sandbox.trading_grid.objects import Json

_NUMBERS = (("po_number", "purchase_order"), ("invoice_number", "invoice"), ("claim_number", "claim"))


def field(form: FormData, name: str) -> str:
    """One text field, trimmed; empty when it was not sent."""
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""


def thread_body(form: FormData, partner_id: str) -> Json:
    """The body of createThread; empty fields are left out."""
    body: Json = {
        "partner_id": partner_id,
        "type": field(form, "type") or "exception",
        "title": field(form, "title"),
        "visibility": "partner",
        "priority": field(form, "priority") or "normal",
    }
    for name, source in (("description", "text"), ("exception_type", "exception_type")):
        if field(form, source):
            body[name] = field(form, source)
    if field(form, "reason_code"):
        body["reason"] = {"code_list": field(form, "code_list") or "x12_426", "code": field(form, "reason_code")}
    references = [{"type": kind, "value": field(form, name)} for name, kind in _NUMBERS if field(form, name)]
    if references:
        body["transaction_references"] = [
            {"standard": "none", "document_type": "850", "direction": "inbound", "references": references}
        ]
    if field(form, "expected") or field(form, "actual"):
        body["discrepancies"] = [{"measure": field(form, "measure") or "quantity", "expected": field(form, "expected"),
                                  "actual": field(form, "actual")}]  # fmt: skip
    return body | _dispute(form, body["type"])


def _dispute(form: FormData, thread_type: str) -> Json:
    dispute: Json = {"dispute_state": "open"}
    if field(form, "claim_number"):
        dispute["chargeback_number" if thread_type == "chargeback" else "claim_number"] = field(form, "claim_number")
    if field(form, "amount"):
        dispute["claimed_amount"] = {"value": field(form, "amount"), "currency": field(form, "currency") or "USD"}
    return {"dispute": dispute} if len(dispute) > 1 or thread_type in ("dispute", "chargeback") else {}


def post_body(form: FormData) -> Json:
    """The body of createPost."""
    body: Json = {
        "kind": "message",
        "visibility": "partner",
        "body": {"format": field(form, "format") or "plain", "text": field(form, "text")},
    }
    if field(form, "update_type"):
        body["update_type"] = field(form, "update_type")
    return body


async def upload(form: FormData) -> tuple[str, bytes] | None:
    """The uploaded file, if one was chosen."""
    part = form.get("file")
    if not isinstance(part, UploadFile) or not part.filename:
        return None
    return part.filename, await part.read()

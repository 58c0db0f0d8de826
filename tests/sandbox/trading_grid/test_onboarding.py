"""Onboarding requirements and approvals."""

from __future__ import annotations

from tests.sandbox.trading_grid.community import Caller

PATH = "/onboarding-requirements/req_acme_insurance"


def test_a_blocked_requirement_shows_in_its_case(hub: Caller, acme: Caller) -> None:
    """Given a requirement, when it is blocked, then the case names the blocker and one blocked event is told."""
    assert hub.patch(PATH, {"state": "blocked"}, 422, match=hub.get(PATH))["errors"][0]["pointer"] == "/blocked_reason"

    hub.patch(PATH, {"state": "blocked", "blocked_reason": "missing_document"}, match=hub.get(PATH))

    case = acme.get("/onboarding-cases/onb_acme")
    assert [entry["reason"] for entry in case["blockers"]] == ["missing_document"]
    assert case["progress"]["blocked"] == 1
    assert [event["type"] for event in acme.events()] == ["onboarding_requirement.blocked"]
    blocked = acme.get("/onboarding-cases/onb_acme/requirements", params={"blocked": "true"})
    assert [entry["id"] for entry in blocked["_embedded"]["collection"]] == ["req_acme_insurance"]


def test_a_partner_submits_and_the_hub_decides(hub: Caller, acme: Caller, globex: Caller) -> None:
    """Given a requirement, when the partner submits a document, then submitted; accepting it is for the hub alone."""
    paper = acme.document(document_class="certificate_of_insurance")

    sent = acme.patch(PATH, {"state": "submitted", "document_ids": [paper["id"]]}, match=acme.get(PATH))

    assert (sent["state"], sent["document_ids"]) == ("submitted", [paper["id"]])
    assert "accepted" not in acme.patch(PATH, {"state": "accepted"}, 409, match=sent)["allowed_transitions"]
    assert hub.patch(PATH, {"state": "accepted"}, match=hub.get(PATH))["state"] == "accepted"
    globex.get(PATH, 404)
    assert "_embedded" not in globex.get("/onboarding-cases")


def test_an_approval_is_decided_once(hub: Caller, acme: Caller) -> None:
    """Given a requested approval, when claimed and completed, then approved; a second decision is 409; the
    partner sees nothing."""
    thread = hub.thread()
    asked = hub.post("/approvals", {
        "subject": {"type": "thread", "id": thread["id"]}, "title": "Credit 184.20 USD", "approver_group": "finance",
        "approver_side": "hub", "visibility": "internal",
        "amount": {"value": "184.20", "currency": "USD"}})  # fmt: skip
    path = f"/approvals/{asked['id']}"

    hub.post(path, {"action": "claim", "assignee": "m.ruiz"}, 200)
    decided = hub.post(path, {"action": "complete", "outcome": "approved"}, 200)

    assert (decided["state"], decided["assignee"], decided["partner_id"]) == ("approved", "m.ruiz", "prt_acme")
    assert hub.post(path, {"action": "complete", "outcome": "rejected"}, 409)["code"] == "approval_already_decided"
    acme.get(path, 404)
    kinds = [event["type"] for event in hub.events() if event["type"].startswith("approval")]
    assert kinds == ["approval.requested", "approval.claimed", "approval.decided"]


def test_partners_are_found_by_identifier_and_summed_up(hub: Caller, acme: Caller) -> None:
    """Given an ISA id, when looked up, then the partner; its digest counts threads and has a steady ETag."""
    found = hub.get("/partners/lookup", params={"scheme": "x12_isa", "qualifier": "01", "value": "123456789"})
    assert found["id"] == "prt_acme"
    hub.get("/partners/lookup", 404, params={"scheme": "duns", "value": "000000000"})
    acme.get("/partners/prt_acme/summary", 404)
    hub.thread()

    digest = hub.call("GET", "/partners/prt_acme/summary")

    assert digest.json()["open_threads"] == 1
    again = hub.call("GET", "/partners/prt_acme/summary", headers={"If-None-Match": digest.headers["ETag"]})
    assert again.status_code == 304
    assert hub.get("/partner-groups", params={"topic": "short_shipment", "partner_id": "prt_acme"})["_embedded"][
        "collection"
    ][0]["id"] == "grp_acme_log"  # fmt: skip

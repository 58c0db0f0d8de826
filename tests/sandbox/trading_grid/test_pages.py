"""The person pages: what a partner does there is what the API shows."""

from __future__ import annotations

from typing import Any

import requests

from tests.sandbox.trading_grid.community import Caller, Community

NEW = {"type": "chargeback", "exception_type": "late_asn", "title": "Chargeback CB-2231", "text": "We sent it in time.",
       "po_number": "4500123456", "claim_number": "CB-2231", "reason_code": "70", "amount": "450.00"}  # fmt: skip


def submit(community: Community, path: str, fields: dict[str, str], **more: Any) -> dict[str, Any]:
    """A form sent as a script would, answered with ids."""
    answer = requests.post(
        community.url + path, data=fields, headers={"Accept": "application/json"}, timeout=10, **more
    )
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_a_new_thread_from_the_form_is_a_whole_case(community: Community, hub: Caller) -> None:
    """Given the filled form with a file, when sent, then thread, first post, references, dispute and linked
    document exist."""
    made = submit(community, "/person/acme/threads", NEW, files={"file": ("pod.pdf", b"%PDF-1")})

    thread = hub.get(f"/threads/{made['thread_id']}")
    assert (thread["type"], thread["state"], thread["document_count"]) == ("chargeback", "new", 1)
    assert thread["dispute"]["chargeback_number"] == "CB-2231"
    assert thread["dispute"]["claimed_amount"] == {"value": "450.00", "currency": "USD"}
    assert {"type": "purchase_order", "value": "4500123456"} in thread["transaction_references"][0]["references"]
    assert hub.get(f"/posts/{made['post_id']}")["body"]["text"] == "We sent it in time."
    assert {entry["by"] for entry in community.kit.journal.entries() if entry["by"] != "system"} == {"partner:acme"}


def test_a_person_does_everything_in_a_browser(community: Community, hub: Caller) -> None:
    """Given a thread, when a partner posts, retitles and withdraws by forms, then each answers 303 and the
    page shows it."""
    made = submit(community, "/person/globex/threads", NEW)
    place = f"{community.url}/person/globex/threads/{made['thread_id']}"

    for action, fields in (
        ("posts", {"text": "PRO 778812 <b>", "update_type": "shipment_confirmation"}), ("title", {"title": "Late ASN"}),
        ("transition", {"to_state": "withdrawn", "reason": "solved"}),
    ):  # fmt: skip
        answer = requests.post(f"{place}/{action}", data=fields, allow_redirects=False, timeout=10)
        assert (answer.status_code, answer.headers["Location"]) == (303, place.removeprefix(community.url))

    shown = requests.get(place, timeout=10).text
    assert "PRO 778812 &lt;b&gt;" in shown
    assert "Late ASN" in shown
    assert hub.get(f"/threads/{made['thread_id']}")["state"] == "withdrawn"
    assert "Reopen" not in shown


def test_evidence_is_submitted_by_form(community: Community, hub: Caller) -> None:
    """Given an evidence request, when the partner chooses a file, then it is submitted."""
    thread = hub.thread()
    wanted = hub.post(f"/threads/{thread['id']}/evidence-requests", {
        "title": "POD", "document_class": "proof_of_delivery", "due_time": "2099-01-01T00:00:00Z"})  # fmt: skip
    page = requests.get(f"{community.url}/person/acme/threads/{thread['id']}", timeout=10).text
    assert "Wanted: POD" in page

    submit(community, f"/person/acme/threads/{thread['id']}/evidence/{wanted['id']}",
           {"document_class": "proof_of_delivery"}, files={"file": ("pod.pdf", b"%PDF-1")})  # fmt: skip

    assert hub.get(f"/evidence-requests/{wanted['id']}")["state"] == "submitted"


def test_another_partners_thread_is_not_there(community: Community, hub: Caller) -> None:
    """Given A's thread, when B opens its page or posts to it, then 404; nor does an unknown partner exist."""
    thread = hub.thread()
    place = f"{community.url}/person/globex/threads/{thread['id']}"

    assert requests.get(place, timeout=10).status_code == 404
    assert requests.post(f"{place}/posts", data={"text": "x"}, timeout=10).status_code == 404
    assert requests.get(f"{community.url}/person/nobody", timeout=10).status_code == 404


def test_the_hub_sees_events_and_redacts(community: Community, hub: Caller) -> None:
    """Given a partner's post, when the hub redacts it on its page, then the text is gone from the API."""
    made = submit(community, "/person/acme/threads", NEW)
    assert "thread.created" in requests.get(f"{community.url}/person/hub", timeout=10).text

    submit(community, f"/person/hub/posts/{made['post_id']}/redact", {"reason": "bank data"})

    assert hub.get(f"/posts/{made['post_id']}")["body"] is None
    assert requests.get(f"{community.url}/", timeout=10).status_code == 200
    assert requests.get(f"{community.url}/person/acme", timeout=10).status_code == 200

"""Files and documents: bytes, scan, versions, content, links, shares, evidence."""

from __future__ import annotations

import base64
import hashlib

from tests.sandbox.trading_grid.community import Caller, Community

WANTED = {"title": "Signed POD", "document_class": "proof_of_delivery", "due_time": "2099-01-01T00:00:00Z"}


def test_bytes_come_back_as_they_were_sent(hub: Caller) -> None:
    """Given an uploaded PDF, when its content is read whole and in part, then bytes, digest and type are right."""
    content = b"%PDF-1.7 " + bytes(range(256))
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    raw = hub.call("POST", "/files/fromStream", data=content, headers={
        "Content-Type": "application/octet-stream",
        "Content-Disposition": "attachment; filename*=UTF-8''p%C3%B6d.pdf",
        "Content-Digest": f"sha-256=:{digest}:"}).json()  # fmt: skip
    assert (raw["originalFileName"], raw["mimeType"], raw["size"]) == ("pöd.pdf", "application/pdf", len(content))
    paper = hub.post("/documents", {
        "name": "POD", "partner_id": "prt_acme", "document_class": "proof_of_delivery", "classification": "public",
        "renditions": [{"rendition_type": "primary", "source": "FILE_ID", "blob_id": raw["id"]}],
        "expected_sha256": raw["sha256"]})  # fmt: skip
    place = f"/documents/{paper['id']}/content"

    whole, part = hub.call("GET", place), hub.call("GET", place, headers={"Range": "bytes=4-7"})

    assert whole.content == content
    assert whole.headers["ETag"] == f'"sha256-{raw["sha256"]}"'
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    assert whole.headers["Content-Disposition"].startswith("attachment")
    assert (part.status_code, part.content) == (206, content[4:8])


def test_bytes_that_do_not_match_their_digest_are_refused(hub: Caller) -> None:
    """Given a wrong Content-Digest or expected_sha256, when sent, then 422 checksum_mismatch."""
    wrong = hub.call("POST", "/files/fromStream", data=b"x", headers={
        "Content-Type": "application/octet-stream", "Content-Digest": "sha-256=:AAAA:"})  # fmt: skip

    assert (wrong.status_code, wrong.json()["code"]) == (422, "checksum_mismatch")
    assert hub.document(status=422, expected_sha256="0" * 64)["code"] == "checksum_mismatch"


def test_an_upload_replays_although_its_form_boundary_differs(hub: Caller, community: Community) -> None:
    """Given a multipart upload, when it is repeated with its key, then the same blob comes back and one was
    stored."""
    first, second = (
        hub.call("POST", "/files/fromStream", key="upload-row-1", files={"file": ("a.txt", b"same")}) for _ in range(2)
    )

    assert first.json() == second.json()
    assert second.headers["Idempotent-Replayed"] == "true"
    assert len(community.effects("file_stored")) == 1


def test_a_file_above_the_limit_is_413(hub: Caller) -> None:
    """Given more than max_file_bytes, when uploaded, then 413."""
    limit = hub.get("/service-info")["limits"]["max_file_bytes"]

    answer = hub.call("POST", "/files/fromStream", files={"file": ("big.bin", b"\0" * (limit + 1))})

    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")


def test_content_waits_for_the_scan_and_never_leaves_quarantine(hub: Caller, community: Community) -> None:
    """Given a scan delay, when content is read early, then 409 document_pending_scan; a file named EICAR stays
    locked in."""
    community.switch(scan_delay_seconds=30)
    clean, bad = hub.document(), hub.document(name="EICAR.pdf")
    assert hub.get(f"/documents/{clean['id']}/content", 409)["code"] == "document_pending_scan"

    community.later(31)

    assert hub.call("GET", f"/documents/{clean['id']}/content").status_code == 200
    assert hub.get(f"/documents/{bad['id']}/content", 409)["code"] == "document_quarantined"
    ended = [event for event in hub.events() if event["type"] == "document.scan_completed"]
    assert [event["data"]["state"] for event in ended] == ["available", "quarantined"]


def test_the_same_bytes_make_no_new_version(hub: Caller) -> None:
    """Given a document, when the same bytes come as a version, then version 1 again and no event; other bytes
    make version 2."""
    paper = hub.document()
    path = f"/documents/{paper['id']}/versions"
    same, other = hub.blob("b.pdf", b"%PDF-1.7 pod.pdf"), hub.blob("c", b"2")

    def version(blob_id: str) -> dict[str, object]:
        return {"renditions": [{"rendition_type": "primary", "source": "FILE_ID", "blob_id": blob_id}]}

    count = len(hub.events())
    assert hub.post(path, version(same["id"]), match=paper)["version"] == 1
    assert len(hub.events()) == count
    assert hub.post(path, version(other["id"]), match=paper)["version"] == 2
    assert hub.get(f"/documents/{paper['id']}")["current_version"] == 2


def test_what_is_internal_to_the_hub_is_never_linked_visibly(hub: Caller) -> None:
    """Given a hub_internal document, when linked or shared for the partner, then 422 visibility_violation."""
    thread, memo = hub.thread(), hub.document(classification="hub_internal")
    share = {"principal_type": "partner", "principal_id": "prt_acme", "permission": "view"}

    linked = hub.call("PUT", f"/threads/{thread['id']}/documents/{memo['id']}", {"visibility": "partner"})

    assert linked.json()["code"] == "visibility_violation"
    assert hub.post(f"/documents/{memo['id']}/shares", share, 422)["code"] == "visibility_violation"


def test_an_audience_gets_a_hub_document(hub: Caller, acme: Caller, globex: Caller) -> None:
    """Given a document of no partner, when it is shared with the audience, then every member may read it."""
    guide = hub.document(partner=None)  # type: ignore[arg-type]  # null is the contract's word for a hub document
    acme.get(f"/documents/{guide['id']}", 404)

    hub.post(f"/documents/{guide['id']}/shares",
             {"principal_type": "partner_group", "principal_id": "grp_all_partners", "permission": "view"})  # fmt: skip

    for caller in (acme, globex):
        caller.get(f"/documents/{guide['id']}")
        assert [event["type"] for event in caller.events()] == ["document.shared"]


def test_two_documents_fulfil_a_request_for_two(hub: Caller, acme: Caller) -> None:
    """Given min_documents 2, when the first comes, then open; with the second submitted, linked, and accepted
    on review."""
    thread = hub.thread()
    wanted = hub.post(f"/threads/{thread['id']}/evidence-requests", WANTED | {"min_documents": 2})
    path = f"/evidence-requests/{wanted['id']}"
    papers = [acme.document(name=f"pod{number}.pdf") for number in (1, 2)]

    states = [acme.post(f"{path}/fulfilments", {"document_id": paper["id"]}, 200)["state"] for paper in papers]

    assert states == ["open", "submitted"]
    assert hub.get(f"/threads/{thread['id']}")["document_count"] == 2
    now = hub.get(path)
    assert hub.post(f"{path}/reviews", {"decision": "accepted"}, 200, match=now)["state"] == "accepted"
    assert acme.post(f"{path}/fulfilments", {"document_id": papers[0]["id"]}, 409)["code"] == "conflict"


def test_a_rejected_document_opens_the_request_again(hub: Caller, acme: Caller) -> None:
    """Given a submitted document, when rejected, then open with the note and the old due time; the next try
    keeps both."""
    wanted = hub.post(f"/threads/{hub.thread()['id']}/evidence-requests", WANTED)
    path = f"/evidence-requests/{wanted['id']}"
    acme.post(f"{path}/fulfilments", {"document_id": acme.document(name="one.pdf")["id"]}, 200)
    review = {"decision": "rejected", "note": "Signature missing"}

    rejected = hub.post(f"{path}/reviews", review, 200, match=hub.get(path))
    acme.post(f"{path}/fulfilments", {"document_id": acme.document(name="two.pdf")["id"]}, 200)

    assert (rejected["state"], rejected["due_time"][:10]) == ("open", "2099-01-01")
    attempts = acme.get(path)["fulfilled_by"]
    assert [entry["review"] for entry in attempts] == ["rejected", "pending"]
    assert attempts[0]["review_note"] == "Signature missing"


def test_a_late_document_is_taken_and_the_request_stays_overdue(hub: Caller, community: Community) -> None:
    """Given a request that ran out, when a document comes, then submitted and overdue; cancelling ends it."""
    info = hub.get("/service-info")["time"]
    wanted = hub.post(f"/threads/{hub.thread()['id']}/evidence-requests", WANTED | {"due_time": info})
    path = f"/evidence-requests/{wanted['id']}"

    community.later(5)
    late = community.caller("acme-partner").document()
    answer = community.caller("acme-partner").post(f"{path}/fulfilments", {"document_id": late["id"]}, 200)

    assert (answer["state"], answer["overdue"]) == ("submitted", True)
    assert hub.patch(path, {"state": "cancelled"}, match=hub.get(path))["state"] == "cancelled"
    kinds = [event["type"] for event in hub.events() if event["type"].startswith("evidence")]
    assert kinds == [f"evidence_request.{what}" for what in ("created", "overdue", "submitted", "cancelled")]


def test_evidence_is_not_asked_for_on_an_internal_thread(hub: Caller) -> None:
    """Given an internal thread, when evidence is asked for, then 422; a held reference is 409 with existing_id."""
    mark = {"system": "gemini", "object_type": "history", "external_id": "5"}
    hidden, thread = hub.thread(visibility="internal"), hub.thread()

    assert hub.post(f"/threads/{hidden['id']}/evidence-requests", WANTED, 422)["code"] == "visibility_violation"
    path, body = f"/threads/{thread['id']}/evidence-requests", WANTED | {"external_references": [mark]}
    first = hub.post(path, body)
    assert hub.post(path, body, 409)["existing_id"] == first["id"]

"""Files on their way between the systems: G1.5, G1.10, Z2.9, judged by what the systems' journals say."""

import contextlib
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.town import ROOT, Town
from workers.demo.people import Upload

INVOICE = Upload("invoice-77.pdf", b"%PDF-1.7 invoice 77", "application/pdf")
PROOF = Upload("delivery.pdf", b"%PDF-1.7 proof of delivery", "application/pdf")
VIRUS = Upload("eicar-photo.pdf", b"%PDF-1.7 not a photo at all", "application/pdf")
INTERNAL, PARTNERS = 4, 5  # the sandbox's user groups for comments
MIB = 1024 * 1024
CONTENT = "GET /active-community/v1/documents/*/content"


def sha256(file: Upload) -> str:
    return hashlib.sha256(file.content).hexdigest()


def open_case(town: Town, **fields: Any) -> tuple[str, str]:
    """A partner's exception with its item: (thread, item)."""
    thread = town.people.open_thread("acme", "Short shipment", "Two cartons short", po_number="PO-77", **fields)
    town.run()
    (item,) = town.by_us("gemini", "item_created")
    return str(thread["thread_id"]), str(item["obj"])


def with_ticket(town: Town) -> tuple[str, str]:
    """A ticket that was escalated, and the thread that it opened: (ticket, thread)."""
    ticket = town.people.open_ticket(500, "Where is my order?", "It did not come.", field_360005="Please check PO-77")
    town.people.escalate(ticket["ticket_id"])
    town.run()
    (thread,) = town.by_us("trading_grid", "thread_created")
    return str(ticket["ticket_id"]), str(thread["obj"])


def post_with_files(town: Town, thread: str, text: str, *files: Upload) -> str:
    """A partner's own software posts with attachments, which the page's form cannot."""
    root = town.people.urls["trading_grid"]
    secret = "client_id=acme-partner&client_secret=sandbox-acme-secret&grant_type=client_credentials"
    login = _call(f"{root}/tenants/tnt_sandbox/oauth2/token", secret.encode(), "application/x-www-form-urlencoded")
    api, bearer = f"{root}/active-community/v1", f"Bearer {login['access_token']}"
    documents = []
    for number, file in enumerate(files):
        named = {"Content-Disposition": f'attachment; filename="{file.name}"'}
        key = {"Authorization": bearer, "Idempotency-Key": f"{thread}-{number}-{hash(text)}"}
        blob = _call(f"{api}/files/fromStream", file.content, "application/octet-stream", **key, **named)
        rendition = {"name": file.name, "rendition_type": "primary", "source": "FILE_ID", "blob_id": blob["id"]}
        document = {
            "name": file.name, "partner_id": "prt_acme", "document_class": "other",
            "classification": "partner_confidential", "renditions": [rendition],
        }  # fmt: skip
        documents.append(_call(f"{api}/documents", json.dumps(document).encode(), "application/json", **key)["id"])
    body = {
        "kind": "message", "visibility": "partner", "body": {"format": "plain", "text": text},
        "attachments": [{"document_id": document} for document in documents],
    }  # fmt: skip
    key = {"Authorization": bearer, "Idempotency-Key": f"{thread}-post-{hash(text)}"}
    return str(_call(f"{api}/threads/{thread}/posts", json.dumps(body).encode(), "application/json", **key)["id"])


def _call(url: str, body: bytes, kind: str, **headers: str) -> Any:
    answer = requests.post(url, body, headers={"Content-Type": kind, **headers}, timeout=30)
    answer.raise_for_status()
    return answer.json()


def comments(town: Town, item: str) -> list[tuple[int, str]]:
    """casebridge's comments on an item: (group, text)."""
    found = town.by_us("gemini", "comment_added", parent=item)
    return [(entry["visibility"], entry["body"]) for entry in found]


def notes(town: Town) -> list[str]:
    """casebridge's comments on tickets."""
    return [entry["body"] for entry in town.by_us("zendesk", "comment_added")]


def fail(town: Town, system: str, route: str, **rule: Any) -> None:
    town.people.switch(system, "faults", {"route": route, **rule}, "POST")


def test_g1_05_a_file_follows_when_its_scan_has_ended(town: Town) -> None:
    """Given a document still being scanned, when the thread arrives, then the item is made and the file follows."""
    town.people.switch("trading_grid", "trading_grid", {"scan_delay_seconds": 60})
    open_case(town, file=INVOICE)
    assert town.by_us("gemini", "file_added") == []
    town.later(120)
    town.run()
    (added,) = town.by_us("gemini", "file_added")
    assert (added["sha256"], added["name"], added["size"]) == (sha256(INVOICE), INVOICE.name, len(INVOICE.content))
    assert town.dead() == []


def test_g1_05_a_scanned_file_comes_with_the_item_once(town: Town) -> None:
    """Given a document that is scanned at once, when created, linked and scanned are told, then it is there once."""
    _, item = open_case(town, file=INVOICE)
    town.run()
    assert [entry["sha256"] for entry in town.by_us("gemini", "file_added", parent=item)] == [sha256(INVOICE)]
    assert town.by_us("trading_grid", "file_stored") == []
    assert town.dead() == []


def test_g1_05_a_quarantined_file_is_named_to_the_team_and_never_copied(town: Town) -> None:
    """Given malware, when its scan ends, then an internal comment names it and no byte leaves Trading Grid."""
    town.people.switch("trading_grid", "trading_grid", {"scan_delay_seconds": 60})
    _, item = open_case(town, file=VIRUS)
    town.later(120)
    town.run()
    said = [text for group, text in comments(town, item) if group == INTERNAL]
    assert len(said) == 1
    assert VIRUS.name in said[0]
    assert "quarantined" in said[0]
    assert not [text for group, text in comments(town, item) if group == PARTNERS and VIRUS.name in text]
    assert town.by_us("gemini", "file_added") == []
    assert not (town.world.environment.home / "documents").exists()
    assert town.dead() == []


def test_g1_01_the_same_bytes_under_two_names_are_one_attachment(town: Town) -> None:
    """Given a partner who brings the same bytes again under another name, when synced, then one attachment stands."""
    thread, item = open_case(town, file=INVOICE)
    town.people.bring("acme", thread, INVOICE._replace(name="copy of invoice.pdf"))
    town.run()
    town.people.bring("acme", thread, PROOF)
    town.run()
    added = [entry["sha256"] for entry in town.by_us("gemini", "file_added", parent=item)]
    assert added == [sha256(INVOICE), sha256(PROOF)]


def test_g1_10_a_link_stands_for_a_file_above_the_ceiling(town: Town) -> None:
    """Given a file above Gemini's ceiling, when copied, then a link comes instead of bytes and the item says so."""
    town.configure(lambda text: text.replace("gemini:\n", "gemini:\n  max_file_bytes: 1000\n"))
    large = Upload("photos.zip", b"PK\x03\x04" + b"x" * 2000, "application/zip")
    _, item = open_case(town, file=large)
    assert town.by_us("gemini", "file_added") == []
    (said,) = [text for _, text in comments(town, item) if large.name in text]
    assert "1,000 bytes" in said
    assert f"sha256 {sha256(large)}" in said
    assert 'href="' in said
    assert town.dead() == []


def test_z2_09_a_note_carries_its_files(town: Town) -> None:
    """Given a post with two files, when written, then one private note carries both, and each stands once."""
    _, thread = with_ticket(town)
    post_with_files(town, thread, "Both papers attached", INVOICE, PROOF)
    town.run()
    added = town.by_us("zendesk", "file_added")
    assert sorted(entry["sha256"] for entry in added) == sorted([sha256(INVOICE), sha256(PROOF)])
    assert len({entry["comment_id"] for entry in added}) == 1
    assert len([body for body in notes(town) if "Both papers attached" in body]) == 1
    assert town.dead() == []


def test_z2_09_a_document_without_words_becomes_a_note_of_its_own(town: Town) -> None:
    """Given a document that is only linked, when it arrives, then a private note of casebridge carries it."""
    _, thread = with_ticket(town)
    town.people.bring("acme", thread, INVOICE)
    town.run()
    assert [entry["sha256"] for entry in town.by_us("zendesk", "file_added")] == [sha256(INVOICE)]


@pytest.mark.parametrize("status", [422, 500])
def test_z2_09_when_an_upload_fails_the_text_arrives_and_names_the_file(town: Town, status: int) -> None:
    """Given an upload that fails, when the note is written, then the words are there and say what is missing."""
    _, thread = with_ticket(town)
    fail(town, "zendesk", "POST /api/v2/uploads*", fault="status", status=status)
    post_with_files(town, thread, "Invoice attached", INVOICE)
    town.run()
    (said,) = [body for body in notes(town) if "Invoice attached" in body]
    assert INVOICE.name in said
    assert "refused the file" in said
    assert town.by_us("zendesk", "file_added") == []
    assert town.dead() == []


def test_a_file_that_comes_wrong_is_fetched_again(town: Town) -> None:
    """Given a content that is a web page twice, when read again, then the file arrives whole and nothing is dead."""
    fail(town, "trading_grid", CONTENT, fault="html", times=2)
    thread, item = open_case(town)
    town.people.bring("acme", thread, INVOICE)
    for _ in range(4):
        town.run()
    assert [entry["sha256"] for entry in town.by_us("gemini", "file_added", parent=item)] == [sha256(INVOICE)]
    assert town.dead() == []


def test_a_file_that_stays_wrong_is_given_up_alone(town: Town) -> None:
    """Given a content that never matches, when the bound is reached, then the words arrive and the letter names it."""
    _, thread = with_ticket(town)
    fail(town, "trading_grid", CONTENT, fault="html")
    post_with_files(town, thread, "Invoice attached", INVOICE)
    for _ in range(8):
        town.later(60)
        town.run()
    (said,) = [body for body in notes(town) if "Invoice attached" in body]
    assert INVOICE.name in said
    assert "do not match their checksum" in said
    assert [reason for reason, _ in town.dead()] == ["checksum_mismatch"]
    assert town.by_us("zendesk", "file_added") == []


def test_a_source_that_is_down_holds_the_file_and_its_words(town: Town) -> None:
    """Given content that cannot be had for a while, when it can, then words and file arrive and nothing is dead."""
    _, thread = with_ticket(town)
    fail(town, "trading_grid", CONTENT, fault="status", status=503)
    post_with_files(town, thread, "Invoice attached", INVOICE)
    town.run()
    assert not [body for body in notes(town) if "Invoice attached" in body]
    town.people.switch("trading_grid", "faults", None, "DELETE")
    town.later(60)
    town.run()
    assert len([body for body in notes(town) if "Invoice attached" in body]) == 1
    assert [entry["sha256"] for entry in town.by_us("zendesk", "file_added")] == [sha256(INVOICE)]
    assert town.dead() == []


def test_z2_09_one_refused_file_of_three_leaves_the_others_their_place(town: Town) -> None:
    """Given three files of which one is refused, when the note is written, then it carries two and names the third."""
    town.people.switch("zendesk", "zendesk", {"check_file_type": True})
    wrong = Upload("photo.png", b"no picture at all", "image/png")
    _, thread = with_ticket(town)
    post_with_files(town, thread, "All papers attached", INVOICE, wrong, PROOF)
    town.run()
    added = sorted(entry["sha256"] for entry in town.by_us("zendesk", "file_added"))
    assert added == sorted([sha256(INVOICE), sha256(PROOF)])
    (said,) = [body for body in notes(town) if "All papers attached" in body]
    assert said.count("refused the file") == 1


def test_z2_09_when_every_upload_fails_the_text_goes_alone(town: Town) -> None:
    """Given more failing uploads than a delivery is decided anew, when written, then the text names all the files."""
    files = [Upload(f"page-{one}.pdf", f"%PDF-1.7 page {one}".encode(), "application/pdf") for one in range(6)]
    _, thread = with_ticket(town)
    fail(town, "zendesk", "POST /api/v2/uploads*", fault="status", status=422)
    post_with_files(town, thread, "Six pages attached", *files)
    town.run()
    (said,) = [body for body in notes(town) if "Six pages attached" in body]
    assert all(file.name in said for file in files)
    assert town.by_us("zendesk", "file_added") == []
    assert town.dead() == []


def test_z2_09_a_file_above_the_accounts_limit_is_linked_in_the_note(town: Town) -> None:
    """Given a file above the account's own limit, when the note is written, then it links the file and says why."""
    town.people.switch("zendesk", "zendesk", {"attachment_size": 10})
    _, thread = with_ticket(town)
    post_with_files(town, thread, "Invoice attached", INVOICE)
    town.run()
    (said,) = [body for body in notes(town) if "Invoice attached" in body]
    assert "larger than this account takes (10 bytes)" in said
    assert town.by_us("zendesk", "file_added") == []
    assert town.dead() == []


def test_a_lost_answer_to_an_upload_makes_no_second_attachment(town: Town) -> None:
    """Given an upload whose answer is lost, when tried again, then Gemini is asked first and has the file once."""
    thread, item = open_case(town)
    fail(town, "gemini", "POST /gemini/api/items/*/attachments", fault="lost_answer", times=1)
    town.people.bring("acme", thread, INVOICE)
    town.run()
    town.later(60)
    town.run()
    assert [entry["sha256"] for entry in town.by_us("gemini", "file_added", parent=item)] == [sha256(INVOICE)]
    assert town.dead() == []


def test_z1_a_file_in_a_comment_for_the_partner_follows_its_scan(town: Town) -> None:
    """Given an agent's file in a comment for the partner, when its scan has ended, then the thread has it too."""
    ticket, thread = with_ticket(town)
    town.people.say(ticket, "#partner Please see the photo", file=INVOICE)
    town.people.say(ticket, "Between us", file=PROOF)
    town.run()
    assert town.by_us("trading_grid", "file_stored") == []
    town.later(60)
    town.people.say(ticket, "Still waiting")  # whatever wakes the ticket
    town.run()
    assert [entry["sha256"] for entry in town.by_us("trading_grid", "file_stored")] == [sha256(INVOICE)]
    assert [entry["thread_id"] for entry in town.by_us("trading_grid", "document_linked")] == [thread]
    assert town.by_us("zendesk", "file_added") == []
    assert town.dead() == []


@pytest.mark.parametrize("content", [True, False])
def test_g6_a_visible_file_of_gemini_becomes_a_document_of_the_thread(town: Town, content: bool) -> None:
    """Given a resolver's file for partners, when synced, then the thread has it as a document, by either way to it."""
    town.people.switch("gemini", "gemini", {"attachment_content": content})
    thread, item = open_case(town)
    town.people.comment(item, "Here is the corrected invoice", group=PARTNERS, file=INVOICE)
    town.run()
    town.run()
    (stored,) = town.by_us("trading_grid", "file_stored")
    (linked,) = town.by_us("trading_grid", "document_linked")
    assert (stored["sha256"], stored["name"]) == (sha256(INVOICE), INVOICE.name)
    assert (linked["thread_id"], linked["visibility"]) == (thread, "partner")
    assert town.by_us("gemini", "file_added") == []
    assert comments(town, item) == []
    assert town.dead() == []


def test_g6_the_scan_of_our_own_document_is_no_news(town: Town) -> None:
    """Given a document that casebridge made, when its scan ends, then nothing comes back to the item."""
    town.people.switch("trading_grid", "trading_grid", {"scan_delay_seconds": 60})
    _, item = open_case(town)
    town.people.comment(item, "Here is the corrected invoice", group=PARTNERS, file=INVOICE)
    town.run()
    town.later(120)
    town.run()
    assert len(town.effects("trading_grid", "document_scanned")) == 1
    assert town.by_us("gemini", "file_added") == []
    assert comments(town, item) == []
    assert town.dead() == []


def test_one_content_is_kept_however_many_events_tell_of_it(town: Town) -> None:
    """Given a file that is created, scanned and linked, when carried, then one content is kept and nothing is said."""
    thread, item = open_case(town)
    town.people.bring("acme", thread, INVOICE)
    town.run()
    kept = [path.name for path in (town.world.environment.home / "documents").rglob("*") if path.is_file()]
    assert kept == [sha256(INVOICE)]
    assert comments(town, item) == []


def test_g6_an_internal_file_of_gemini_stays_there(town: Town) -> None:
    """Given a resolver's file on an internal comment, when read, then no byte of it goes anywhere."""
    _, item = open_case(town)
    town.people.comment(item, "Between us", group=INTERNAL, file=INVOICE)
    town.run()
    assert town.by_us("trading_grid", "file_stored") == []
    assert not (town.world.environment.home / "documents").exists()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from /proc, which Linux has")
def test_a_large_file_never_lies_in_memory_whole(town: Town) -> None:
    """Given 64 MiB from Trading Grid to Zendesk, when carried, then the peak of the worker's memory grows far less."""
    town.people.switch("zendesk", "zendesk", {"attachment_size": 100 * MIB})
    ticket, thread = with_ticket(town)
    town.people.bring("acme", thread, INVOICE)
    large = Upload("scans.zip", b"PK\x03\x04" + b"s" * (64 * MIB), "application/zip")
    with carrier(town) as work:
        before = work()  # a small file first: what is imported and pooled is no part of the measure
        town.people.bring("acme", thread, large)
        grown = work() - before
    (first, second) = town.by_us("zendesk", "file_added")
    assert (first["sha256"], second["sha256"]) == (sha256(INVOICE), sha256(large))
    assert second["ticket_id"] == int(ticket)
    assert town.dead() == []
    assert grown < 60 * MIB, f"{grown / MIB:.0f} MiB"


@contextlib.contextmanager
def carrier(town: Town) -> Iterator[Callable[[], int]]:
    """A process that works whenever it is called, and tells its peak in bytes then."""
    argv = [sys.executable, "-m", "tests.flows.carrier"]
    env = {**os.environ, **town.world.environment.given}
    process = subprocess.Popen(argv, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    commands, answers = process.stdin, process.stdout
    assert commands is not None
    assert answers is not None

    def work() -> int:
        commands.write("go\n")
        commands.flush()
        return int(answers.readline())

    try:
        yield work
    finally:
        commands.close()
        process.wait(30)
        answers.close()

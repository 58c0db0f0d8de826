"""Deliveries to the sandbox site: what stands there afterwards, and what is found again after a lost answer."""

from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.connectors.gemini import CONNECTOR
from pipeline.domain.reason import Reason
from pipeline.errors import AuthError, PermanentError, VisibilityError
from pipeline.plan import Verdict
from schemas.content import Author, File, FileState, Format, Side, Text, Visibility
from schemas.operation import Attach, Bind, Comment, Fields, Redact, State, Title
from tests.connectors.gemini.desk import ORIGIN, Desk, config_of, creation, opened


def said(body: str, visibility: Visibility = Visibility.PARTNER, **changes: Any) -> Comment:
    """A partner's post."""
    author = Author(Side.PARTNER, "usr_1", "Jo Field")
    return Comment(
        link_id=1, text=Text(body, Format.PLAIN, visibility), author=author, origin="trading_grid", **changes
    )


def test_a_new_item_has_the_whole_context_and_two_marks(desk: Desk) -> None:
    """Given a partner's thread, when it is created, then the item tells who, what and where, and carries our marks."""
    done = desk.deliver(creation())
    assert done.outcome.verdict is Verdict.DONE
    assert done.receipt is not None
    assert done.receipt.bound is not None
    item = desk.api("GET", f"/items/{done.receipt.bound.external_id}")
    stored = item["BaseEntity"]
    assert (stored["OriginatorType"], stored["OriginatorData"], stored["Tag1"]) == (5, ORIGIN, "ref ABCD2345")
    assert (item["Type"], item["Priority"], stored["Title"]) == ("Investigation", "High", "Short shipment")
    for words in ("Acme Logistics", "PO-77, line 2", "gold", "12.50", "grid.example", "Two cartons"):
        assert words in stored["Description"]
    assert "script" not in stored["Description"]
    assert done.receipt.facts == {"key": item["IssueKey"], "title": "Short shipment", "state_after": "Unassigned"}
    assert done.receipt.url == f"{desk.url}/workspace/12/item/{stored['Id']}"


@pytest.mark.parametrize("lookup", [True, False], ids=["by originator", "by date and tag"])
def test_a_create_whose_answer_was_lost_is_found_again(desk: Desk, lookup: bool) -> None:
    """Given a create whose answer is lost, when it is looked up, then the item is found on either way (G1.7)."""
    desk.switch(originator_lookup=lookup)
    desk.fault(route="POST /gemini/api/items", fault="lost_answer", times=1)
    assert desk.find(creation(), since=datetime(2026, 1, 1, tzinfo=UTC)) is None
    lost = desk.deliver(creation())
    assert lost.outcome.verdict is Verdict.UNKNOWN
    found = desk.find(creation(), since=datetime(2026, 1, 1, tzinfo=UTC))
    assert found is not None
    assert found.bound is not None
    assert len(desk.api("POST", "/items/filtered", {"Projects": "12", "IncludeClosed": True})) == 1


def test_a_task_of_the_same_thread_is_not_taken_for_its_case(desk: Desk) -> None:
    """Given a case of a thread, when a task of that thread is looked up, then the case does not pass for it."""
    opened(desk)
    task = creation(type="task")
    assert desk.find(task, mark="ZZZZ2345") is None
    assert desk.find(creation(), mark="ZZZZ2345") is not None


@pytest.mark.parametrize("refusal", ["403", "null", "anonymous"])
def test_a_refused_login_never_passes_for_success(desk: Desk, refusal: str) -> None:
    """Given a revoked key, when an item is created, then this is a refused log-in, however it is disguised (G1.9)."""
    desk.switch(login_refusal=refusal, revoked=["casebridge"])
    done = desk.deliver(creation())
    assert (done.outcome.verdict, done.outcome.reason) == (Verdict.AUTH, Reason.TARGET_REFUSES_LOGIN)
    with pytest.raises(AuthError):
        desk.source.poll({"watermark": "2026-01-01T00:00:00+00:00"}, desk.http)


def test_a_comment_names_its_partner_and_its_group_and_is_found_by_its_mark(desk: Desk) -> None:
    """Given a partner's post, when it is commented, then its group is the partner's and a repeat finds it."""
    item = opened(desk)
    done = desk.deliver(said("I wait <b>here</b>", at=datetime(2026, 3, 4, 9, 14, tzinfo=UTC)), item, late=True)
    assert done.receipt is not None
    stored = desk.api("GET", f"/items/{item}/comments")[0]["BaseEntity"]
    assert stored["Visibility"] == 5
    assert stored["Comment"].startswith("<p><strong>Acme Logistics (partner), Jo Field wrote:</strong></p>")
    assert "I wait &lt;b&gt;here" in stored["Comment"]
    assert stored["Comment"].endswith("<p>(written 09:14 UTC, sent late)</p><p>ref ABCD2345</p>")
    assert done.receipt.parts == (("comment", str(stored["Id"])),)
    assert desk.find(said("x"), item) == done.receipt
    assert desk.find(said("x"), item, mark="ZZZZ2345") is None


def test_a_comment_whose_answer_was_lost_stands_once(desk: Desk) -> None:
    """Given a comment whose answer is lost, when it is looked up, then it is found and need not be said again."""
    item = opened(desk)
    assert desk.find(said("words"), item) is None
    desk.fault(route="POST /gemini/api/items/*/comments", fault="lost_answer", times=1)
    assert desk.deliver(said("words"), item).outcome.verdict is Verdict.UNKNOWN
    found = desk.find(said("words"), item)
    assert found is not None
    assert found.parts == (("comment", str(desk.api("GET", f"/items/{item}/comments")[0]["BaseEntity"]["Id"])),)


def test_a_forged_mark_does_not_swallow_a_comment(desk: Desk) -> None:
    """Given a post that spells another delivery's mark, when that delivery is looked up, then it is not found."""
    item = opened(desk)
    desk.deliver(said("ref ZZZZ2345"), item)
    desk.person(f"{item}/comment", comment="mine too\nref ZZZZ2345", group="5")
    assert desk.find(said("x"), item, mark="ZZZZ2345") is None


def test_an_internal_note_names_a_colleague_and_a_visible_one_does_not(desk: Desk) -> None:
    """Given an agent's words, when they go to the partner group, then the agent's name stays out (G6.5)."""
    item = opened(desk)
    agent = Author(Side.HUB, "9101", "Ann Agent")
    for visibility in (Visibility.INTERNAL, Visibility.PARTNER):
        text = Text("Checked.", Format.PLAIN, visibility)
        desk.deliver(Comment(link_id=1, text=text, author=agent, origin="zendesk:ticket:35:1"), item)
    internal, visible = (row["BaseEntity"] for row in desk.api("GET", f"/items/{item}/comments"))
    assert (internal["Visibility"], visible["Visibility"]) == (4, 5)
    assert "Ann Agent (Zendesk) wrote:" in internal["Comment"]
    assert "Ann" not in visible["Comment"]


def test_a_comment_stored_for_another_group_stops_everything(desk: Desk) -> None:
    """Given a site that stores another group, when the answer is read back, then it is a dead letter (G6.2)."""
    item = opened(desk)
    desk.switch(store_comments_for_group=1)
    done = desk.deliver(said("words"), item)
    assert (done.outcome.verdict, done.outcome.reason) == (Verdict.DEAD, Reason.VISIBILITY_MISMATCH)


def test_a_state_walks_the_workflow_and_leaves_the_rest_of_the_item_alone(desk: Desk) -> None:
    """Given a state three hops away, when it is wanted, then each hop is a full PUT and no other member changes."""
    item = opened(desk)
    before = desk.api("GET", f"/items/{item}")["BaseEntity"]
    done = desk.deliver(State(link_id=1, state="resolved"), item)
    assert [request.step for request in done.plan.requests] == ["via1", "via2", "hop"]
    assert done.receipt is not None
    assert done.receipt.facts == {"state_after": "Resolved"}
    after = desk.api("GET", f"/items/{item}")["BaseEntity"]
    moved = {"StatusId", "Revised", "Timestamp", "ResolvedDate", "ResolutionId"}
    assert {name: value for name, value in after.items() if name not in moved} == {
        name: value for name, value in before.items() if name not in moved
    }
    assert not desk.deliver(State(link_id=1, state="resolved"), item).plan


def test_a_closed_item_that_cannot_be_reopened_gets_a_successor(desk: Desk) -> None:
    """Given a workflow with no way out of Closed, when a partner reopens, then a linked new item goes on (G2.7)."""
    item = opened(desk)
    desk.deliver(State(link_id=1, state="closed"), item)
    with pytest.raises(PermanentError) as refusal:
        desk.deliver(State(link_id=1, state="in_progress"), item)
    assert refusal.value.reason is Reason.TRANSITION_REFUSED
    reopen = {"title": "Short shipment", "body": "The partner has reopened the thread.", "origin": ORIGIN}
    again = State(link_id=1, state="in_progress", details={"reopen": reopen})
    assert desk.find(again, item, mark="ZZZZ2345") is None
    done = desk.deliver(again, item, mark="ZZZZ2345")
    assert done.receipt is not None
    assert done.receipt.bound is not None
    assert done.receipt.bound.external_id != item
    assert done.receipt.closed_link_ids == (1,)
    assert len(desk.api("GET", f"/items/{done.receipt.bound.external_id}/links")) == 1
    found = desk.find(again, item, mark="ZZZZ2345")
    assert found is not None
    assert found.bound == done.receipt.bound


def test_a_title_follows_only_while_nobody_here_changed_it(desk: Desk) -> None:
    """Given a title changed in Gemini, when the partner's arrives, then Gemini's stays (G1.6)."""
    item = opened(desk)
    title = Title(link_id=1, title=Text("Late shipment", visibility=Visibility.PARTNER), previous="Short shipment")
    done = desk.deliver(title, item)
    assert done.receipt is not None
    assert done.receipt.facts == {"title": "Late shipment"}
    assert not desk.deliver(title, item).plan
    desk.person(f"{item}/title", title="Anna's own")
    said = desk.deliver(title, item)
    assert [request.step for request in said.plan.requests] == ["comment"], "the partner's wording is kept"


def test_a_closed_item_is_commented_instead_of_retitled(desk: Desk) -> None:
    """Given an app that reopens closed items on any update, when a title arrives, then it comes as a comment."""
    item = opened(desk)
    desk.deliver(State(link_id=1, state="closed"), item)
    desk.switch(auto_open_closed_item=True)
    title = Title(link_id=1, title=Text("Late shipment", visibility=Visibility.PARTNER), previous="Short shipment")
    done = desk.deliver(title, item)
    assert [request.step for request in done.plan.requests] == ["comment"]
    assert desk.api("GET", f"/items/{item}")["Status"] == "Closed"


def test_custom_values_are_written_once_and_compared_first(desk: Desk) -> None:
    """Given a half-done create, when its values are written, then once new, once by row, and not when equal (G1.8)."""
    item = opened(desk)
    wanted = Fields(link_id=1, values={"PublicResolution": "Credited & closed", "EvidenceRequested": "pod"})
    first = desk.deliver(wanted, item)
    assert [request.method for request in first.plan.requests] == ["POST", "POST"]
    assert not desk.deliver(wanted, item).plan
    second = desk.deliver(Fields(link_id=1, values={"EvidenceRequested": None}), item)
    assert [request.method for request in second.plan.requests] == ["PUT"]
    assert second.outcome.verdict is Verdict.DONE


def test_priority_and_deadline_are_members_of_the_item(desk: Desk) -> None:
    """Given an escalation, when priority and deadline are set, then one PUT does both and a repeat does nothing."""
    item = opened(desk)
    wanted = Fields(link_id=1, values={"priority": "low", "due_at": "2026-03-04T10:00:00+01:00"})
    assert [request.step for request in desk.deliver(wanted, item).plan.requests] == ["members"]
    stored = desk.api("GET", f"/items/{item}")
    assert (stored["Priority"], stored["BaseEntity"]["DueDate"][:19]) == ("Low", "2026-03-04T09:00:00")
    assert not desk.deliver(wanted, item).plan


def test_a_binding_is_shown_once_beside_earlier_ones(desk: Desk) -> None:
    """Given a counterpart, when it is bound twice, then its reference stands once in the configured field."""
    item = opened(desk)
    assert desk.deliver(Bind(link_id=1, counterpart_link_id=2), item).plan
    assert not desk.deliver(Bind(link_id=1, counterpart_link_id=2), item).plan
    values = {row["Name"]: row["FormattedData"] for row in desk.api("GET", f"/items/{item}")["CustomFields"]}
    assert values["ExternalReference"] == "trading_grid:thread:thr_1"


def test_a_withdrawn_text_is_replaced_and_its_group_kept(desk: Desk) -> None:
    """Given a copied post, when it is redacted at its source, then the words are gone and the group is the same."""
    item = opened(desk)
    done = desk.deliver(said("secret words"), item)
    assert done.receipt is not None
    parts = {"trading_grid:post:p1": done.receipt.parts}
    redacted = desk.deliver(Redact(link_id=1, origin="trading_grid:post:p1"), item, parts=parts)
    assert redacted.outcome.verdict is Verdict.DONE
    stored = desk.api("GET", f"/items/{item}/comments")[0]["BaseEntity"]
    assert ("secret" in stored["Comment"], stored["Visibility"]) == (False, 5)
    assert not desk.deliver(Redact(link_id=1, origin="trading_grid:post:p1"), item, parts=parts).plan
    with pytest.raises(PermanentError, match="look at the item"):
        desk.deliver(Redact(link_id=1, origin="trading_grid:post:p2"), item, parts=parts)


def document(**changes: Any) -> File:
    """A partner's file of five bytes."""
    members: dict[str, Any] = {"size": 5, "visibility": Visibility.PARTNER, "sha256": "ab" * 32}
    return File("doc_1", "proof.pdf", "application/pdf", **{**members, **changes})


def test_a_file_is_uploaded_as_base64_and_found_by_name_and_size(desk: Desk) -> None:
    """Given stored bytes, when they are attached, then they arrive whole, and a repeat finds them."""
    item = opened(desk)
    desk.documents.content = b"bytes"
    attach = Attach(link_id=1, file=document(version=2), stored="ab" * 32)
    assert desk.find(attach, item) is None
    done = desk.deliver(attach, item)
    assert done.receipt is not None
    number = done.receipt.parts[0][1]
    stored = desk.api("GET", f"/items/{item}/attachments/{number}")["BaseEntity"]
    assert (stored["Name"], stored["Content"]) == ("proof (v2).pdf", "Ynl0ZXM=")
    assert desk.find(attach, item) == done.receipt


def test_a_file_above_the_limit_comes_as_a_link(desk: Desk) -> None:
    """Given a file above the ceiling, when it is attached, then a comment names it, its size and hash (G1.10)."""
    item = opened(desk)
    large = document(size=40_000_000, url="https://grid.example/doc_1")
    done = desk.deliver(Attach(link_id=1, file=large, stored="ab" * 32), item)
    assert done.receipt is not None
    stored = desk.api("GET", f"/items/{item}/comments")[0]["BaseEntity"]
    assert "40000000 bytes" in stored["Comment"]
    assert "https://grid.example/doc_1" in stored["Comment"]
    with pytest.raises(PermanentError) as refusal:
        desk.deliver(Attach(link_id=1, file=document(state=FileState.QUARANTINED), stored="ab" * 32), item)
    assert refusal.value.reason is Reason.FILE_QUARANTINED


def test_an_upload_that_the_web_server_refuses_is_too_large(desk: Desk) -> None:
    """Given a smaller ceiling than configured, when IIS refuses in HTML, then the file counts as too large."""
    item = opened(desk)
    desk.switch(max_request_bytes=2_000)
    desk.documents.content = b"x" * 4_000
    done = desk.deliver(Attach(link_id=1, file=document(size=4_000), stored="ab" * 32), item)
    assert (done.outcome.verdict, done.outcome.reason) == (Verdict.DEAD, Reason.FILE_TOO_LARGE)


def test_words_for_the_partner_pass_the_gate(desk: Desk) -> None:
    """Given a file that is internal, when a partner text would link to it, then nothing is planned."""
    internal = document(visibility=Visibility.INTERNAL, size=40_000_000)
    text = Text("see", visibility=Visibility.PARTNER)
    item = opened(desk)
    with pytest.raises(VisibilityError):
        desk.deliver(Attach(link_id=1, file=internal, stored=None, text=text), item)


def test_the_check_names_everything_that_is_missing(desk: Desk) -> None:
    """Given a configuration that names what the site lacks, when it is checked, then each is named; else nothing."""
    assert list(CONNECTOR.check(desk.config, desk.http)) == []
    wrong = config_of(
        types={"case": "Support Request"}, groups={"internal": 4, "partner": 6}, escalation_priority="Top",
        fields={"PublicResolution": 99}, statuses={"Assigned": "assigned", "Parked": "awaiting_approval"},
        roles={"waive": ["zoe"]}, priorities={},
    )  # fmt: skip
    sentences = "\n".join(CONNECTOR.check(wrong, desk.http))
    for words in ("'Support Request' is not a type", "'Parked' is not a status", "'Top' is not a priority",
                  "groups.partner: 6", "PublicResolution: 99", "no line EvidenceDue", "'zoe' is not a user",
                  "awaiting partner input is not a status of this template"):  # fmt: skip
        assert words in sentences

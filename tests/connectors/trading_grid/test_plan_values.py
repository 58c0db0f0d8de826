"""Absolute values as requests: states with their way, titles and fields, compared before they are written."""

from typing import Any

import pytest

from pipeline.domain.reason import Reason
from pipeline.errors import PermanentError
from pipeline.plan import Slot
from schemas.operation import Fields, State, Title
from tests.connectors.trading_grid.desk import config, partner_text, work
from tests.connectors.trading_grid.test_plan import RESOLVED, TARGET, only, plan, thread
from tests.contracts.validate import Contract


def test_hops_share_one_chain_of_revisions_and_speak_once() -> None:
    """Given a way over two states, when planned, then each hop names the last ETag and only the last speaks."""
    first, last = plan(RESOLVED, {"thread": thread(state="received", revision=3)}).requests
    assert (first.body["to_state"], last.body["to_state"]) == ("in_progress", "resolved")
    assert dict(first.headers)["If-Match"] == '"r3"'
    assert dict(last.headers)["If-Match"] == Slot("received_to_in_progress", "header:etag")
    assert "milestone" not in first.body
    assert last.body["resolution"] == {"outcome": "other", "summary": "Credit memo CM-118."}


@pytest.mark.parametrize(("awaited", "writes"), [("documents", 0), ("input", 1)])
def test_the_same_state_is_written_only_for_another_reason(awaited: str, writes: int) -> None:
    """Given a thread that waits for documents, when it is to wait, then only another reason is written (G2.3)."""
    facts = {"thread": thread(state="awaiting_partner", awaiting_reason="documents")}
    operation = State(link_id=1, state="awaiting_partner", awaiting_reason=awaited, public_note=partner_text("Please."))
    assert len(plan(operation, facts).requests) == writes


def test_nothing_is_resolved_without_words() -> None:
    """Given no resolution text, when 'resolved' is planned, then it is refused (G2.5)."""
    with pytest.raises(PermanentError, match="resolution text"):
        plan(State(link_id=1, state="resolved"))


def test_a_reopening_gives_its_reason() -> None:
    """Given a closed thread, when it goes on, then the first hop has the reason that the contract wants."""
    request = only(State(link_id=1, state="in_progress", reason="zendesk moved it"), {"thread": thread(state="closed")})
    assert request.body["reason"] == "zendesk moved it"


def test_no_way_names_the_allowed_states() -> None:
    """Given the server taught that nothing leads on, when planned again, then the dead letter names what is allowed."""
    facts = {"thread": thread(state="received"), "allowed_from:received": ["withdrawn"]}
    with pytest.raises(PermanentError, match="allowed: withdrawn") as caught:
        plan(RESOLVED, facts)
    assert caught.value.reason is Reason.TRANSITION_REFUSED


@pytest.mark.parametrize(("where", "note_in_thread"), [("workspace", False), ("both", True)])
def test_milestones_may_go_to_the_workspace(where: str, note_in_thread: bool) -> None:
    """Given `milestone_to`, when a milestone is planned, then the status thread is opened once and hears of it."""
    operation = State(link_id=1, state="in_progress", label="In progress", public_note=partner_text("We are on it."))
    asked: dict[str, Any] = {"config": config(milestone_to=where)}
    opened, post, hop = plan(operation, {"thread": thread(), "status_threads": {}}, **asked).requests
    assert opened.body["external_references"][0]["external_id"] == "prt_acme"
    assert "Short shipment on PO 4500123456: In progress" in post.body["body"]["text"]
    assert ("public_note" in hop.body) is note_in_thread
    known = {"id": "thr_s", "partner_id": "prt_acme", "external_references": opened.body["external_references"]}
    facts = {"thread": thread(), "status_threads": {"_embedded": {"collection": [known]}}}
    again = plan(operation, facts, **asked).requests
    assert [request.path for request in again] == ["/threads/thr_s/posts", "/threads/thr_905/transitions"]
    for request in (opened, post, hop, *TARGET.facts(work(operation, **asked)).requests):
        Contract.trading_grid().check(request, {"{{status_thread.id}}": "thr_s"})


@pytest.mark.parametrize(
    ("previous", "shown", "writes"),
    [(None, "Short", 1), ("Short", "Short", 1), ("Short", "Somebody's title", 0), (None, "Wanted", 0)],
)
def test_a_title_is_written_over_the_known_one_only(previous: str | None, shown: str, writes: int) -> None:
    """Given a title that somebody else set since, when ours is planned, then theirs stays."""
    operation = Title(link_id=1, title=partner_text("Wanted"), previous=previous)
    assert len(plan(operation, {"thread": thread(title=shown)}).requests) == writes


def test_only_fields_that_differ_are_written() -> None:
    """Given fields that stand already, when planned, then nothing is written; an unknown one is named."""
    same = {"priority": "high", "references": [{"kind": "purchase_order", "value": " 4500123456 "}]}
    assert not plan(Fields(link_id=1, values=same))
    with pytest.raises(PermanentError, match="colour"):
        plan(Fields(link_id=1, values={"colour": "red"}))

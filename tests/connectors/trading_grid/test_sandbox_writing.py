"""Stories against the running sandbox: what arrives there, and what a repeat does not do again."""

from typing import Any

import pytest

from pipeline.answers import judge_by_status
from pipeline.connectors.trading_grid import CONNECTOR
from pipeline.domain.reason import Reason
from pipeline.plan import Verdict
from pipeline.stages.dispatch import Delivered
from schemas.content import File, Reference, Visibility
from schemas.operation import AnyOperation, Attach, Bind, Create, Fields, Redact, State, Title
from tests.connectors.trading_grid.desk import HELLO_SHA256, Grid, on, partner_text, running_grid, say


def test_a_comment_stands_once_whatever_happens_to_its_answer(grid: Grid) -> None:
    """Given the answer of a post is cut off, when it is tried again, then it is found and never posted twice."""
    thread_id = grid.open_thread()
    grid.kit.faults.add(route="POST */posts", fault="lost_answer", times=1)
    first = grid.deliver(say("On its way."), **on(thread_id))
    assert first.outcome.verdict is Verdict.UNKNOWN
    second = grid.deliver(say("On its way."), look=True, **on(thread_id))
    assert (second.outcome.verdict, second.looked) == (Verdict.DONE, True)
    texts = [post["body"]["text"] for post in grid.posts(thread_id)]
    assert sum("On its way." in text for text in texts) == 1


def test_a_comment_repeated_under_a_new_key_still_stands_once(grid: Grid) -> None:
    """Given a repeat after its key was forgotten, when posted again, then its reference says that it is there."""
    thread_id = grid.open_thread()
    grid.deliver(say("Only once."), **on(thread_id))
    grid.kit.clock.set(None, 864_000, 1)  # ten days on
    again = grid.deliver(say("Only once."), **on(thread_id))
    assert again.outcome.verdict is Verdict.ALREADY
    assert len(grid.posts(thread_id)) == 2


def test_a_milestone_walks_its_way_and_speaks_once(grid: Grid) -> None:
    """Given a new thread, when it is resolved, then it goes hop by hop, and the partner reads one status post."""
    thread_id = grid.open_thread()
    operation = State(link_id=1, state="resolved", label="Resolved", public_note=partner_text("All settled."),
                      resolution=partner_text("Credit memo CM-118."))  # fmt: skip
    done = grid.deliver(operation, **on(thread_id))
    assert [exchange.step for exchange in done.exchanges] == ["thread", "new_to_in_progress", "in_progress_to_resolved"]
    seen = grid.as_acme("GET", f"/threads/{thread_id}")
    assert (seen["state"], seen["resolution"]["summary"]) == ("resolved", "Credit memo CM-118.")
    assert [post["body"]["text"] for post in grid.posts(thread_id, grid.acme)][1:] == ["All settled."]
    again = grid.deliver(operation, number=2, **on(thread_id))
    assert again.outcome.verdict is Verdict.ALREADY
    assert len(grid.posts(thread_id)) == 2


def test_a_stale_revision_is_read_again(grid: Grid) -> None:
    """Given somebody writes between our read and our transition, when 412 comes, then it is decided anew."""
    thread_id = grid.open_thread()
    grid.kit.faults.add(route="POST */transitions", fault="status", status=412, times=1)
    done = grid.deliver(State(link_id=1, state="assigned"), **on(thread_id))
    assert (done.outcome.verdict, done.rounds) == (Verdict.DONE, 2)


def test_a_way_that_the_server_refuses_names_the_allowed_ones(grid: Grid) -> None:
    """Given a state that cannot be reached, when pushed, then the dead letter names the allowed states (G2.4)."""
    thread_id = grid.open_thread()
    grid.deliver(State(link_id=1, state="assigned"), **on(thread_id))
    dead = grid.deliver(State(link_id=1, state="received"), number=2, **on(thread_id))
    assert dead.outcome.reason is Reason.TRANSITION_REFUSED
    assert "in_progress" in dead.outcome.detail


def test_a_closed_thread_takes_no_post_from_us(grid: Grid) -> None:
    """Given a closed thread, when we post, then the dead letter says that it is closed."""
    thread_id = grid.open_thread()
    grid.deliver(State(link_id=1, state="closed", resolution=partner_text("Settled.")), **on(thread_id))
    dead = grid.deliver(say("One more thing."), number=2, **on(thread_id))
    assert dead.outcome.reason is Reason.TARGET_CLOSED


def create(**members: Any) -> Create:
    given: dict[str, Any] = {
        "link_id": 3,
        "object_kind": "thread",
        "title": partner_text("Late ASN"),
        "body": partner_text("The ASN for PO 45 is missing."),
        "partner": "acme",
        "type": "exception",
        "exception_type": "missing_asn",
        "references": (Reference("purchase_order", "45", "10"),),
        "origin": "zendesk:ticket:35",
        **members,
    }
    return Create(**given)


def bound(delivered: Delivered) -> str:
    assert delivered.receipt is not None
    assert delivered.receipt.bound is not None, delivered.outcome
    return delivered.receipt.bound.external_id


def test_a_thread_is_opened_once(grid: Grid) -> None:
    """Given an escalated ticket, when opened, looked up and opened by another delivery, then it is one (Z1.8)."""
    first = grid.deliver(create(), number=1)
    looked = grid.deliver(create(), number=1, look=True)
    other = grid.deliver(create(), number=2)
    assert bound(first) == bound(looked) == bound(other)
    assert first.receipt is not None
    assert first.receipt.parts[0] == ("post", grid.posts(bound(first))[0]["id"])
    assert grid.as_acme("GET", f"/threads/{bound(first)}")["title"] == "Late ASN"


def test_a_thread_of_another_partner_is_never_joined(grid: Grid) -> None:
    """Given the ticket is bound to another partner's thread, when ours is opened, then under `<ticket>:<partner>`."""
    body = {"partner_id": "prt_globex", "type": "exception", "title": "Theirs", "visibility": "partner",
            "external_references": [{"system": "zendesk", "instance": "default", "object_type": "ticket",
                                     "external_id": "35"}]}  # fmt: skip
    theirs = grid.as_hub("POST", "/threads", body)["id"]
    made = grid.deliver(create(), look=True)
    assert bound(made) != theirs
    thread = grid.as_hub("GET", f"/threads/{bound(made)}")
    assert thread["partner_id"] == "prt_acme"
    assert [one["external_id"] for one in thread["external_references"]] == ["35:acme"]


def test_an_audience_gets_no_thread(grid: Grid) -> None:
    """Given a group of many partners as addressee, when opened, then the dead letter says `fan_out` (Z1.11)."""
    dead = grid.deliver(create(details={"participant_group_ids": ["grp_all_partners"]}))
    assert dead.outcome.reason is Reason.FAN_OUT


def test_a_binding_is_idempotent_and_loses_gracefully(grid: Grid) -> None:
    """Given a binding, when written twice it is the same; when another thread holds it, it counts as done (G1.3)."""
    first, second = grid.open_thread("First"), grid.open_thread("Second")
    bind = Bind(link_id=1, counterpart_link_id=2)
    assert grid.deliver(bind, **on(first)).outcome.verdict is Verdict.DONE
    assert grid.deliver(bind, **on(first)).outcome.verdict is Verdict.DONE
    assert grid.deliver(bind, number=2, **on(second)).outcome.verdict is Verdict.ALREADY
    assert "external_references" not in grid.as_acme("GET", f"/threads/{first}")


def test_a_redaction_takes_the_words_away(grid: Grid) -> None:
    """Given a post of ours, when redacted, then the partner reads a tombstone; a second time nothing is sent."""
    thread_id = grid.open_thread()
    sent = grid.deliver(say("Bank data."), **on(thread_id))
    assert sent.receipt is not None
    redact, known = Redact(link_id=1, origin="gemini:item:389#12"), {"gemini:item:389#12": sent.receipt.parts}
    assert grid.deliver(redact, number=2, parts=known, **on(thread_id)).outcome.verdict is Verdict.DONE
    assert grid.posts(thread_id, grid.acme)[1]["body"] is None
    assert grid.deliver(redact, number=2, parts=known, **on(thread_id)).outcome.verdict is Verdict.ALREADY


def test_title_and_fields_follow_the_case(grid: Grid) -> None:
    """Given a title and fields, when delivered, then they stand there; a repeat writes nothing."""
    thread_id = grid.open_thread("Old")
    operations: list[AnyOperation] = [
        Title(link_id=1, title=partner_text("New"), previous="Old"),
        Fields(link_id=1, values={"priority": "urgent", "participants": ["grp_acme_log"],
                                  "references": [{"kind": "invoice", "value": "INV-1"}]}),
    ]  # fmt: skip
    for number, operation in enumerate(operations):
        assert grid.deliver(operation, number=number, **on(thread_id)).outcome.verdict is Verdict.DONE
        assert grid.deliver(operation, number=number, **on(thread_id)).outcome.verdict is Verdict.ALREADY
    thread = grid.as_hub("GET", f"/threads/{thread_id}")
    assert (thread["title"], thread["priority"]) == ("New", "urgent")


def test_a_file_arrives_once_and_for_the_partner(grid: Grid) -> None:
    """Given a stored file, when delivered and repeated, then the partner reads one document with these very bytes."""
    thread_id = grid.open_thread()
    file = File("att_7", "POD é.txt", "text/plain", 5, Visibility.PARTNER, document_class="proof_of_delivery")
    attach = Attach(link_id=1, file=file, stored=HELLO_SHA256, text=partner_text("The receipt."))
    first = grid.deliver(attach, **on(thread_id))
    assert first.outcome.verdict is Verdict.DONE, first.outcome
    again = grid.deliver(attach, number=2, **on(thread_id))
    assert again.outcome.verdict in {Verdict.DONE, Verdict.ALREADY}, again.outcome
    assert first.receipt is not None
    assert again.receipt is not None
    (document_id,) = {part for kind, part in (*first.receipt.parts, *again.receipt.parts) if kind == "attachment"}
    seen = grid.as_acme("GET", f"/documents/{document_id}")
    assert (seen["sha256"], seen["thread_ids"]) == (HELLO_SHA256, [thread_id])


def test_the_start_up_check_and_the_webhook(grid: Grid) -> None:
    """Given the sandbox, when checked and connected, then nothing is missing and the subscription has its secret."""
    assert list(CONNECTOR.check(grid.config, grid.hub)) == []
    sent = grid.hub.run(CONNECTOR.connect("http://127.0.0.1:9", grid.config), judge=judge_by_status)
    assert sent.outcome.verdict is Verdict.DONE, sent.outcome
    assert sent.answers["subscription"].json["secret"].startswith("whsec_")


@pytest.mark.parametrize("where", ["workspace", "both"])
def test_milestones_in_the_workspace(where: str) -> None:
    """Given `milestone_to`, when two cases move on, then one status thread of the partner holds both lines."""
    with running_grid(milestone_to=where) as grid:
        for number, title in enumerate(("First", "Second")):
            thread_id = grid.open_thread(title)
            operation = State(link_id=1, state="in_progress", label="In progress", public_note=partner_text("We work."))
            done = grid.deliver(operation, number=number, **on(thread_id))
            assert done.outcome.verdict is Verdict.DONE, done.outcome
            assert len(grid.posts(thread_id)) == (2 if where == "both" else 1)
        threads = grid.as_acme("GET", "/threads")["_embedded"]["collection"]
        (status,) = [thread for thread in threads if thread["title"] == "Status of your cases"]
        lines = [post["body"]["text"] for post in grid.posts(status["id"], grid.acme)]
        assert [line.split(":")[0].removeprefix("<p>") for line in lines] == ["First", "Second"]

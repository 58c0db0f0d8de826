"""Stories against the running sandbox: what arrives there, and what a repeat does not do again."""

from typing import Any

import pytest

from pipeline.answers import judge_by_status
from pipeline.connector import Link, Pending, Reading
from pipeline.connectors.trading_grid import CONNECTOR
from pipeline.domain.reason import Reason
from pipeline.plan import Verdict
from pipeline.stages.dispatch import Delivered
from schemas.change import Change, ChangeKind
from schemas.content import File, FileState, Reference, Side, Visibility
from schemas.operation import AnyOperation, Attach, Bind, Comment, Create, Fields, Redact, State, Title
from tests.connectors.trading_grid.desk import COLLEAGUE, HELLO_SHA256, ITEM, Grid, partner_text, running_grid


def drain(grid: Grid, cursor: Any) -> tuple[list[Any], Any]:
    """All signals after the cursor, and the new one."""
    page = grid.source.poll(cursor, grid.hub)
    return list(page.signals), page.cursor


def read_all(grid: Grid, signals: list[Any], known: dict[str, Any] | None = None) -> list[Change]:
    """The changes of all objects that the signals name."""
    objects = dict.fromkeys(signal.object for signal in signals)
    changes: list[Change] = []
    for name in objects:
        own = tuple(signal for signal in signals if signal.object == name)
        reading: Reading = grid.source.read(Pending(name, own, known or {}), grid.hub)
        changes += reading.changes
    return changes


def on(thread_id: str) -> dict[str, Any]:
    """The links of a delivery whose link 1 is this thread."""
    return {"links": (Link(1, "trading_grid", "thread", thread_id), ITEM)}


def say(text: str, origin: str = "gemini:item:389#12") -> Comment:
    return Comment(link_id=1, text=partner_text(text), author=COLLEAGUE, origin=origin)


def test_a_partners_thread_is_read_with_everything(grid: Grid) -> None:
    """Given a partner opens a thread and posts, when polled and read, then opening and posts come in order."""
    cursor = grid.source.start(grid.hub)
    thread_id = grid.open_thread()
    grid.say(thread_id, "We re-shipped the missing cartons.")
    signals, _ = drain(grid, cursor)
    changes = read_all(grid, signals)
    assert [change.kind for change in changes] == [ChangeKind.OPENED, ChangeKind.SAID, ChangeKind.SAID]
    assert changes[0].snapshot.ref.external_id == thread_id
    assert not any(change.author.ours for change in changes)
    assert drain(grid, drain(grid, cursor)[1])[0] == []


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


def test_our_own_post_comes_back_as_ours(grid: Grid) -> None:
    """Given we post, when its event is read, then author, mark and part say that it is our own write."""
    thread_id = grid.open_thread()
    cursor = grid.source.start(grid.hub)
    sent = grid.deliver(say("Ours."), **on(thread_id))
    assert sent.receipt is not None
    (change,) = read_all(grid, drain(grid, cursor)[0])
    assert change.author.ours
    assert ("post", change.part_id) in sent.receipt.parts
    assert len(change.marks) == 1


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
    """Given the ticket is bound to another partner's thread, when ours is opened, then it is a dead letter."""
    body = {"partner_id": "prt_globex", "type": "exception", "title": "Theirs", "visibility": "partner",
            "external_references": [{"system": "zendesk", "instance": "default", "object_type": "ticket",
                                     "external_id": "35"}]}  # fmt: skip
    grid.as_hub("POST", "/threads", body)
    dead = grid.deliver(create(), look=True)
    assert dead.outcome.reason is Reason.CROSS_PARTNER


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


def test_a_partners_file_tells_its_scan(grid: Grid) -> None:
    """Given a partner's file that is scanned for a minute, when read before and after, then its state says so."""
    grid.switch(scan_delay_seconds=60.0)
    thread_id = grid.open_thread()
    cursor = grid.source.start(grid.hub)
    blob = grid.as_acme("POST", "/files/fromStream", b"hello")["id"]
    rendition = {"rendition_type": "primary", "source": "FILE_ID", "blob_id": blob, "name": "pod.txt"}
    document = grid.as_acme("POST", "/documents", {
        "name": "POD", "partner_id": "prt_acme", "document_class": "proof_of_delivery",
        "classification": "partner_confidential", "renditions": [rendition]})["id"]  # fmt: skip
    post = {"kind": "message", "visibility": "partner", "body": {"format": "plain", "text": "Signed."},
            "attachments": [{"document_id": document}]}  # fmt: skip
    grid.as_acme("POST", f"/threads/{thread_id}/posts", post)
    signals, cursor = drain(grid, cursor)
    before = [change for change in read_all(grid, signals) if change.text is not None]
    assert [file.state for change in before for file in change.files] == [FileState.PENDING_SCAN]
    grid.as_acme("PUT", f"/threads/{thread_id}/documents/{document}", {"visibility": "partner"})
    grid.kit.clock.set(None, 120, 1)
    after = read_all(grid, drain(grid, cursor)[0])
    scanned = [change for change in after if change.details.get("scan_completed")]
    assert [(str(change.ref), change.files[0].state, change.files[0].sha256) for change in scanned] == [
        (f"trading_grid:thread:{thread_id}", FileState.READY, HELLO_SHA256)]  # fmt: skip


def test_a_partner_reopens_and_withdraws(grid: Grid) -> None:
    """Given a resolved thread, when the partner disputes it, then the change says who reopened what."""
    thread_id = grid.open_thread()
    grid.deliver(State(link_id=1, state="resolved", resolution=partner_text("Settled.")), **on(thread_id))
    cursor = grid.source.start(grid.hub)
    revision = grid.as_acme("GET", f"/threads/{thread_id}")["revision"]
    move = {"to_state": "in_progress", "reason": "Still missing."}
    grid.as_acme("POST", f"/threads/{thread_id}/transitions", move, **{"If-Match": f'"r{revision}"'})
    moved = [change for change in read_all(grid, drain(grid, cursor)[0]) if change.kind is ChangeKind.STATE]
    assert moved
    assert any(change.details["reopened"] for change in moved)
    assert {(change.author.side, change.details["before"], change.details["after"]) for change in moved} == {
        (Side.PARTNER, "resolved", "in_progress")}  # fmt: skip


def test_an_expired_cursor_loses_nothing(grid: Grid) -> None:
    """Given the feed forgot our cursor, when swept, then what the partner did meanwhile is told once."""
    cursor = grid.source.start(grid.hub)
    thread_id = grid.open_thread()
    signals, cursor = drain(grid, cursor)
    reading = grid.source.read(Pending(f"thread:{thread_id}", tuple(signals), {}), grid.hub)
    post_id = grid.say(thread_id, "Said while nobody listened.")
    grid.switch(expire_cursors=True)
    swept: list[Any] = []
    for _ in range(4):
        page = grid.source.poll(cursor, grid.hub)
        swept, cursor = [*swept, *page.signals], page.cursor
        if not page.more:
            break
    told = grid.source.read(Pending(f"thread:{thread_id}", tuple(swept), reading.known), grid.hub)
    assert [(change.kind, change.part_id) for change in told.changes] == [(ChangeKind.SAID, post_id)]
    assert "sweep" not in cursor


def test_legacy_errors_and_surprises_break_nothing(grid: Grid) -> None:
    """Given old error bodies, unknown members and unknown events, when read and refused, then all is understood."""
    cursor = grid.source.start(grid.hub)
    grid.switch(surprises=True, legacy_errors="cms")
    thread_id = grid.open_thread()
    changes = read_all(grid, drain(grid, cursor)[0])
    assert ChangeKind.OPENED in {change.kind for change in changes}
    dead = grid.deliver(say("Nobody there."), **on("thr_gone"))
    assert dead.outcome.reason is Reason.TARGET_GONE
    assert grid.deliver(say("Hello."), number=2, **on(thread_id)).outcome.verdict is Verdict.DONE


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

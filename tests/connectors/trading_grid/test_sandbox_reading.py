"""Stories against the running sandbox: what partners do there, and what is read of it."""

from typing import Any

from pipeline.connector import Pending, Reading
from pipeline.domain.reason import Reason
from pipeline.plan import Verdict
from schemas.change import Change, ChangeKind
from schemas.content import FileState, Side
from schemas.operation import State
from tests.connectors.trading_grid.desk import HELLO_SHA256, Grid, on, partner_text, say


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

"""Readings of the sandbox site: what people did there comes out as changes, once each."""

from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.connector import Reading
from pipeline.errors import AuthError
from schemas.change import Change, ChangeKind
from schemas.content import Author, Format, Side, Text, Visibility
from schemas.operation import Comment, Fields
from tests.connectors.gemini.desk import Desk, opened


def of_kind(reading: Reading, kind: ChangeKind) -> list[Change]:
    """The changes of one kind."""
    return [change for change in reading.changes if change.kind is kind]


def say(desk: Desk, item: str, body: str = "Hello", visibility: Visibility = Visibility.PARTNER) -> str:
    """A comment of ours; its number."""
    text = Text(body, Format.PLAIN, visibility)
    done = desk.deliver(Comment(link_id=1, text=text, author=Author(Side.PARTNER)), item)
    assert done.receipt is not None
    return done.receipt.parts[0][1]


def test_our_own_item_reads_as_ours_with_its_mark(desk: Desk) -> None:
    """Given an item that we made, when it is read, then the change is ours and carries what a receipt carried."""
    item = opened(desk)
    (change,) = of_kind(desk.read(item), ChangeKind.OPENED)
    assert (change.external_id, change.part_id, change.marks) == (f"created:{item}", item, ("ABCD2345",))
    assert change.author.ours
    snapshot = change.snapshot
    assert (snapshot.state, snapshot.priority, snapshot.type) == ("Unassigned", "High", "Investigation")
    assert snapshot.url == f"{desk.url}/workspace/12/item/{item}"
    assert snapshot.extra["key"] == f"HELP-{item}"
    assert snapshot.extra["originator"] == "trading_grid:thread:thr_1"
    assert "ABCD2345" in snapshot.bound


@pytest.mark.parametrize(("group", "seen"), [("5", Visibility.PARTNER), ("4", Visibility.INTERNAL),
                                             ("1", Visibility.INTERNAL)])  # fmt: skip
def test_only_the_partner_group_is_for_the_partner(desk: Desk, group: str, seen: Visibility) -> None:
    """Given a comment in some group, when it is read, then only the configured one counts (G6.1)."""
    item = opened(desk)
    desk.person(f"{item}/comment", comment="Please send the proof.", group=group)
    (change,) = of_kind(desk.read(item), ChangeKind.SAID)
    assert change.text is not None
    assert change.text.visibility is seen
    assert (change.author.side, change.author.ours, change.author.external_id) == (Side.HUB, False, "21")


def test_a_reading_tells_each_thing_once(desk: Desk) -> None:
    """Given a reading, when the item is read again, then nothing is new; what happens next comes alone."""
    item = opened(desk)
    desk.person(f"{item}/comment", comment="One", group="5")
    first = desk.read(item)
    assert not desk.read(item, first.known).changes
    desk.person(f"{item}/status", status="Assigned", comment="", group="4")
    later = desk.read(item, first.known)
    (change,) = later.changes
    assert (change.kind, change.details["before"], change.details["after"]) == (
        ChangeKind.STATE, "Unassigned", "Assigned")  # fmt: skip
    assert change.details["roles"] == ["waive"]
    assert change.snapshot.state == "Assigned"


def test_an_assignment_never_names_the_person(desk: Desk) -> None:
    """Given a person assigned, when it is read, then the change says so and no name is in it (G2.11)."""
    item = opened(desk)
    known = desk.read(item).known
    desk.person(f"{item}/resource", resource="ben")
    assigned = [change for change in desk.read(item, known).changes if change.details.get("assigned")]
    assert [change.kind for change in assigned] == [ChangeKind.STATE]
    assert "ben" not in str(assigned[0].details).lower()


def test_a_custom_value_is_told_by_its_purpose(desk: Desk) -> None:
    """Given evidence asked for in a field, when it is read, then the history row tells purpose and value (D8)."""
    item = opened(desk)
    known = desk.read(item).known
    desk.person(f"{item}/custom", field="EvidenceRequested", value="proof_of_delivery")
    (change,) = of_kind(desk.read(item, known), ChangeKind.FIELDS)
    assert change.details["fields"] == {"EvidenceRequested": "proof_of_delivery"}
    assert change.external_id.startswith("history:")


def test_a_comment_that_turns_public_is_said_anew_and_one_that_turns_internal_narrows(desk: Desk) -> None:
    """Given a comment whose group changes, when it is read, then public is a new saying, internal a narrowing."""
    item = opened(desk)
    number = say(desk, item, "today's text", Visibility.INTERNAL)
    known = desk.read(item).known
    body: dict[str, Any] = {"Id": int(number), "IssueId": int(item), "UserId": 9, "Comment": "<p>new words</p>"}
    desk.api("PUT", f"/items/{item}/comments", {**body, "Visibility": 5})
    public = desk.read(item, known)
    (change,) = of_kind(public, ChangeKind.SAID)
    assert change.external_id.startswith(f"comment:{number}:partner:")
    assert change.text == Text("<p>new words</p>", Format.HTML, Visibility.PARTNER)
    assert desk.source.recheck(change, desk.http)
    desk.api("PUT", f"/items/{item}/comments", {**body, "Visibility": 4})
    assert not desk.source.recheck(change, desk.http)
    (narrowed,) = of_kind(desk.read(item, public.known), ChangeKind.NARROWED)
    assert narrowed.part_id == number


def test_an_edited_comment_and_a_deleted_one_are_told(desk: Desk) -> None:
    """Given a visible comment, when it is edited and then deleted, then both are told by its id (G6.7)."""
    item = opened(desk)
    number = say(desk, item)
    known = desk.read(item).known
    (said,) = of_kind(desk.read(item), ChangeKind.SAID)
    body = {"Id": int(number), "IssueId": int(item), "UserId": 9, "Comment": "<p>Other words</p>", "Visibility": 5}
    desk.api("PUT", f"/items/{item}/comments", body)
    edited = desk.read(item, known)
    assert [change.part_id for change in of_kind(edited, ChangeKind.EDITED)] == [number]
    assert not desk.source.recheck(said, desk.http)
    desk.api("DELETE", f"/items/{item}/comments/{number}")
    (gone,) = of_kind(desk.read(item, edited.known), ChangeKind.REDACTED)
    assert (gone.external_id, gone.part_id) == (f"comment:{number}:gone", number)


def test_a_file_is_as_visible_as_its_comment(desk: Desk) -> None:
    """Given a file on the item and one on an internal comment, when read, then both are internal (G6.6)."""
    item = opened(desk)
    content = {"ProjectId": 12, "IssueId": int(item), "ContentType": "text/plain", "Content": "aGk="}
    desk.api("POST", f"/items/{item}/attachments", {**content, "Name": "own.txt"})
    visible, internal = say(desk, item), say(desk, item, visibility=Visibility.INTERNAL)
    for number in (visible, internal):
        desk.api("POST", f"/items/{item}/attachments", {**content, "Name": f"{number}.txt", "CommentId": int(number)})
    reading = desk.read(item)
    (own,) = of_kind(reading, ChangeKind.FILE)
    assert (own.files[0].name, own.files[0].visibility) == ("own.txt", Visibility.INTERNAL)
    files = {change.part_id: change.files for change in of_kind(reading, ChangeKind.SAID)}
    assert [file.visibility for file in files[visible]] == [Visibility.PARTNER]
    assert [file.visibility for file in files[internal]] == [Visibility.INTERNAL]


def test_the_poll_finds_what_no_webhook_told_and_closed_items_too(desk: Desk) -> None:
    """Given changes without any webhook, when the poll runs, then each is signalled once; a closing too (G2.12)."""
    cursor = desk.source.start(desk.http)
    item = opened(desk)
    for status in ("Assigned", "In Progress", "Closed"):
        desk.person(f"{item}/status", status=status, comment="", group="4")
    page = desk.source.poll(cursor, desk.http)
    assert [signal.object for signal in page.signals] == [f"item:{item}"]
    again = desk.source.poll(page.cursor, desk.http)
    assert {signal.key for signal in again.signals} <= {signal.key for signal in page.signals}
    desk.person(f"{item}/comment", comment="within the same second", group="5")
    third = desk.source.poll(again.cursor, desk.http)
    assert {signal.key for signal in third.signals} - {signal.key for signal in page.signals}


def test_the_first_cursor_is_the_largest_revised_never_our_clock(desk: Desk) -> None:
    """Given items, when casebridge starts, then the watermark is the newest item's own time (D20)."""
    assert desk.source.start(desk.http) == {"watermark": None}
    item = opened(desk)
    revised = datetime.fromisoformat(desk.api("GET", f"/items/{item}")["Revised"]).astimezone(UTC)
    assert desk.source.start(desk.http) == {"watermark": revised.isoformat()}


@pytest.mark.parametrize("refusal", ["403", "null", "anonymous"])
def test_a_refused_login_reads_as_nothing_else(desk: Desk, refusal: str) -> None:
    """Given a revoked key, when anything is read, then it is a refused log-in and no comment seems deleted."""
    item = opened(desk)
    say(desk, item)
    known, cursor = desk.read(item).known, desk.source.start(desk.http)
    desk.switch(login_refusal=refusal, revoked=["casebridge"])
    for attempt in (
        lambda: desk.read(item, known),
        lambda: desk.source.poll(cursor, desk.http),
        lambda: desk.source.start(desk.http),
    ):
        with pytest.raises(AuthError):
            attempt()


def test_a_field_for_the_partner_is_checked_again_before_it_is_sent(desk: Desk) -> None:
    """Given a resolution text that was withdrawn, when its milestone is about to go, then it may not."""
    item = opened(desk)
    desk.deliver(Fields(link_id=1, values={"PublicResolution": "Credit memo issued"}), item)
    known = desk.read(item).known
    desk.person(f"{item}/status", status="Assigned", comment="", group="4")
    (change,) = of_kind(desk.read(item, known), ChangeKind.STATE)
    assert change.snapshot.extra["public_resolution"] == "Credit memo issued"
    assert desk.source.recheck(change, desk.http)
    desk.person(f"{item}/custom", field="PublicResolution", value="")
    assert not desk.source.recheck(change, desk.http)


def test_an_item_of_which_nothing_is_known_and_that_is_not_there_is_no_news(desk: Desk) -> None:
    """Given a webhook for an item that does not exist, when it is read, then nothing comes of it."""
    assert not desk.read("99999").changes

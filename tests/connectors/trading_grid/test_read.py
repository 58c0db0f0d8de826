"""One thread read: what becomes of its events, and what is never believed."""

from typing import Any

import pytest

from pipeline.connector import Pending, Reading, Signal
from pipeline.connectors.trading_grid import CONNECTOR
from pipeline.errors import InvalidPayloadError, TransientError
from schemas.change import Change, ChangeKind
from schemas.content import FileState, Format, Reference, Side, Visibility
from tests.connectors.trading_grid.desk import ENV, Scripted, answer, config, payload, pending

SOURCE = CONNECTOR.source(ENV, config())
EVENTS: list[dict[str, Any]] = payload("events_of_one_thread")["_embedded"]["collection"]
CREATED, FIRST_POST, SECOND_POST, RECEIVED, BREACHED = EVENTS
SHIPMENT = "X12|856|123456789|HUBRETAIL|000000905|905|0001|2026-11-02"


def world(**changed: Any) -> Scripted:
    """The recorded thread with its posts, document and partner; `thread={...}` and the like replace members."""
    thread = {**payload("thread_exception"), **changed.get("thread", {})}
    posts = payload("posts_of_thread")
    entries = [{**post, **changed.get(post["id"], {})} for post in posts["_embedded"]["collection"]]
    posts["_embedded"]["collection"] = entries
    document = {**payload("document_proof_of_delivery"), **changed.get("document", {})}
    return Scripted({
        "/threads/thr_905": thread,
        "/threads/thr_905/posts": posts,
        **{f"/posts/{post['id']}": post for post in entries},
        "/documents/doc_pod": document,
        "/partners/prt_acme": payload("partner_acme"),
    })  # fmt: skip


def read(*events: dict[str, Any], http: Scripted | None = None, known: dict[str, Any] | None = None) -> Reading:
    return SOURCE.read(pending(*events, known=known), http or world())


def only(*events: dict[str, Any], **options: Any) -> Change:
    (change,) = read(*events, **options).changes
    return change


def event(number: int, kind: str, resource: str, revision: int = 1, **members: Any) -> dict[str, Any]:
    made = {**BREACHED, "id": f"evt_n{number}", "sequence": 90_000 + number, "type": kind, "data": {}, **members}
    name, _, resource_id = resource.partition(":")
    return {**made, "resource": {"type": name, "id": resource_id, "revision": revision, "href": "/x"}}


def test_each_event_is_one_change_in_the_feeds_order() -> None:
    """Given five events that came in any order, when read, then five changes with their ids stand in the feed's."""
    changes = read(*reversed(EVENTS)).changes
    assert [change.external_id for change in changes] == ["evt_1", "evt_2", "evt_3", "evt_4", "evt_5"]
    kinds = [ChangeKind.OPENED, ChangeKind.SAID, ChangeKind.SAID, ChangeKind.STATE, ChangeKind.OTHER]
    assert [change.kind for change in changes] == kinds


def test_the_snapshot_carries_what_g1_needs() -> None:
    """Given a partner's thread, when read, then type, references, partner, bindings and amounts are in our words."""
    snapshot = only(CREATED).snapshot
    assert str(snapshot.ref) == "trading_grid:thread:thr_905"
    assert (snapshot.partner_hint, snapshot.type) == ("prt_acme", "exception")
    assert snapshot.exception_type == "short_shipment"
    assert snapshot.references == (
        Reference("purchase_order", "4500123456", "10"),
        Reference("shipment", "SHP-7781"),
        Reference("chargeback", "CB-2231"),
        Reference("interchange", SHIPMENT),
    )
    assert snapshot.bound == ("gemini:item:389", "zendesk:ticket:35")
    assert snapshot.extra["partner"]["contacts"][0]["name"] == "Dana Lee"
    assert snapshot.extra["dispute"]["claimed_amount"] == {"value": "450.00", "currency": "USD"}
    assert snapshot.url == "https://grid.example/active-community/v1/threads/thr_905"


def test_control_numbers_keep_their_leading_zeros() -> None:
    """Given an interchange number 000000905, when read, then it is still text with its zeros."""
    assert "|000000905|" in only(CREATED).snapshot.references[-1].value


def test_an_opening_carries_its_first_post() -> None:
    """Given thread.created, when read, then the first post's text and id come with it."""
    change = only(CREATED)
    assert change.snapshot.first_text is not None
    assert change.snapshot.first_text.body == "12 of 20 cartons received."
    assert change.details["first_post_id"] == "pst_1"


def test_a_post_brings_text_files_and_kind() -> None:
    """Given a partner's post with a file, when read, then text, typed update and the file's facts come with it."""
    change = only(SECOND_POST)
    assert change.text is not None
    assert (change.text.format, change.text.visibility) == (Format.MARKDOWN, Visibility.PARTNER)
    assert (change.part_id, change.details["sequence"], change.details["first"]) == ("pst_2", 2, False)
    assert change.details["update_type"] == "shipment_confirmation"
    (file,) = change.files
    assert (file.name, file.size, file.document_class) == ("pod-7781.pdf", 182_733, "proof_of_delivery")
    assert (file.state, file.visibility) == (FileState.READY, Visibility.PARTNER)


@pytest.mark.parametrize(
    "changed",
    [
        {"pst_2": {"visibility": "internal"}},
        {"pst_2": {"visibility": "everybody"}},
        {"pst_2": {"visibility": None}},
        {"thread": {"visibility": "internal"}},
    ],
    ids=str,
)
def test_what_is_not_marked_for_the_partner_is_internal(changed: dict[str, Any]) -> None:
    """Given a post or thread that is internal, unknown or unmarked, when read, then text and files are internal."""
    change = only(SECOND_POST, http=world(**changed))
    assert change.text is not None
    assert change.text.visibility is Visibility.INTERNAL
    assert change.files[0].visibility is Visibility.INTERNAL


@pytest.mark.parametrize("classification", ["hub_internal", "restricted", None])
def test_a_document_kept_from_partners_stays_internal(classification: str | None) -> None:
    """Given a document that partners never see, when it hangs on a visible post, then it is internal all the same."""
    change = only(SECOND_POST, http=world(document={"classification": classification}))
    assert change.files[0].visibility is Visibility.INTERNAL


def test_our_own_write_is_named_with_its_mark() -> None:
    """Given an event of our client with our mark, when read, then author and mark say so; others' are not ours."""
    ours, theirs = read(RECEIVED, CREATED).changes[1], only(CREATED)
    assert (ours.author.ours, ours.marks, ours.details["hop_count"]) == (True, ("ABCD2345",), 1)
    assert (theirs.author.ours, theirs.author.side, theirs.marks) == (False, Side.PARTNER, ())
    assert (ours.details["before"], ours.details["after"]) == ("new", "received")


@pytest.mark.parametrize("correlation", ["c-48112-1", "abcd2345", "ABCD23456", ""])
def test_foreign_correlation_ids_are_no_marks(correlation: str) -> None:
    """Given another integration's correlation id, when read, then it is not taken for our mark."""
    assert only({**RECEIVED, "origin": {"system": "zendesk", "correlation_id": correlation}}).marks == ()


@pytest.mark.parametrize(
    ("made", "kind", "details"),
    [
        (event(1, "thread.updated", "thread:thr_905", 4, changed_fields=["title"]), ChangeKind.TITLE, {}),
        (event(2, "thread.updated", "thread:thr_905", 4, changed_fields=["priority"]), ChangeKind.FIELDS, {}),
        (event(3, "thread.reopened", "thread:thr_905", 4), ChangeKind.STATE, {"reopened": True}),
        (event(4, "post.updated", "post:pst_2", 2), ChangeKind.EDITED, {"kind": "message"}),
        (event(5, "post.redacted", "post:pst_2", 2), ChangeKind.REDACTED, {}),
        (event(6, "document.linked", "document:doc_pod", 2), ChangeKind.FILE, {"scan_completed": False}),
        (event(7, "document.scan_completed", "document:doc_pod", 2), ChangeKind.FILE, {"scan_completed": True}),
        (event(8, "document.linked", "document:doc_gone"), ChangeKind.OTHER, {"missing": True}),
        (event(9, "post.created", "post:pst_gone"), ChangeKind.OTHER, {"missing": True}),
        (event(10, "evidence_request.created", "evidence_request:evr_1"), ChangeKind.OTHER, {}),
        (event(11, "something.of_tomorrow", "thread:thr_905"), ChangeKind.OTHER, {"event": "something.of_tomorrow"}),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) and "type" in value else "",
)
def test_kinds_of_events(made: dict[str, Any], kind: ChangeKind, details: dict[str, Any]) -> None:
    """Given an event of each kind, when read, then it is the change that its name says; unknown ones are kept."""
    change = only(made)
    assert change.kind is kind
    assert details.items() <= change.details.items()


@pytest.mark.parametrize("state", ["pending_scan", "quarantined"])
def test_a_file_says_how_its_scan_stands(state: str) -> None:
    """Given a document that is being scanned or is quarantined, when read, then its file says so."""
    change = only(event(1, "document.linked", "document:doc_pod"), http=world(document={"state": state}))
    assert change.files[0].state.value == state


def test_a_redacted_post_has_no_text_left() -> None:
    """Given a post that was redacted before we read it, when its creation is read, then no text comes along."""
    gone = {"body": None, "redacted": {"time": "2026-11-02T12:00:00Z", "reason": "bank data"}}
    change = only(SECOND_POST, http=world(pst_2=gone))
    assert (change.text, change.details["redacted"]) == (None, True)


def test_a_servers_own_line_interests_no_flow() -> None:
    """Given a post of kind system, when read, then it is of no interest to any flow."""
    assert only(SECOND_POST, http=world(pst_2={"kind": "system"})).kind is ChangeKind.OTHER


def test_a_gone_thread_is_told_once() -> None:
    """Given the thread answers 404, when five events are read, then one change says that it is gone."""
    change = only(*EVENTS, http=Scripted({}))
    assert (change.kind, change.external_id, change.snapshot.partner_hint) == (
        ChangeKind.DELETED, "deleted:thr_905", "prt_acme")  # fmt: skip


def test_nothing_is_read_that_no_event_needs() -> None:
    """Given only a state change, when read, then one GET is enough; a single post costs one more and its file."""
    http = world()
    read(RECEIVED, http=http)
    assert http.asked == ["/threads/thr_905"]
    http.asked.clear()
    read(SECOND_POST, http=http)
    assert http.asked == ["/threads/thr_905", "/posts/pst_2", "/documents/doc_pod"]


def test_posts_are_read_page_by_page() -> None:
    """Given posts on two pages, when a thread is opened, then both pages are read."""
    http, whole = world(), payload("posts_of_thread")["_embedded"]["collection"]
    first = {"_embedded": {"collection": whole[:1]}, "page": {"has_more": True, "next_cursor": "c2"}}
    path = "/threads/thr_905/posts?items-per-page=200"
    http.answers |= {path: first, f"{path}&cursor=c2": payload("posts_of_thread")}
    assert [change.part_id for change in read(CREATED, SECOND_POST, http=http).changes] == [None, "pst_2"]


def test_what_was_told_is_not_told_again() -> None:
    """Given a reading's own memory, when the same post comes by another signal, then there is nothing new."""
    known = dict(read(FIRST_POST, SECOND_POST).known)
    again = {**SECOND_POST, "id": "evt_again"}
    assert read(again, known=known).changes == ()
    edited = event(1, "post.updated", "post:pst_2", 2)
    assert [change.kind for change in read(edited, known=known).changes] == [ChangeKind.EDITED]


def test_a_redaction_is_told_twice_rather_than_never() -> None:
    """Given a redaction of a revision that was told already, when read, then it still comes through."""
    known = {"posts": {"pst_2": 9}}
    assert only(event(1, "post.redacted", "post:pst_2", 2), known=known).kind is ChangeKind.REDACTED


@pytest.mark.parametrize("raw", [b"", b"no json", b"[]", b'{"id":"evt_1"}', b'{"sweep":3}'])
def test_an_unreadable_line_names_its_fault(raw: bytes) -> None:
    """Given a signal that is no event, when read, then the error says what was found and expected."""
    with pytest.raises(InvalidPayloadError):
        SOURCE.read(Pending("thread:thr_905", (Signal("evt_x", "thread:thr_905", raw),), {}), world())


@pytest.mark.parametrize(
    ("member", "value"),
    [("sequence", "88"), ("sequence", True), ("time", "yesterday"), ("time", "2026-11-02T11:00"), ("resource", None)],
)
def test_a_malformed_member_is_named(member: str, value: Any) -> None:
    """Given an event with a member of another type, when read, then the error names the member or the value."""
    with pytest.raises(InvalidPayloadError, match=f"{member}|yesterday|without a zone"):
        read({**RECEIVED, member: value})


def test_an_outage_while_reading_is_passed_on() -> None:
    """Given 503 with Retry-After, when read, then the reader says when to come again."""
    http = world()
    http.answers["/threads/thr_905"] = answer(503, {"code": "unavailable"}, retry_after="9")
    with pytest.raises(TransientError) as caught:
        read(RECEIVED, http=http)
    assert caught.value.retry_after == 9.0


def test_a_documents_own_event_reaches_its_threads() -> None:
    """Given a scan that ended, named without a thread, when read, then each thread of the document hears of it."""
    made = event(1, "document.scan_completed", "document:doc_pod", thread_id=None)
    signals = pending(made).signals
    changes = SOURCE.read(Pending("document:doc_pod", signals, {}), world()).changes
    assert [(change.kind, str(change.ref)) for change in changes] == [(ChangeKind.FILE, "trading_grid:thread:thr_905")]
    assert changes[0].external_id == "evt_n1:thr_905"


@pytest.mark.parametrize(("threads", "kind"), [([], ChangeKind.FILE), (None, ChangeKind.OTHER)])
def test_a_document_of_no_thread_stands_alone(threads: list[str] | None, kind: ChangeKind) -> None:
    """Given a document that is linked nowhere, or gone, when read, then it is kept, and its file is internal."""
    made = event(1, "document.scan_completed", "document:doc_pod", thread_id=None)
    http = Scripted({}) if threads is None else world(document={"thread_ids": threads})
    (change,) = SOURCE.read(Pending("document:doc_pod", pending(made).signals, {}), http).changes
    assert (change.kind, str(change.ref)) == (kind, "trading_grid:document:doc_pod")
    assert all(file.visibility is Visibility.INTERNAL for file in change.files)


def test_events_without_a_thread_are_kept() -> None:
    """Given an event about something that is no thread, when read, then it is recorded without any call."""
    made = event(1, "onboarding_requirement.blocked", "onboarding_requirement:req_1", thread_id=None,
                 data={"blocked_reason": "missing_data"})  # fmt: skip
    http = Scripted({})
    (change,) = SOURCE.read(Pending("onboarding_requirement:req_1", pending(made).signals, {}), http).changes
    assert (change.kind, change.ref.kind, http.asked) == (ChangeKind.OTHER, "onboarding_requirement", [])
    assert change.details["blocked_reason"] == "missing_data"

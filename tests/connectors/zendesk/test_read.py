"""What one reading of a ticket tells, and how many requests it takes."""

from typing import Any

import pytest

from pipeline.connector import Reading
from pipeline.errors import InvalidPayloadError, PermanentError, TransientError
from schemas.change import Change, ChangeKind
from schemas.content import FileState, Reference, Side, Visibility
from tests.connectors.zendesk.world import ScriptedHttp, answer, make_source, payload, pending

AUDITS, TICKET = "/tickets/35/audits", "/tickets/35"


def scripted(**changed: Any) -> ScriptedHttp:
    """Zendesk as recorded; the file of comment 98 still being scanned."""
    script = {AUDITS: payload("audits"), TICKET: payload("ticket"),
              "/attachments/601": {"attachment": {"id": 601, "malware_scan_result": "not_scanned"}},
              "/users/show_many": {"users": [{"id": 9001, "name": "casebridge", "role": "admin"}]}}  # fmt: skip
    return ScriptedHttp({**script, **changed})


def read(http: ScriptedHttp, known: Any = None, raw: bytes = b"{}") -> Reading:
    """One reading of ticket 35."""
    return make_source().read(pending("35", known, raw), http)


def told(changes: tuple[Change, ...]) -> list[tuple[str, str]]:
    """Ids and kinds, in order."""
    return [(change.external_id, str(change.kind)) for change in changes]


def test_audits_become_changes_in_their_order() -> None:
    """Given three audits, when read, then each kind of news is one change; the unknown is ignored."""
    assert told(read(scripted()).changes) == [
        ("audit:90", "opened"), ("audit:90:2", "said"),
        ("audit:97", "said"), ("audit:97:2", "fields"), ("audit:97:3", "marked"), ("audit:97:4", "state"),
        ("audit:110", "said"), ("audit:110:2", "priority"),
    ]  # fmt: skip


def test_only_the_agents_marked_private_comment_is_the_partners() -> None:
    """Given a customer's, an agent's and our own comment, when read, then one of them may reach the partner (D8)."""
    by_part = {change.part_id: change for change in read(scripted()).changes if change.kind is ChangeKind.SAID}
    customer, agent, ours = by_part["91"], by_part["98"], by_part["111"]
    assert (customer.author.side, customer.text and customer.text.visibility) == (Side.CUSTOMER, Visibility.INTERNAL)
    assert agent.text is not None
    assert (agent.text.body, agent.text.visibility) == ("<p>Please confirm</p>", Visibility.PARTNER)
    assert agent.files[0].visibility is Visibility.PARTNER
    assert agent.files[0].state is FileState.PENDING_SCAN
    assert ours.text is not None
    assert ours.text.visibility is Visibility.INTERNAL


def test_our_own_writes_carry_their_mark_and_triggers_do_not() -> None:
    """Given a trigger changed the priority in our audit, when read, then only our note is an echo (rule 4)."""
    ours, by_trigger = read(scripted()).changes[-2:]
    assert (ours.author.ours, ours.marks) == (True, ("ABCD2345",))
    assert (by_trigger.author.side, by_trigger.author.ours, by_trigger.marks) == (Side.SYSTEM, False, ())


def test_the_snapshot_speaks_our_words() -> None:
    """Given a ticket, when read, then status, partner and references stand in the snapshot."""
    snapshot = read(scripted()).changes[-1].snapshot
    assert (snapshot.title, snapshot.state, snapshot.priority, snapshot.type) == (
        "Short shipment",
        "open",
        "high",
        "incident",
    )
    assert (snapshot.partner_hint, snapshot.exception_type) == ("prt_acme", "short_shipment")
    assert snapshot.references == (Reference("purchase_order", "po-0042"),)
    assert snapshot.url == "https://desk.example/agent/tickets/35"
    assert snapshot.extra["partner_comments"][0]["body"] == "<p>Please confirm</p>"
    assert snapshot.extra["customer_names"] == ["Carla Customer"]
    assert snapshot.extra["organization_id"] == "500"


def test_a_mark_and_words_for_the_partner_show_from_their_own_change_on() -> None:
    """Given a whole history in one reading, when read, then no earlier change looks as if it were marked already."""
    changes = read(scripted()).changes
    tagged = {change.external_id: change.snapshot.extra["tags"] == ["b2b_partner_issue"] for change in changes}
    spoken = {change.external_id: bool(change.snapshot.extra["partner_comments"]) for change in changes}
    assert not any(tagged[name] for name in ("audit:90", "audit:90:2", "audit:97", "audit:97:2"))
    assert all(tagged[name] for name in ("audit:97:3", "audit:97:4", "audit:110", "audit:110:2"))
    assert [name for name, said in spoken.items() if not said] == ["audit:90", "audit:90:2"]


def test_a_ticket_created_with_the_mark_is_marked_by_one_change() -> None:
    """Given the tag came with the ticket, when read, then it shows at the mark's change and not at the opening."""
    tags = {"id": 121, "type": "Create", "field_name": "tags", "value": ["b2b_partner_issue"]}
    comment = {"id": 122, "type": "Comment", "author_id": 9101, "public": False, "html_body": "<p>#partner Hi</p>"}
    opened, said, marked = read(scripted(**{AUDITS: audit(tags, comment)})).changes
    assert (opened.kind, opened.snapshot.extra["tags"]) == (ChangeKind.OPENED, [])
    assert opened.snapshot.extra["partner_comments"] == []
    assert (said.kind, said.snapshot.extra["partner_comments"][0]["id"]) == (ChangeKind.SAID, "122")
    assert (marked.kind, marked.snapshot.extra["tags"]) == (ChangeKind.MARKED, ["b2b_partner_issue"])


def test_the_organization_stands_in_for_an_empty_partner_field() -> None:
    """Given no partner in the field, when read, then the hint is the organization's id (Z1)."""
    ticket = payload("ticket")
    ticket["ticket"]["custom_fields"][0]["value"] = " "
    assert read(scripted(**{TICKET: ticket})).changes[0].snapshot.partner_hint == "500"


def test_a_second_reading_asks_only_for_what_came_after() -> None:
    """Given all is known, when read again, then one request goes out, behind the last cursor, and nothing is new."""
    known = {**read(scripted()).known, "scans": {}}
    http = scripted(**{AUDITS: {"audits": [], "meta": {"has_more": False, "after_cursor": None}}})
    again = read(http, known)
    assert again.changes == ()
    assert again.known == known
    assert [request.path for request in http.asked] == [AUDITS]
    assert ("page[after]", "c3") in http.asked[0].query


def test_a_cursor_that_zendesk_no_longer_takes_costs_one_request() -> None:
    """Given a refused cursor, when read, then the audits are read from the start and the known ones left out."""
    http = scripted(**{AUDITS: [answer({"error": "InvalidPaginationParameter"}, 400), payload("audits")]})
    changes = read(http, {"last_audit_id": 97, "cursor": "old"}).changes
    assert [change.external_id for change in changes if change.kind is not ChangeKind.FILE] == [
        "audit:110",
        "audit:110:2",
    ]


def test_paging_ends_by_has_more_and_never_loops() -> None:
    """Given `links.next` on the last page, when read, then it is not followed; a cursor that stays is an error."""
    http = scripted()
    read(http)
    assert [request.path for request in http.asked].count(AUDITS) == 1
    stuck = {"audits": [], "meta": {"has_more": True, "after_cursor": "same"}}
    with pytest.raises(InvalidPayloadError, match="cursor stays"):
        read(scripted(**{AUDITS: stuck}))


def test_a_scan_that_ended_is_news() -> None:
    """Given a file was being scanned, when the scan has ended, then a change says so once."""
    known = read(scripted()).known
    assert known["scans"] == {"601": {"visibility": "partner", "comment_id": "98"}}
    clean = {"attachment": {"id": 601, "file_name": "pod.pdf", "size": 9, "malware_scan_result": "malware_not_found"}}
    nothing = {"audits": [], "meta": {"has_more": False, "after_cursor": "c3"}}
    reading = read(scripted(**{AUDITS: nothing, "/attachments/601": clean}), known)
    (change,) = reading.changes
    assert (change.external_id, change.kind) == ("attachment:601:ready", ChangeKind.FILE)
    assert change.files[0].visibility is Visibility.PARTNER
    assert reading.known["scans"] == {}


def test_a_deleted_ticket_is_told_once() -> None:
    """Given the ticket is gone, when read twice, then one change says so and the second reading is silent (Z2.11)."""
    gone = ScriptedHttp({})
    raw = b'{"type": "zen:event-type:ticket.soft_deleted", "time": "2026-11-21T11:00:00.5Z"}'
    first = read(gone, {"last_audit_id": 97, "cursor": "c3"}, raw)
    (change,) = first.changes
    assert (change.external_id, change.kind, change.snapshot.closed) == ("deleted:35", ChangeKind.DELETED, True)
    assert change.at.isoformat() == "2026-11-21T11:00:00.500000+00:00"
    assert read(gone, first.known, raw).changes == ()


def audit(*events: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """One audit by agent 9101 as the only one of the ticket."""
    made = {"id": 120, "created_at": "2026-11-21T12:00:00Z", "author_id": 9101, "events": list(events), **changed}
    return {"audits": [made], "meta": {"has_more": False, "after_cursor": "c4"}}


@pytest.mark.parametrize(
    ("event", "kind", "part"),
    [({"type": "CommentPrivacyChange", "comment_id": 98, "public": False}, ChangeKind.NARROWED, "98"),
     ({"type": "CommentRedactionEvent", "comment_id": 98}, ChangeKind.REDACTED, "98"),
     ({"type": "AttachmentRedactionEvent", "comment_id": 98, "attachment_id": 601}, ChangeKind.REDACTED, "601"),
     ({"type": "Change", "field_name": "subject", "value": "New", "previous_value": "Old"}, ChangeKind.TITLE, "120"),
     ({"type": "Change", "field_name": "assignee_id", "value": "9102"}, ChangeKind.STATE, "120"),
     ({"type": "Change", "field_name": "tags", "value": [], "previous_value": ["b2b_partner_issue"]},
      ChangeKind.UNMARKED, "120"),
     ({"type": "Change", "field_name": "tags", "value": ["b2b_onboarding"], "previous_value": []},
      ChangeKind.MARKED, "120")],
)  # fmt: skip
def test_what_is_taken_back_or_set_is_told(event: dict[str, Any], kind: ChangeKind, part: str) -> None:
    """Given one audit event, when read, then it is this kind of change about that part."""
    (change,) = read(scripted(**{AUDITS: audit(event)}), {"last_audit_id": 110}).changes
    assert (change.kind, change.part_id) == (kind, part)


def test_a_redacted_comment_is_no_longer_the_newest_for_the_partner() -> None:
    """Given the `#partner` comment is redacted, when read, then a later escalation cannot show it (rule 8)."""
    first = read(scripted())
    event = {"type": "CommentRedactionEvent", "comment_id": 98}
    again = read(scripted(**{AUDITS: audit(event)}), {**first.known, "scans": {}})
    assert again.changes[0].snapshot.extra["partner_comments"] == []


def test_a_merge_names_the_survivor_and_closes_nothing() -> None:
    """Given a merge, when read, then its change names the surviving ticket and no closing is told with it (Z1.5)."""
    sentence = "This request was closed and merged into request #41."
    comment = {"id": 121, "type": "Comment", "author_id": 9101, "public": False, "plain_body": sentence}
    closing = {"id": 122, "type": "Change", "field_name": "status", "value": "closed", "previous_value": "open"}
    changes = read(scripted(**{AUDITS: audit(comment, closing)}), {"last_audit_id": 110}).changes
    assert told(changes) == [("audit:120", "said"), ("audit:120:2", "merged")]
    assert changes[1].details["into"] == "41"


def test_what_a_trigger_says_is_nobodys_word_for_the_partner() -> None:
    """Given a trigger writes a comment with the mark, when read, then it is told, and stays inside."""
    by_rule = {"channel": "rule", "source": {"from": {"id": 1}, "rel": "trigger"}}
    comment = {"id": 121, "type": "Comment", "author_id": 9101, "public": False, "html_body": "<p>#partner Hi</p>"}
    (change,) = read(scripted(**{AUDITS: audit({**comment, "via": by_rule})}), {"last_audit_id": 110}).changes
    assert (change.author.side, change.part_id) == (Side.SYSTEM, "121")
    assert change.text is not None
    assert change.text.visibility is Visibility.INTERNAL


def test_nobody_is_an_agent_by_default() -> None:
    """Given an author whom Zendesk does not know, when they write the mark, then it stays inside."""
    comment = {"id": 121, "type": "Comment", "author_id": 777, "public": False, "html_body": "<p>#partner Hi</p>"}
    (change,) = read(scripted(**{AUDITS: audit(comment, author_id=777)}), {"last_audit_id": 110}).changes
    assert change.text is not None
    assert change.text.visibility is Visibility.INTERNAL


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (answer({}, 503), TransientError),
        (answer({"error": "Forbidden"}, 400), PermanentError),
        (answer([]), PermanentError),
    ],
)
def test_a_failed_reading_raises_what_to_do_next(given: Any, error: type[Exception]) -> None:
    """Given Zendesk fails or answers nonsense, when read, then the error tells ingest whether to come again."""
    with pytest.raises(error):
        read(scripted(**{AUDITS: given}))


COMMENTS = "/tickets/35/comments"


POD = [{"id": 601, "file_name": "pod.pdf"}]


@pytest.mark.parametrize(
    ("comment", "still"),
    [({"public": False, "html_body": "<p>#partner Please confirm</p>"}, True),
     ({"public": True, "html_body": "<p>#partner Please confirm</p>"}, False),
     ({"public": False, "html_body": "<p>Please confirm</p>"}, False),
     ({"public": False, "html_body": "<p>▇▇▇▇▇▇▇▇ ▇▇▇▇▇▇</p>"}, False),
     ({"public": False, "html_body": "<p>#partner ▇▇▇▇▇▇ confirm</p>"}, False),
     ({"public": False, "html_body": "<p>#partner Please confirm</p>",
       "attachments": [{"id": 601, "file_name": "redacted.txt"}]}, False)],
)  # fmt: skip
def test_a_text_is_asked_again_before_a_partner_reads_it(comment: dict[str, Any], still: bool) -> None:
    """Given the comment now, when re-checked, then only the unchanged, private, marked one may go (D9)."""
    said = next(change for change in read(scripted()).changes if change.part_id == "98")
    row = {"id": 98, "author_id": 9101, "attachments": POD, **comment}
    page = {"comments": [row], "meta": {"has_more": False}}
    users = {"users": [{"id": 9101, "name": "Anna", "role": "agent"}]}
    assert make_source().recheck(said, scripted(**{COMMENTS: page, "/users/show_many": users})) is still


def test_an_escalation_is_asked_again_for_all_that_it_shows() -> None:
    """Given the field for the partner was rewritten since, when re-checked, then the old words do not go."""
    marked = next(change for change in read(scripted()).changes if change.kind is ChangeKind.MARKED)
    page = {"comments": [{"id": 98, "author_id": 9101, "public": False, "html_body": "<p>#partner Please confirm</p>"}]}
    users = {"users": [{"id": 9101, "name": "Anna", "role": "agent"}]}
    http = scripted(**{COMMENTS: page, "/users/show_many": users})
    assert make_source().recheck(marked, http)
    ticket = payload("ticket")
    ticket["ticket"]["custom_fields"][3]["value"] = "New words"
    assert not make_source().recheck(marked, scripted(**{TICKET: ticket, COMMENTS: page}))
    assert not make_source().recheck(marked, ScriptedHttp({}))


EXPORT = "/incremental/tickets/cursor"


def test_the_first_cursor_is_five_minutes_ago_by_their_clock() -> None:
    """Given Zendesk's Date header, when started, then the export begins five minutes before it (D20)."""
    me = answer({"user": {"id": 9001}}, date="Sat, 21 Nov 2026 12:00:00 GMT")
    assert make_source().start(ScriptedHttp({"/users/me.json": me})) == {"start_time": 1795262100}


def test_the_export_wakes_each_ticket_by_its_generated_timestamp() -> None:
    """Given a page with a deleted row, when polled, then each row is a signal and the cursor is kept for later."""
    rows = [{"id": 35, "generated_timestamp": 1795262400, "status": "open"},
            {"id": 36, "generated_timestamp": 1795262401, "status": "deleted"}]  # fmt: skip
    http = ScriptedHttp({EXPORT: {"tickets": rows, "after_cursor": "abc", "end_of_stream": False}})
    page = make_source().poll({"start_time": 1}, http)
    assert [(signal.key, signal.object) for signal in page.signals] == [
        ("35:1795262400", "ticket:35"),
        ("36:1795262401", "ticket:36"),
    ]
    assert (page.cursor, page.more) == ({"cursor": "abc"}, True)
    assert ("start_time", "1") in http.asked[0].query


@pytest.mark.parametrize(
    ("answered", "cursor", "more"),
    [({"after_cursor": "abc", "end_of_stream": True}, "abc", False),
     ({"after_cursor": "old", "end_of_stream": False}, "old", False),
     ({"after_cursor": None, "end_of_stream": True}, "old", False)],
)  # fmt: skip
def test_the_poll_ends_and_never_loses_its_place(answered: dict[str, Any], cursor: str, more: bool) -> None:
    """Given the end, no progress or no cursor, when polled, then it stops and keeps the last place."""
    page = make_source().poll({"cursor": "old"}, ScriptedHttp({EXPORT: {"tickets": [], **answered}}))
    assert (page.cursor, page.more) == ({"cursor": cursor}, more)

"""What each operation becomes at Zendesk; every request of every plan is one that Zendesk's contract describes."""

from typing import Any

import pytest

from pipeline.connector import Work
from pipeline.domain.reason import Reason
from pipeline.errors import PermanentError
from pipeline.plan import Plan, Slot, Stored
from schemas.content import Author, File, FileState, Format, Reference, Side
from schemas.operation import (
    AnyOperation,
    Attach,
    Bind,
    Comment,
    Create,
    Fields,
    Redact,
    State,
    Title,
)
from tests.connectors.zendesk.world import BOB, MARK, NOON, make_target, make_work, words
from tests.contracts.validate import Contract

HUB = Author(Side.HUB, "u1", "Ann")
OPEN_TICKET = {"ticket": {"ticket": {"id": 35, "status": "open", "updated_at": "2026-11-21T10:00:00Z", "subject": "Old",
                                     "custom_fields": [{"id": 360006, "value": "12"}]}}}  # fmt: skip
SLOTS = {
    "{{ticket.ticket.subject}}": "Short shipment", "{{ticket.ticket.requester_id}}": 9201,
    "{{ticket.ticket.custom_fields}}": [], "{{follow_up.ticket.id}}": "36", "{{create.ticket.id}}": "36",
}  # fmt: skip


def said(body: str = "We shipped it.", form: Format = Format.PLAIN, **changed: Any) -> Comment:
    """A partner's post on its way to the ticket."""
    values: dict[str, Any] = {
        "link_id": 1,
        "text": words(body, form),
        "author": BOB,
        "at": NOON,
        "origin": "trading_grid:t#p",
    }
    return Comment(**{**values, **changed})


def planned(operation: AnyOperation, facts: Any = None, *, section: Any = None, **changed: Any) -> Plan:
    """The plan of a delivery, its requests checked against Zendesk's contract where that is at hand."""
    return make_target(**(section or {})).plan(make_work(operation, **changed), facts or {})


def body_of(plan: Plan, place: int = 0) -> Any:
    """The ticket that a request carries."""
    body = plan.requests[place].body
    assert isinstance(body, dict)
    return body["ticket"]


OPERATIONS: dict[str, tuple[AnyOperation, Any]] = {
    "a partner's words": (said(), OPEN_TICKET),
    "a typed update": (said("Corrected quantity: 40", update_type="quantity_correction"), OPEN_TICKET),
    "a long text": (said("word " * 30_000), OPEN_TICKET),
    "on a closed ticket": (said(), {"closed": True}),
    "long, on a closed ticket": (said("word " * 30_000), {"closed": True}),
    "a status": (State(link_id=1, state="resolved", resolution=words("Credit issued")), OPEN_TICKET),
    "a title": (Title(link_id=1, title=words("New"), previous="Old"), OPEN_TICKET),
    "fields": (Fields(link_id=1, values={"corrected_quantity": "40", "priority": "high"}), OPEN_TICKET),
    "a binding": (Bind(link_id=1, counterpart_link_id=2), {}),
    "a file": (Attach(link_id=1, file=File("f1", "a.pdf", "application/pdf", 9), stored="ab" * 32), {}),
    "a link to a file": (Attach(link_id=1, file=File("f1", "a.pdf", "application/pdf", 9, url="https://x/y")), {}),
    "a new ticket": (Create(object_kind="ticket", title=words("New"), body=words("Text"), partner="acme",
                            priority="high", references=(Reference("purchase_order", "PO-7"),),
                            origin="trading_grid:thread:t"), {}),
}  # fmt: skip


@pytest.mark.shared
@pytest.mark.parametrize("case", OPERATIONS)
def test_every_request_is_one_that_zendesk_describes(case: str) -> None:
    """Given any operation, when planned, then its reads, look-ups and writes fit the contract and carry our mark."""
    operation, facts = OPERATIONS[case]
    target, work = make_target(), make_work(operation)
    plan = target.plan(work, facts)
    for request in (*target.facts(work).requests, *target.find(work).requests, *plan.requests):
        Contract.zendesk().check(request, SLOTS)
    writes = [request.body["ticket"] for request in plan.requests if isinstance(request.body, dict)]
    assert writes
    assert all(str(ticket["metadata"]["casebridge"]["op"]).startswith(MARK) for ticket in writes)
    assert all(ticket["comment"]["public"] is False for ticket in writes if "comment" in ticket)


def test_a_note_is_one_request_without_reads() -> None:
    """Given words of a colleague in Gemini, when planned, then no read goes before the one write (the cheap path)."""
    operation = said(author=HUB, origin="gemini:item:3#c1")
    assert not make_target().facts(make_work(operation))
    plan = planned(operation)
    assert [(request.method, request.path) for request in plan.requests] == [("PUT", "/tickets/35")]
    assert "<strong>Ann (Gemini)</strong> wrote:" in body_of(plan)["comment"]["html_body"]


@pytest.mark.parametrize(
    "text",
    ["Dear {{ticket.requester.name}}", "{% if x %}", "{{{{", "{<b>{x}}</b>", "{ {{x}}"],
)
def test_placeholders_are_broken_by_an_invisible_joiner(text: str) -> None:
    """Given `{{` or `{%` in a partner's text, when written, then Zendesk finds nothing to expand (Z2.3)."""
    html = body_of(planned(said(text, Format.HTML, author=HUB)))["comment"]["html_body"]
    assert "{{" not in html
    assert "{%" not in html
    assert "{<b>{" not in html


def test_script_is_taken_out_and_the_label_cannot_be_forged() -> None:
    """Given HTML that imitates our label and closes quotations, when written, then all of it stays in one quotation."""
    forged = "</blockquote><p><strong>Globex (partner)</strong> wrote:</p><script>x()</script>"
    html = body_of(planned(said(forged, Format.HTML)))["comment"]["html_body"]
    assert html.startswith("<p><strong>Bob, Acme Logistics (partner)</strong> wrote:</p><blockquote>")
    assert html.endswith("</blockquote>")
    assert html.count("blockquote>") == 2
    assert "script" not in html


def test_a_late_comment_says_when_it_was_written() -> None:
    """Given a comment that was requeued, when planned, then its last line says when it was written (D6)."""
    html = body_of(planned(said(), late=True))["comment"]["html_body"]
    assert html.endswith("<p>(written 12:00 UTC, sent late)</p>")


@pytest.mark.parametrize("letter", ["w", "&", "ä"])
def test_a_long_text_comes_in_numbered_parts_that_fit(letter: str) -> None:
    """Given 150,000 characters, when planned, then each part is below 64 kB and nothing is missing (Z2.4)."""
    plan = planned(said((letter * 9 + " ") * 15_000))
    bodies = [body_of(plan, place)["comment"]["html_body"] for place in range(len(plan.requests))]
    total = len(bodies)
    assert total > 2
    assert all(len(body.encode()) <= 64_000 for body in bodies)
    assert all(f"({number}/{total})" in body for number, body in enumerate(bodies, start=1))
    assert sum(body.replace("&amp;", "&").count(letter * 9) for body in bodies) == 15_000
    marks = [body_of(plan, place)["metadata"]["casebridge"]["op"] for place in range(total)]
    assert marks == [f"{MARK}-{number}" for number in range(1, total + 1)]


def test_parts_that_stand_there_already_are_left_out() -> None:
    """Given the first part arrived before the crash, when planned again, then only the others are sent."""
    operation = said("word " * 30_000)
    assert [request.step for request in make_target().facts(make_work(operation)).requests] == ["ticket", "comments"]
    there = [{"id": 1, "metadata": {"custom": {"casebridge": {"op": f"{MARK}-1"}}}}]
    steps = [request.step for request in planned(operation, {"comments": {"comments": there}}).requests]
    assert steps == ["comment-2", "comment-3"]


def test_a_solved_ticket_opens_again_for_a_partner_only() -> None:
    """Given a solved ticket, when a partner writes, then it opens; not for us, not where the setting is off (Z2.2)."""
    facts = {"ticket": {"ticket": {"status": "solved"}}}
    assert body_of(planned(said(), facts))["status"] == "open"
    assert "status" not in body_of(planned(said(author=HUB), facts))
    assert "status" not in body_of(planned(said(note=True), facts))
    assert "status" not in body_of(planned(said(), facts, section={"reopen_solved": False}))


def test_a_typed_update_fills_its_field_guarded_by_the_stamp() -> None:
    """Given a corrected quantity, when planned on a read ticket, then field and note go together, guarded (Z2.10)."""
    ticket = body_of(planned(*OPERATIONS["a typed update"]))
    assert ticket["custom_fields"] == [{"id": 360006, "value": "40"}]
    assert (ticket["safe_update"], ticket["updated_stamp"]) == (True, "2026-11-21T10:00:00Z")


@pytest.mark.parametrize("text", ["No number here", "8 of 40 cartons"])
def test_a_typed_update_without_one_clear_number_fills_nothing(text: str) -> None:
    """Given prose, when planned, then the note arrives and no field is guessed at."""
    assert "custom_fields" not in body_of(planned(said(text, update_type="quantity_correction"), OPEN_TICKET))


def test_a_closed_ticket_gets_one_follow_up() -> None:
    """Given a closed ticket, when a partner writes, then a follow-up carries its subject and fields on (Z2.1)."""
    plan = planned(said(), {"closed": True})
    assert [request.step for request in plan.requests] == ["ticket", "follow_up"]
    ticket, headers = body_of(plan, 1), dict(plan.requests[1].headers)
    assert ticket["via_followup_source_id"] == 35
    assert ticket["external_id"] == f"casebridge:{MARK}"
    assert ticket["subject"] == Slot("ticket", "ticket.subject")
    assert headers["Idempotency-Key"] == make_work(said()).idem_key
    assert ticket["comment"]["public"] is False


def test_what_was_read_is_not_read_again_for_the_follow_up() -> None:
    """Given the facts show the ticket closed, when planned, then the follow-up is the only request."""
    facts = {"ticket": {"ticket": {"status": "closed", "subject": "Old", "requester_id": 9201, "custom_fields": []}}}
    plan = planned(said(), facts)
    assert [request.step for request in plan.requests] == ["follow_up"]
    assert body_of(plan)["subject"] == "Old"


def test_a_typed_update_reaches_the_follow_up_too() -> None:
    """Given a closed ticket with field values, when a corrected one comes, then the follow-up holds the new value."""
    rows = [{"id": 360001, "value": "prt_acme"}, {"id": 360006, "value": "12"}, {"id": 360007, "value": None}]
    closed = {"status": "closed", "subject": "Old", "requester_id": 1, "updated_at": "2026-11-21T10:00:00Z"}
    facts = {"ticket": {"ticket": {**closed, "custom_fields": rows}}}
    ticket = body_of(planned(said("Corrected quantity: 40", update_type="quantity_correction"), facts))
    assert ticket["custom_fields"] == [{"id": 360001, "value": "prt_acme"}, {"id": 360006, "value": "40"}]
    assert "safe_update" not in ticket


def test_a_note_of_ours_opens_no_follow_up() -> None:
    """Given a closed ticket, when casebridge itself has something to say, then it parks instead of making tickets."""
    for operation in (said(note=True), Bind(link_id=1, counterpart_link_id=2)):
        with pytest.raises(PermanentError) as refused:
            planned(operation, {"closed": True})
        assert refused.value.reason is Reason.TARGET_CLOSED


@pytest.mark.parametrize(
    ("now", "wanted", "written"),
    [("open", "resolved", "solved"), ("solved", "resolved", None), ("closed", "closed", None),
     ("new", "received", "open"), ("pending", "awaiting_partner", None), ("hold", "in_progress", "open")],
)  # fmt: skip
def test_a_status_is_compared_before_it_is_written(now: str, wanted: str, written: str | None) -> None:
    """Given the ticket's status, when a milestone comes, then it is written only where it differs."""
    facts = {"ticket": {"ticket": {"status": now, "updated_at": "2026-11-21T10:00:00Z"}}}
    plan = planned(State(link_id=1, state=wanted), facts)
    assert (body_of(plan)["status"] if plan else None) == written


@pytest.mark.parametrize(
    ("now", "state", "section", "reason"),
    [("closed", "in_progress", {}, Reason.TARGET_CLOSED),
     ("solved", "in_progress", {"reopen_solved": False}, Reason.TRANSITION_REFUSED),
     ("open", "no_such_state", {}, Reason.UNMAPPED_STATUS)],
)  # fmt: skip
def test_a_status_that_must_not_be_written_says_why(now: str, state: str, section: Any, reason: Reason) -> None:
    """Given a closed, a solved or an unmapped case, when planned, then it is refused with its reason."""
    with pytest.raises(PermanentError) as refused:
        planned(State(link_id=1, state=state), {"ticket": {"ticket": {"status": now}}}, section=section)
    assert refused.value.reason is reason


def test_a_title_is_written_only_over_the_one_it_replaces() -> None:
    """Given somebody renamed the ticket meanwhile, when the title comes, then theirs stays."""
    renamed = {"ticket": {"ticket": {"status": "open", "subject": "Renamed by an agent"}}}
    assert not planned(Title(link_id=1, title=words("New"), previous="Old"), renamed)
    assert body_of(planned(Title(link_id=1, title=words("New"), previous="Old"), OPEN_TICKET))["subject"] == "New"


def test_fields_are_absolute_and_only_the_different_ones_are_written() -> None:
    """Given one field holds the value, when planned, then only the other is written; an unknown one is named."""
    plan = planned(Fields(link_id=1, values={"corrected_quantity": 12, "invoice_number": "I-1"}), OPEN_TICKET)
    assert body_of(plan)["custom_fields"] == [{"id": 360007, "value": "I-1"}]
    assert not planned(Fields(link_id=1, values={"corrected_quantity": "12"}), OPEN_TICKET)
    with pytest.raises(PermanentError, match="no line for colour"):
        planned(Fields(link_id=1, values={"colour": "red"}), OPEN_TICKET)


def test_a_file_is_uploaded_last_and_its_token_handed_on() -> None:
    """Given a stored file, when planned, then the upload goes right before the comment that uses it up (Z2.9)."""
    plan = planned(*OPERATIONS["a file"])
    upload, comment = plan.requests
    assert (upload.path, upload.query, upload.body) == ("/uploads", (("filename", "a.pdf"),), Stored("ab" * 32, 9))
    assert dict(upload.headers)["Content-Type"] == "application/pdf"
    assert comment.body["ticket"]["comment"]["uploads"] == [Slot("upload", "upload.token")]


@pytest.mark.parametrize(
    ("facts", "state", "why"),
    [({"upload_refused": "AttachmentUnprocessable"}, FileState.READY, "refused the file"),
     ({"settings": {"settings": {"limits": {"attachment_size": 5}}}}, FileState.READY, "larger than this account"),
     ({}, FileState.QUARANTINED, "quarantined")],
)  # fmt: skip
def test_a_file_that_cannot_come_is_named(facts: Any, state: FileState, why: str) -> None:
    """Given the bytes cannot be attached, when planned, then the note arrives without them and says why (Z2.9)."""
    file = File("f1", "../a\n.pdf", "application/pdf", 9, state=state, url="https://x/y", sha256="cd")
    plan = planned(Attach(link_id=1, file=file, stored="ab" * 32), facts)
    assert [request.step for request in plan.requests] == ["comment"]
    html = body_of(plan)["comment"]["html_body"]
    assert why in html
    assert 'href="https://x/y"' in html
    assert "uploads" not in body_of(plan)["comment"]


def test_redaction_repeats_the_comment_with_everything_marked() -> None:
    """Given our copy and its HTML, when redacted, then every text is marked; bars mean done already (Z2.12)."""
    parts = {"o": (("comment", "98"), ("copy", "35:98:97"), ("audit", "97"))}
    event = {"id": 98, "type": "Comment", "html_body": '<div><p>Hi <a href="https://x">x</a></p></div>'}
    facts = {"audit-97": {"audit": {"id": 97, "events": [event]}}}
    operation = Redact(link_id=1, origin="o")
    reads = make_target().facts(make_work(operation, parts=parts)).requests
    assert [request.path for request in reads] == ["/tickets/35/audits/97"]
    (request,) = planned(operation, facts, parts=parts).requests
    assert request.path == "/comment_redactions/98"
    marked = '<div><p><redact>Hi </redact><a href="https://x" redact><redact>x</redact></a></p></div>'
    assert request.body == {"ticket_id": 35, "html_body": marked}
    event["html_body"] = "<div><p>▇▇▇</p></div>"
    assert not planned(operation, facts, parts=parts)


def test_redacting_what_we_never_wrote_asks_for_a_person() -> None:
    """Given no copy of ours is known, when a redaction comes, then it is refused rather than forgotten (rule 8)."""
    with pytest.raises(PermanentError, match="by hand"):
        planned(Redact(link_id=1, origin="o"))


def test_a_binding_names_the_counterpart_even_while_it_is_only_planned() -> None:
    """Given the thread, when bound, then its link stands in the note; before that its slot, for `explain`."""
    operation = Bind(link_id=1, counterpart_link_id=2)
    html = body_of(planned(operation))["comment"]["html_body"]
    assert '<a href="https://community.example/threads/thr_1">Trading Grid thread thr_1</a>' in html
    work = make_work(operation)
    links = {**work.links, 2: type(work.link)(2, "trading_grid", "thread", None)}
    assert "{{trading_grid.thread}}" in body_of(planned(operation, links=links))["comment"]["html_body"]


def test_the_body_is_the_same_for_every_attempt() -> None:
    """Given the same delivery, when planned twice, then byte for byte the same: Zendesk refuses another body (D5)."""
    work: Work = make_work(OPERATIONS["a new ticket"][0])
    assert make_target().plan(work, {}) == make_target().plan(work, {})

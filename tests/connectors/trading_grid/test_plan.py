"""Operations as requests: each one fits the contract, says who may see it, and carries our mark."""

from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.connector import Link
from pipeline.connectors.trading_grid import CONNECTOR
from pipeline.domain.reason import Reason
from pipeline.errors import PermanentError, VisibilityError
from pipeline.plan import Plan, Request, Slot, Stored
from schemas.content import Author, File, FileState, Format, Reference, Side, Text, Visibility
from schemas.operation import AnyOperation, Attach, Bind, Comment, Create, Fields, Redact, State, Title
from tests.connectors.trading_grid.desk import COLLEAGUE, ENV, config, partner_text, payload, work
from tests.contracts.validate import Contract

TARGET = CONNECTOR.target(ENV, config())
SHA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
INTERNAL = Text("Root cause: wave 12 mis-pick.")
FILE = File("att_7", "POD é.pdf", "application/pdf", 182_733, Visibility.PARTNER, document_class="proof_of_delivery")
COMMENT = Comment(link_id=1, text=partner_text("On its way."), author=COLLEAGUE, origin="gemini:item:389#12")
CREATE = Create(
    link_id=3,
    object_kind="thread",
    title=partner_text("Short shipment"),
    body=partner_text("12 of 20 cartons arrived."),
    partner="acme",
    type="exception",
    exception_type="short_shipment",
    priority="high",
    references=(Reference("purchase_order", "4500123456", "10"), Reference("interchange", "X12|856")),
    origin="zendesk:ticket:35",
    origin_url="https://desk.example/agent/tickets/35",
)
RESOLVED = State(link_id=1, state="resolved", label="Resolved", resolution=partner_text("Credit memo CM-118."))


def thread(**members: Any) -> dict[str, Any]:
    return {**payload("thread_exception"), **members}


FACTS: dict[type, dict[str, Any]] = {
    State: {"thread": thread()},
    Title: {"thread": thread()},
    Fields: {"thread": thread()},
    Attach: {"thread": thread()},
    Redact: {"post_pst_9": {"id": "pst_9", "revision": 2, "redacted": None}},
}
PARTS: dict[str, Any] = {"parts": {"gemini:item:389#12": (("post", "pst_9"),)}}
OPERATIONS: list[AnyOperation] = [
    CREATE,
    Create(link_id=3, object_kind="thread", title=partner_text("Bare"), partner="acme", type="question"),
    Bind(link_id=1, counterpart_link_id=2),
    COMMENT,
    Comment(link_id=1, text=partner_text("**Two** words", Format.MARKDOWN), author=COLLEAGUE, note=True),
    Comment(link_id=1, text=partner_text("word " * 40_000), author=COLLEAGUE, update_type="of_tomorrow"),
    State(link_id=1, state="in_progress", label="In progress", public_note=partner_text("We are on it.")),
    State(link_id=1, state="awaiting_partner", awaiting_reason="documents", label="Awaiting documents"),
    RESOLVED,
    Title(link_id=1, title=partner_text("Short shipment, corrected")),
    Fields(link_id=1, values={"priority": "urgent", "references": [{"kind": "invoice", "value": "INV-1"}],
                              "participants": ["grp_acme_log"], "related_thread_ids": ["thr_1"]}),
    Redact(link_id=1, origin="gemini:item:389#12"),
    Attach(link_id=1, file=FILE, stored=SHA, text=partner_text("The signed receipt.")),
    Attach(link_id=1, file=FILE, text=partner_text("Too large to send: POD é.pdf, 182,733 bytes.")),
]  # fmt: skip


def plan(operation: AnyOperation, facts: dict[str, Any] | None = None, **options: Any) -> Plan:
    given = FACTS.get(type(operation), {}) if facts is None else facts
    return TARGET.plan(work(operation, **{**PARTS, **options}), given)


def only(operation: AnyOperation, facts: dict[str, Any] | None = None, **options: Any) -> Request:
    (request,) = plan(operation, facts, **options).requests
    return request


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: type(operation).__name__)
def test_every_request_fits_the_contract(operation: AnyOperation) -> None:
    """Given an operation, when planned, then each of its reads and writes is one that the contract describes."""
    contract, delivery = Contract.trading_grid(), work(operation, **PARTS)
    made = plan(operation)
    assert made
    slots = {"{{create.id}}": "thr_1", "{{file.id}}": "blb_1", "{{document.id}}": "doc_1"}
    for request in (*TARGET.facts(delivery).requests, *made.requests, *TARGET.find(delivery).requests):
        contract.check(request, slots)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: type(operation).__name__)
def test_plans_are_pure(operation: AnyOperation) -> None:
    """Given the same operation and facts, when planned twice, then the plans are equal."""
    assert plan(operation) == plan(operation)


@pytest.mark.parametrize(
    "operation",
    [
        Comment(link_id=1, text=INTERNAL, author=COLLEAGUE),
        Comment(link_id=1, text=partner_text("I want my money back"), author=Author(Side.CUSTOMER, "9")),
        Create(link_id=3, object_kind="thread", title=INTERNAL, partner="acme", type="exception"),
        Create(link_id=3, object_kind="thread", title=partner_text("x"), body=INTERNAL, partner="acme"),
        State(link_id=1, state="in_progress", public_note=INTERNAL),
        State(link_id=1, state="resolved", resolution=INTERNAL),
        Title(link_id=1, title=INTERNAL),
        Attach(link_id=1, file=File("a", "a.txt", "text/plain", 1), stored=SHA),
        Attach(link_id=1, file=FILE, stored=SHA, text=INTERNAL),
    ],
    ids=lambda operation: type(operation).__name__,
)
def test_internal_words_never_make_a_request(operation: AnyOperation) -> None:
    """Given internal words or an end customer's, when planned, then nothing is sent: dead letter `visibility`."""
    with pytest.raises(VisibilityError):
        plan(operation)


def test_a_comment_says_its_role_and_never_a_name() -> None:
    """Given a colleague's comment, when written for the partner, then the team speaks, with our mark and visibility."""
    request = only(COMMENT)
    text = "<p><strong>Resolution team</strong> wrote:</p><p>On its way.</p>"
    assert request.body["body"] == {"format": "html", "text": text}
    assert request.body["visibility"] == "partner"
    assert request.body["origin"] == {"system": "gemini", "correlation_id": work(COMMENT).mark, "hop_count": 1}
    assert "Jo Hidden" not in str(request)


def test_labels_come_from_the_configuration() -> None:
    """Given a label for a system in casebridge.yaml, when a comment of that system is written, then it says so."""
    request = only(COMMENT, config=config(labels={"gemini": "Acme desk <b>"}))
    assert request.body["body"]["text"].startswith("<p><strong>Acme desk &lt;b&gt;</strong> wrote:</p>")


def test_script_in_a_comment_is_cut_out() -> None:
    """Given HTML with a script and a handler, when written, then only harmless markup is left."""
    text = partner_text('<p onclick="x()">Hello<script>alert(1)</script></p>', Format.HTML)
    request = only(Comment(link_id=1, text=text, author=COLLEAGUE, origin="zendesk:ticket:35#1"))
    assert request.body["body"]["text"] == "<p><strong>Support</strong> wrote:</p><p>Hello</p>"


def test_a_late_comment_says_so_and_keeps_its_guard() -> None:
    """Given a comment sent after others, when planned, then it names its time; its reference stays the same one."""
    written = datetime(2026, 11, 2, 9, 14, tzinfo=UTC)
    comment = Comment(link_id=1, text=partner_text("Late"), author=COLLEAGUE, at=written)
    on_time, late = only(comment), only(comment, late=True)
    assert late.body["body"]["text"].endswith("<p>(written 09:14 UTC, sent late)</p>")
    assert late.body["external_references"] == on_time.body["external_references"]


def test_a_long_comment_is_split_into_numbered_posts() -> None:
    """Given 200,000 characters, when planned, then numbered posts under 64 KiB hold every word, each with its key."""
    words = " ".join(f"w{number}" for number in range(30_000))
    made = plan(Comment(link_id=1, text=partner_text(words), author=COLLEAGUE)).requests
    texts = [request.body["body"]["text"] for request in made]
    assert all(len(text.encode()) <= 65_536 for text in texts)
    assert [text.split("\n", 1)[0] for text in texts] == [f"({n}/{len(made)})" for n in range(1, len(made) + 1)]
    assert "".join(text.split("\n\n", 1)[1] for text in texts).endswith(words)
    assert len({dict(request.headers)["Idempotency-Key"] for request in made}) == len(made)


def test_a_new_thread_names_partner_reference_and_mark() -> None:
    """Given a ticket to escalate, when planned, then the thread is the partner's, bound to the ticket, and marked."""
    create, first_post = plan(CREATE).requests
    assert create.body["partner_id"] == "prt_acme"
    assert create.body["visibility"] == "partner"
    assert create.body["external_references"] == [
        {"system": "zendesk", "instance": "default", "object_type": "ticket", "external_id": "35",
         "url": "https://desk.example/agent/tickets/35"}
    ]  # fmt: skip
    assert create.body["transaction_references"][0]["references"] == [
        {"type": "purchase_order", "value": "4500123456", "line": "10"}
    ]
    assert create.body["origin"]["correlation_id"] == work(CREATE).mark
    assert first_post.path == f"/threads/{Slot('create', 'id')}/posts"


def test_further_threads_of_a_ticket_have_a_reference_of_their_own() -> None:
    """Given a ticket of two partners (Z1.2), when the second is planned, then its reference names the partner."""
    second = Create(**{**_members(CREATE), "details": {"external_id": "35:acme"}})
    assert plan(second).requests[0].body["external_references"][0]["external_id"] == "35:acme"


def test_the_teams_of_the_configuration_are_invited() -> None:
    """Given a team for this exception type, when a thread is planned, then the team joins it."""
    made = plan(CREATE, config=config(teams={"acme": {"short_shipment": "grp_acme_log"}}))
    assert made.requests[0].body["participant_group_ids"] == ["grp_acme_log"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"type": "unheard_of"}, Reason.UNMAPPED_TYPE),
        ({"type": None}, Reason.UNMAPPED_TYPE),
        ({"exception_type": "unheard_of"}, Reason.UNMAPPED_VALUE),
        ({"priority": "Dringend"}, Reason.UNMAPPED_VALUE),
        ({"references": (Reference("passport", "1"),)}, Reason.UNMAPPED_VALUE),
        ({"object_kind": "ticket"}, Reason.REJECTED),
        ({"details": {"hop_count": 8}}, Reason.LOOP),
    ],
    ids=str,
)
def test_what_cannot_be_said_is_named(change: dict[str, Any], reason: Reason) -> None:
    """Given a value without a word at Trading Grid, when planned, then the reason names it and nothing is sent."""
    with pytest.raises(PermanentError) as caught:
        plan(Create(**{**_members(CREATE), **change}))
    assert caught.value.reason is reason


def test_an_unknown_partner_gets_no_thread() -> None:
    """Given a partner without a Trading Grid id, when planned, then the delivery waits as `unknown_partner`."""
    with pytest.raises(PermanentError) as caught:
        plan(CREATE, partner=None)
    assert caught.value.reason is Reason.UNKNOWN_PARTNER


def test_an_existing_thread_is_only_read() -> None:
    """Given an earlier answer said 'exists already', when planned again, then nothing is written."""
    assert all(request.reads for request in plan(CREATE, {"existing_id": "thr_7"}).requests)


def test_a_binding_names_the_counterpart() -> None:
    """Given a bound item, when its identity is written onto the thread, then as `gemini`, `issue`, id and link."""
    assert only(Bind(link_id=1, counterpart_link_id=2)).body == {
        "system": "gemini", "instance": "default", "object_type": "issue", "external_id": "389",
        "url": "https://gemini.example/workspace/0/item/389",
    }  # fmt: skip


@pytest.mark.parametrize(
    "post", [{}, None, {"id": "pst_9", "revision": 3, "redacted": {"time": "2026-11-02T11:00:00Z", "reason": "x"}}]
)
def test_a_redaction_leaves_alone_what_is_gone(post: Any) -> None:
    """Given a post that is gone or redacted, when its redaction is planned, then nothing is written."""
    assert not plan(Redact(link_id=1, origin="gemini:item:389#12"), {"post_pst_9": post})


def test_a_redaction_without_a_known_copy_asks_a_person() -> None:
    """Given no post of ours is known for the part, when its redaction is planned, then it is not forgotten."""
    with pytest.raises(PermanentError, match="by hand"):
        plan(Redact(link_id=1, origin="gemini:item:389#99"))


def test_a_file_goes_up_and_is_linked_for_the_partner() -> None:
    """Given a stored file, when planned, then bytes, document and link follow each other, all the partner's own."""
    upload, document, link = plan(Attach(link_id=1, file=FILE, stored=SHA)).requests
    assert upload.body == Stored(SHA, 182_733)
    assert dict(upload.headers)["Content-Disposition"] == "attachment; filename*=UTF-8''POD%20%C3%A9.pdf"
    assert document.body["renditions"][0]["blob_id"] == Slot("file", "id")
    assert (document.body["partner_id"], document.body["classification"]) == ("prt_acme", "partner_confidential")
    assert link.body == {"visibility": "partner"}


def test_a_quarantined_file_is_never_sent() -> None:
    """Given a quarantined file, when planned, then nothing is sent."""
    file = File("a", "a.exe", "application/octet-stream", 1, Visibility.PARTNER, FileState.QUARANTINED)
    with pytest.raises(PermanentError) as caught:
        plan(Attach(link_id=1, file=file, stored=SHA))
    assert caught.value.reason is Reason.FILE_QUARANTINED


def test_a_planned_thread_shows_its_slot() -> None:
    """Given a thread that is not opened yet, when explained, then its slot stands where its id will be."""
    link = Link(4, "trading_grid", "thread", None)
    request = only(Comment(link_id=4, text=partner_text("Hello"), author=COLLEAGUE), links=(link,))
    assert request.path == "/threads/{{trading_grid.thread}}/posts"


def _members(operation: Create) -> dict[str, Any]:
    return {name: getattr(operation, name) for name in operation.__struct_fields__}

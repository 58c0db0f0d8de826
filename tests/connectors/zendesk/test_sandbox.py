"""Stories against the running sandbox: what is written arrives once, and comes back as what it is."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from pipeline.connector import Work
from pipeline.connectors.zendesk import CONNECTOR
from pipeline.domain.reason import Reason
from pipeline.http import Executor
from pipeline.plan import Verdict
from pipeline.tokens import Tokens
from schemas.change import ChangeKind, ObjectRef
from schemas.content import Author, File, Reference, Side
from schemas.operation import AnyOperation, Attach, Bind, Comment, Create, Fields, Redact, State, Title
from tests.connectors.zendesk.world import BOB, ENV, NOON, Desk, make_config, make_work, running_desk, words
from tests.contracts.validate import Contract
from tests.sandbox.zendesk.desk import running_desk as running_sandbox
from tests.sandbox.zendesk.desk import running_receiver

ORIGIN = "trading_grid:thread:thr_1#post_1"


def open_ticket(desk: Desk, **changed: Any) -> str:
    """A ticket with an internal first comment."""
    ticket = {"subject": "Short shipment", "comment": {"body": "first", "public": False}, **changed}
    return str(desk.call("POST", "/tickets", {"ticket": ticket})["ticket"]["id"])


def close(desk: Desk, ticket: str) -> None:
    """Solve and close the ticket, as the account's automation does."""
    for status in ("solved", "closed"):
        desk.call("PUT", f"/tickets/{ticket}", {"ticket": {"status": status}})


def said(ticket: str, body: str = "We shipped it.", mark: str = "ABCD2345", **changed: Any) -> Work:
    """A delivery of a partner's words."""
    values: dict[str, Any] = {"link_id": 1, "text": words(body), "author": BOB, "at": NOON, "origin": ORIGIN, **changed}
    return make_work(Comment(**values), ticket=ticket, mark=mark, idem_key=f"key-{mark}")


def test_a_note_arrives_private_and_comes_back_as_our_echo(desk: Desk) -> None:
    """Given a partner's post, when delivered and read, then the receipt's ids and the mark say that it is ours."""
    ticket = open_ticket(desk)
    known = desk.read(ticket).known
    receipt, sent = desk.deliver(said(ticket))
    assert sent.outcome.verdict is Verdict.DONE
    assert receipt is not None
    (echo,) = desk.read(ticket, known).changes
    assert (echo.kind, echo.author.ours, echo.marks) == (ChangeKind.SAID, True, ("ABCD2345",))
    assert ("comment", echo.part_id) in receipt.parts
    assert ("audit", echo.details["audit_id"]) in receipt.parts
    assert desk.comments(ticket)[-1]["public"] is False


def test_a_lost_answer_is_found_by_its_mark(desk: Desk) -> None:
    """Given the PUT succeeded and its answer was lost, when looked up, then the same receipt comes back (Z2.7)."""
    ticket = open_ticket(desk)
    assert desk.look_up(said(ticket)) is None
    receipt, _ = desk.deliver(said(ticket))
    assert desk.look_up(said(ticket)) == receipt
    assert desk.look_up(said(ticket, mark="ABCD2346")) is None


def test_placeholders_arrive_as_they_were_written(desk: Desk) -> None:
    """Given `{{ticket.title}}` in a post, when delivered, then Zendesk has expanded nothing (Z2.3)."""
    ticket = open_ticket(desk)
    desk.deliver(said(ticket, "{{ticket.title}} is wrong"))
    assert desk.comments(ticket)[-1]["plain_body"].replace("\u2060", "").endswith("{{ticket.title}} is wrong")


def test_a_long_text_arrives_whole_and_only_missing_parts_are_sent_again(desk: Desk) -> None:
    """Given a post of 150 kB, when its second part is lost and it is tried again, then each part stands once (Z2.4)."""
    ticket = open_ticket(desk)
    work = said(ticket, "carton " * 22_000)
    plan = desk.target.plan(work, {})
    first = type(plan)(plan.system, plan.requests[:1])
    desk.executor.run(first, judge=desk.judge_for(work))
    assert desk.look_up(work) is None
    receipt, sent = desk.deliver(work)
    assert sent.outcome.verdict is Verdict.DONE
    assert receipt is not None
    assert desk.look_up(work) is not None
    bodies = [comment["plain_body"] for comment in desk.comments(ticket)[1:]]
    assert len(bodies) == len(plan.requests)
    assert sum(body.count("carton") for body in bodies) == 22_000


def test_a_closed_ticket_is_followed_up_once(desk: Desk) -> None:
    """Given a closed ticket, when a post comes twice, then one follow-up holds it (Z2.1)."""
    ticket = open_ticket(desk, custom_fields=[{"id": 360001, "value": "prt_acme"}])
    close(desk, ticket)
    receipt, _ = desk.deliver(said(ticket))
    assert receipt is not None
    assert receipt.bound is not None
    assert receipt.closed_link_ids == (1,)
    again = desk.look_up(said(ticket))
    assert again is not None
    assert again.bound == receipt.bound
    repeated, _ = desk.deliver(said(ticket))
    assert repeated is not None
    assert repeated.bound == receipt.bound
    follow_up = desk.ticket(receipt.bound.external_id)
    assert follow_up["is_public"] is False
    assert {"id": 360001, "value": "prt_acme"} in follow_up["custom_fields"]
    assert follow_up["subject"] == "Short shipment"


def test_a_solved_ticket_opens_and_a_status_is_written_only_once(desk: Desk) -> None:
    """Given milestones and a partner's answer, when delivered, then the status follows and repeats write nothing."""
    ticket = open_ticket(desk)
    resolved = make_work(State(link_id=1, state="resolved"), ticket=ticket)
    assert desk.deliver(resolved)[1].outcome.verdict is Verdict.DONE
    assert desk.deliver(resolved)[1].outcome.verdict is Verdict.ALREADY
    desk.deliver(said(ticket))
    assert desk.ticket(ticket)["status"] == "open"


def test_a_typed_update_fills_its_field_whatever_moved_meanwhile(desk: Desk) -> None:
    """Given the ticket moved after it was read, when the guarded write meets 409, then it is decided anew (Z2.10)."""
    ticket = open_ticket(desk)
    work = said(ticket, "Corrected quantity: 40", update_type="quantity_correction")
    stale = {"ticket": {"ticket": {**desk.ticket(ticket), "updated_at": "2026-01-01T00:00:00Z"}}}
    sent = desk.executor.run(desk.target.plan(work, stale), judge=desk.judge_for(work))
    assert sent.outcome.verdict is Verdict.AGAIN
    desk.deliver(work)
    assert {"id": 360006, "value": "40"} in desk.ticket(ticket)["custom_fields"]
    assert len(desk.comments(ticket)) == 2


@pytest.mark.parametrize(("setting", "verdict"), [("park", Verdict.DEAD), ("new_ticket", Verdict.DONE)])
def test_a_full_ticket_parks_or_goes_on_by_setting(setting: str, verdict: Verdict) -> None:
    """Given the ticket takes no more comments, when a post comes, then nothing is lost either way (Z2.13)."""
    with running_desk({"when_full": setting}) as desk:
        ticket = open_ticket(desk)
        answered = requests.put(f"{desk.url}/_sandbox/zendesk", json={"comment_limit": 1}, timeout=10)
        assert answered.status_code == 200
        receipt, sent = desk.deliver(said(ticket))
        assert sent.outcome.verdict is verdict
        if receipt is None:
            assert sent.outcome.reason is Reason.TARGET_FULL
            return
        assert receipt.bound is not None
        assert receipt.bound.external_id != ticket
        assert desk.look_up(said(ticket)) is not None


def test_webhooks_of_the_sandbox_are_believed(desk: Desk) -> None:
    """Given a change at a sandbox that sends webhooks, when they arrive, then each names the ticket."""
    with running_receiver() as receiver, running_sandbox(receiver.url) as sandbox:
        ticket = sandbox.create("first")["id"]
        receiver.wait(bool)
        signals = [desk.source.receive(headers, raw, datetime.now(UTC)) for headers, raw in receiver.deliveries]
    assert {signal.object for signal in signals} == {f"ticket:{ticket}"}


def test_a_created_ticket_is_found_and_never_made_twice(desk: Desk) -> None:
    """Given a create whose answer was lost, when looked up or repeated, then there is one ticket."""
    operation = Create(
        object_kind="ticket", title=words("From a thread"), body=words("Please help"), partner="acme", priority="high",
        partner_name="Acme Logistics", partner_id={"partner": "prt_acme", "organization": "500"},
        origin="trading_grid:thread:t", references=(Reference("purchase_order", "PO-7"),),
        origin_url="https://community.example/threads/t",
    )  # fmt: skip
    work = make_work(operation)
    assert desk.look_up(work) is None
    first, second = desk.deliver(work)[0], desk.deliver(work)[0]
    found = desk.look_up(work)
    assert first is not None
    assert second is not None
    assert found is not None
    assert first.bound == second.bound == found.bound
    assert first.bound is not None
    ticket = desk.ticket(first.bound.external_id)
    assert (ticket["external_id"], ticket["priority"], ticket["is_public"]) == ("trading_grid:thread:t", "high", False)
    opened, comment = desk.read(first.bound.external_id).changes
    assert (opened.kind, opened.marks, comment.marks) == (ChangeKind.OPENED, ("ABCD2345",), ("ABCD2345",))
    assert opened.snapshot.references == (Reference("purchase_order", "PO-7"),)
    assert opened.ref == ObjectRef("zendesk", "ticket", first.bound.external_id)


def test_a_redaction_reaches_our_copy_also_on_a_closed_ticket(desk: Desk) -> None:
    """Given our copy on a ticket closed since, when redacted twice, then only bars are left, by one write (Z2.12)."""
    ticket = open_ticket(desk)
    receipt, _ = desk.deliver(said(ticket))
    assert receipt is not None
    close(desk, ticket)
    work = make_work(Redact(link_id=1, origin=ORIGIN), ticket=ticket, parts={ORIGIN: receipt.parts})
    assert desk.deliver(work)[1].outcome.verdict is Verdict.DONE
    assert "shipped" not in desk.comments(ticket)[-1]["html_body"]
    assert desk.deliver(work)[1].outcome.verdict is Verdict.ALREADY


def test_a_deleted_ticket_becomes_a_tombstone(desk: Desk) -> None:
    """Given the ticket was deleted, when a post comes and when it is read, then both say that it is gone (Z2.11)."""
    ticket = open_ticket(desk)
    known = desk.read(ticket).known
    desk.call("DELETE", f"/tickets/{ticket}")
    work = said(ticket, author=Author(Side.HUB, name="Ann"), origin="gemini:item:3#c1")
    outcome = desk.deliver(work)[1].outcome
    assert (outcome.reason, outcome.learned["gone"]) == (Reason.TARGET_GONE, True)
    assert [change.kind for change in desk.read(ticket, known).changes] == [ChangeKind.DELETED]


@pytest.mark.parametrize(
    "operation",
    [
        Title(link_id=1, title=words("New title")),
        Fields(link_id=1, values={"invoice_number": "I-1", "priority": "urgent"}),
    ],
)
def test_values_are_absolute(desk: Desk, operation: AnyOperation) -> None:
    """Given a title or fields, when delivered twice, then the second time nothing is written."""
    ticket = open_ticket(desk)
    assert desk.deliver(make_work(operation, ticket=ticket))[1].outcome.verdict is Verdict.DONE
    assert desk.deliver(make_work(operation, ticket=ticket))[1].outcome.verdict is Verdict.ALREADY


def test_a_binding_is_told_to_the_agents(desk: Desk) -> None:
    """Given the thread, when bound, then a private note links it."""
    ticket = open_ticket(desk)
    desk.deliver(make_work(Bind(link_id=1, counterpart_link_id=2), ticket=ticket))
    note = desk.comments(ticket)[-1]
    assert note["public"] is False
    assert "https://community.example/threads/thr_1" in note["html_body"]


class Shelf:
    """A document store with one document."""

    def __init__(self, path: Path, data: bytes) -> None:
        path.write_bytes(data)
        self.path, self.sha256, self.size = path, hashlib.sha256(data).hexdigest(), len(data)

    def open(self, sha256: str) -> Iterator[bytes]:
        """The document's bytes."""
        assert sha256 == self.sha256
        yield self.path.read_bytes()


def test_a_file_arrives_with_its_note_and_comes_back_with_its_comment(desk: Desk, tmp_path: Path) -> None:
    """Given a stored file, when attached, then the comment carries it and its id is in the receipt (Z2.9)."""
    shelf = Shelf(tmp_path / "pod.pdf", b"%PDF-1.4 proof")
    env = {**ENV, "ZENDESK_URL": desk.url}
    account = CONNECTOR.account(env, make_config())
    desk.executor = Executor(account, tokens=Tokens(None, "a key"), limiter=None, store=shelf)
    ticket = open_ticket(desk)
    file = File("doc_1", "pod.pdf", "application/pdf", shelf.size)
    receipt, sent = desk.deliver(make_work(Attach(link_id=1, file=file, stored=shelf.sha256), ticket=ticket))
    assert sent.outcome.verdict is Verdict.DONE, sent.outcome
    assert receipt is not None
    (attached,) = desk.comments(ticket)[-1]["attachments"]
    assert (attached["file_name"], attached["size"]) == ("pod.pdf", shelf.size)
    assert ("attachment", str(attached["id"])) in receipt.parts
    desk.executor.close()


def test_the_start_up_check_is_silent_where_nothing_is_missing(desk: Desk) -> None:
    """Given the sandbox's own fields, group and organizations, when checked, then there is nothing to say."""
    assert list(CONNECTOR.check(make_config(group=70), desk.executor)) == []
    assert desk.source.start(desk.executor)["start_time"] > 0


@pytest.mark.shared
def test_the_sandbox_answers_as_the_contract_says(desk: Desk) -> None:
    """Given a ticket with a note, when its reads are answered, then Zendesk's contract describes the answers."""
    ticket = open_ticket(desk)
    desk.deliver(said(ticket))
    for path in (f"/tickets/{ticket}", f"/tickets/{ticket}/comments", f"/tickets/{ticket}/audits", "/users/me"):
        Contract.zendesk().check_answer("GET", path, 200, desk.call("GET", path))

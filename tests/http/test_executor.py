"""Plans on their way: slots, judgement, the lease check, logging in, and what must never be sent."""

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.answers import judge_by_status
from pipeline.connector import Limit
from pipeline.domain.reason import Reason
from pipeline.errors import AuthError, LeaseLostError, PermanentError, TransientError
from pipeline.http import Exchange, ReadOnlyError, Wire, differences, equal, render
from pipeline.limits import Limiter
from pipeline.plan import Answer, Merge, Outcome, Plan, Request, Slot, Stored, Verdict
from tests.http.conftest import MakeExecutor
from tests.http.server import Server, answering, in_turn

COMMENT = Request("comment", "POST", "/comments", body={"text": "Grüße"})


def plan(*requests: Request) -> Plan:
    return Plan("desk", requests)


def test_later_requests_use_earlier_answers(server: Server, make: MakeExecutor) -> None:
    """Path, query, headers and body take ids, list members and headers out of the answers before them."""
    server.scripts["/api/v2/uploads"] = answering(201, {"upload": {"token": "t/1"}, "ids": [{"id": 7}]}, etag='"3"')
    attach = Request(
        "attach",
        "PUT",
        f"/items/{Slot('upload', 'upload.token')}",
        query=(("id", str(Slot("upload", "ids.0.id"))), ("q", "{{ticket.id}} stays")),
        headers=(("If-Match", Slot("upload", "header:ETag")),),
        body={"uploads": [Slot("upload", "upload.token")], "id": Slot("upload", "ids.0.id"), "text": "{{upload.ids}}"},
    )
    sent = make().run(plan(Request("upload", "POST", "/uploads", body={}), attach), judge=judge_by_status)
    assert sent.outcome.verdict is Verdict.DONE
    assert list(sent.answers) == ["upload", "attach"]
    seen = server.seen[1]
    assert seen.target == "/api/v2/items/t%2F1?id=7&q=%7B%7Bticket.id%7D%7D+stays"
    assert seen.headers["if-match"] == '"3"'
    assert json.loads(seen.body) == {"uploads": ["t/1"], "id": 7, "text": "{{upload.ids}}"}


def test_slots_reach_answers_of_earlier_plans(server: Server, make: MakeExecutor) -> None:
    """Given the answers of the facts plan, the writes may name them."""
    known = {"ticket": Answer(200, {}, b'{"ticket":{"id":35}}')}
    request = Request("put", "PUT", f"/tickets/{Slot('ticket', 'ticket.id')}", body={})
    sent = make().run(plan(request), judge=judge_by_status, known=known)
    assert server.seen[0].target == "/api/v2/tickets/35"
    assert set(sent.answers) == {"ticket", "put"}


def test_an_answer_is_sent_back_changed(server: Server, make: MakeExecutor) -> None:
    """A merge leaves the nulls of the earlier answer out and lays the changes over the rest."""
    server.scripts["/api/v2/items"] = answering(200, {"Id": 1, "Title": "old", "Due": None})
    body = Merge(Slot("create", ""), {"Title": "new", "Ref": Slot("create", "Id")})
    requests = (Request("create", "POST", "/items", body={}), Request("put", "PUT", "/items/1", body=body))
    assert make().run(plan(*requests), judge=judge_by_status).outcome.verdict is Verdict.DONE
    assert json.loads(server.seen[1].body) == {"Id": 1, "Title": "new", "Ref": 1}


def test_a_missing_value_is_tried_again(server: Server, make: MakeExecutor) -> None:
    """Given an answer without the id, then the next request is not sent with a hole in it."""
    request = Request("next", "PUT", f"/items/{Slot('comment', 'comment.id')}", body={})
    outcome = make().run(plan(COMMENT, request), judge=judge_by_status).outcome
    assert (outcome.verdict, len(server.seen)) == (Verdict.RETRY, 1)
    assert "comment.id" in outcome.detail


def test_a_plan_stops_at_the_first_failure(server: Server, make: MakeExecutor) -> None:
    """The third request stays unsent when the second is refused; already-so goes on."""
    verdicts = iter((Outcome(Verdict.ALREADY, Reason.ALREADY_SO), Outcome(Verdict.AGAIN, Reason.REJECTED)))
    steps = (COMMENT, Request("two", "POST", "/2"), Request("three", "POST", "/3"))
    sent = make().run(plan(*steps), judge=lambda _request, _answer: next(verdicts))
    assert sent.outcome.verdict is Verdict.AGAIN
    assert [exchange.step for exchange in sent.exchanges] == ["comment", "two"]


def test_an_empty_plan_is_already_so(make: MakeExecutor) -> None:
    """Nothing to write means that the target is as wanted."""
    outcome = make().run(Plan("desk"), judge=judge_by_status).outcome
    assert (outcome.verdict, outcome.reason) == (Verdict.ALREADY, Reason.ALREADY_SO)


@pytest.mark.parametrize("warm", [False, True], ids=["new connection", "kept connection"])
def test_a_lost_lease_stops_the_first_byte(server: Server, make: MakeExecutor, warm: bool) -> None:
    """Given a lease that is lost while the connection is made, then nothing of the request leaves."""
    executor = make()
    if warm:
        executor.run(plan(COMMENT), judge=judge_by_status)
    arrived = len(server.seen)

    def check() -> None:
        raise LeaseLostError("taken over")

    with pytest.raises(LeaseLostError):
        executor.run(plan(COMMENT), judge=judge_by_status, before_send=check)
    assert executor.run(plan(COMMENT), judge=judge_by_status).outcome.verdict is Verdict.DONE
    assert len(server.seen) == arrived + 1


def test_the_lease_is_checked_when_the_connection_stands(make: MakeExecutor) -> None:
    """Where no connection can be made, the check is not even asked: it is the last thing before the first byte."""
    asked: list[int] = []
    make(root_url="http://127.0.0.1:1").run(plan(COMMENT), judge=judge_by_status, before_send=lambda: asked.append(1))
    assert asked == []


def test_a_redirect_is_not_followed(server: Server, make: MakeExecutor) -> None:
    """A redirect elsewhere is a refusal; the log-in goes nowhere else."""
    server.scripts["/api/v2/comments"] = answering(307, location=f"{server.url}/elsewhere")
    outcome = make(headers={"Authorization": "Bearer abcdef"}).run(plan(COMMENT), judge=judge_by_status).outcome
    assert (outcome.verdict, outcome.reason) == (Verdict.DEAD, Reason.REJECTED)
    assert [seen.target for seen in server.seen] == ["/api/v2/comments"]


def test_cookies_are_not_kept(server: Server, make: MakeExecutor) -> None:
    """A session that somebody set must not answer for the next request."""
    server.scripts["/api/v2/comments"] = answering(200, set_cookie="session=1; Path=/")
    executor = make()
    for _ in range(2):
        executor.run(plan(COMMENT), judge=judge_by_status)
    assert "cookie" not in server.seen[1].headers


def test_the_environment_is_not_looked_at(server: Server, make: MakeExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies out of the environment would see every partner's text."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert make().run(plan(COMMENT), judge=judge_by_status).outcome.verdict is Verdict.DONE


def test_a_reader_sends_no_write(server: Server, make: MakeExecutor) -> None:
    """In mode `read` a plan with one write in it is refused whole; `get` refuses writes in every mode."""
    with pytest.raises(ReadOnlyError):
        make({"mode": "read"}).run(plan(Request("a", "GET", "/a", reads=True), COMMENT), judge=judge_by_status)
    with pytest.raises(ReadOnlyError):
        make().get(COMMENT)
    assert server.seen == []


def test_a_declared_read_may_be_a_post(server: Server, make: MakeExecutor) -> None:
    """Gemini searches by POST; in mode `read` that goes out."""
    request = Request("search", "POST", "/search", body={"q": 1}, reads=True)
    assert make({"mode": "read"}).get(request).json == {}


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (404, PermanentError, "404"),
        (401, AuthError, "401"),
        (503, TransientError, "503"),
        (409, TransientError, "409"),
    ],
)
def test_a_reader_hears_why(server: Server, make: MakeExecutor, status: int, error: type[Exception], said: str) -> None:
    """What is no answer is raised by what to do next."""
    server.scripts["/api/v2/item"] = answering(status, retry_after="7")
    with pytest.raises(error, match=said) as raised:
        make().get(Request("item", "GET", "/item"))
    if isinstance(raised.value, PermanentError):
        assert raised.value.reason is Reason.TARGET_GONE
    if status == 503:
        assert isinstance(raised.value, TransientError)
        assert raised.value.retry_after == 7.0


@pytest.mark.parametrize(
    ("status", "verdict"), [(200, Verdict.DEAD), (401, Verdict.AUTH), (403, Verdict.AUTH), (500, Verdict.RETRY)]
)
def test_the_health_call_decides_a_403(server: Server, make: MakeExecutor, status: int, verdict: Verdict) -> None:
    """It holds: this delivery alone is refused. It fails: the log-in is. It says neither: later."""
    server.scripts["/api/v2/comments"] = answering(403)
    server.scripts["/me"] = answering(status)
    health = Request("health", "GET", "/me", reads=True, root=True)
    assert make(health=health).run(plan(COMMENT), judge=judge_by_status).outcome.verdict is verdict


def test_a_403_without_a_health_call_is_the_log_in(server: Server, make: MakeExecutor) -> None:
    """Nothing can decide, so the careful reading holds."""
    server.scripts["/api/v2/comments"] = answering(403)
    assert make().run(plan(COMMENT), judge=judge_by_status).outcome.verdict is Verdict.AUTH


class Documents:
    """A store with one document, read in uneven pieces."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def open(self, sha256: str) -> Iterator[bytes]:
        assert sha256 == hashlib.sha256(self.content).hexdigest()
        yield from (self.content[at : at + 7] for at in range(0, len(self.content), 7))


CONTENT = bytes(range(256)) * 40 + b"."


def document(size: int = len(CONTENT), encode: str = "raw") -> Stored:
    return Stored(hashlib.sha256(CONTENT).hexdigest(), size, encode)


def test_a_document_is_streamed_raw(server: Server, make: MakeExecutor) -> None:
    """As a whole body it arrives byte by byte, with its length, of the type that the plan names."""
    request = Request("upload", "POST", "/uploads", headers=(("Content-Type", "image/png"),), body=document())
    sent = make({"store": Documents(CONTENT)}).run(plan(request), judge=judge_by_status)
    assert server.seen[0].body == CONTENT
    assert server.seen[0].headers["content-type"] == "image/png"
    assert sent.exchanges[0].request_body == f"<{len(CONTENT)} bytes, sha256 {document().sha256}>"


def test_a_document_is_streamed_inside_json(server: Server, make: MakeExecutor) -> None:
    """Base64 within a JSON body, made while it is sent."""
    request = Request(
        "upload", "POST", "/uploads", body={"Name": "ü.png", "Content": document(encode="base64"), "x": 1}
    )
    make({"store": Documents(CONTENT)}).run(plan(request), judge=judge_by_status)
    expected = {"Name": "ü.png", "Content": base64.b64encode(CONTENT).decode(), "x": 1}
    assert json.loads(server.seen[0].body) == expected


def test_a_document_of_another_size_is_not_passed_off(make: MakeExecutor) -> None:
    """Given a store that holds fewer bytes than announced, then the send breaks off and the outcome is unknown."""
    request = Request("upload", "POST", "/uploads", body=document(size=len(CONTENT) + 1))
    outcome = make({"store": Documents(CONTENT)}).run(plan(request), judge=judge_by_status).outcome
    assert outcome.verdict is Verdict.UNKNOWN
    assert "in the store" in outcome.detail


def test_bodies_are_byte_stable(server: Server, make: MakeExecutor) -> None:
    """The same plan gives the same bytes, in UTF-8, in the order of its members, without spaces."""
    executor = make()
    for _ in range(2):
        executor.run(plan(COMMENT), judge=judge_by_status)
    assert server.seen[0].body == server.seen[1].body == '{"text":"Grüße"}'.encode()


@pytest.mark.parametrize("body", [{"x": float("nan")}, {"x": object()}, {"x": "\ud800"}, {"x": document()}])
def test_what_json_cannot_carry_is_dead(server: Server, make: MakeExecutor, body: Any) -> None:
    """A body that is no JSON never leaves and never will."""
    outcome = make().run(plan(Request("a", "POST", "/a", body=body)), judge=judge_by_status).outcome
    assert (outcome.verdict, server.seen) == (Verdict.DEAD, [])


@pytest.mark.parametrize("name", ["x\r\ny", "ключ"])
def test_what_a_header_cannot_carry_is_dead(server: Server, make: MakeExecutor, name: str) -> None:
    """A value that would end its header's line, or that HTTP has no bytes for, is refused before it leaves."""
    request = Request("a", "POST", "/a", headers=(("x-name", name),))
    outcome = make().run(plan(request), judge=judge_by_status).outcome
    assert (outcome.verdict, server.seen) == (Verdict.DEAD, [])


def test_a_used_up_limit_sends_nothing(server: Server, make: MakeExecutor) -> None:
    """The wait becomes a retry with its time; a reader hears the same."""
    limiter = Limiter(None)
    limits = (Limit("all", 1, 60),)
    make({"limiter": limiter}, limits=limits).run(plan(COMMENT), judge=judge_by_status)
    executor = make({"limiter": limiter, "share": "poll"}, limits=limits)
    outcome = executor.run(plan(COMMENT), judge=judge_by_status).outcome
    assert (outcome.verdict, outcome.reason) == (Verdict.RETRY, Reason.WAITING_QUOTA)
    assert outcome.retry_after_seconds is not None
    assert 0 < outcome.retry_after_seconds <= 60
    with pytest.raises(TransientError) as raised:
        executor.get(Request("a", "GET", "/a"))
    assert raised.value.retry_after is not None
    assert len(server.seen) == 1


def test_a_read_that_keeps_is_asked_once(server: Server, make: MakeExecutor) -> None:
    """Within its time an answer is used again, by body and query; a refusal is not kept."""
    server.scripts["/api/v2/labels"] = in_turn(answering(503), answering(200, {"n": 1}))
    clock = iter(range(1000))
    executor = make({"now": lambda: float(next(clock))})
    request = Request("labels", "GET", "/labels", keeps_seconds=50.0)
    with pytest.raises(TransientError):
        executor.get(request)
    assert [executor.get(request).json for _ in range(3)] == [{"n": 1}] * 3
    assert len(server.seen) == 2
    for _ in range(60):
        next(clock)
    executor.get(request)
    assert len(server.seen) == 3


def test_shown_is_what_is_sent(server: Server, make: MakeExecutor, account: Any) -> None:
    """What render shows and what the socket saw are equal but for the log-in; a changed byte is told."""
    request = Request("a", "POST", "/a b/ü".replace(" ", "%20").replace("ü", "%C3%BC"), (("q", "1 2"),), body={"ü": 1})
    make(headers={"authorization": "Bearer secret"}).run(plan(request), judge=judge_by_status)
    seen = server.seen[0]
    wire = Wire(seen.method, seen.target, seen.headers, seen.body)
    shown = render(request, account, {}, {})
    assert differences(shown, wire) == ()
    assert not equal(shown, Wire(seen.method, seen.target, seen.headers, seen.body + b" "))


def test_the_record_hook_sees_every_exchange(server: Server, make: MakeExecutor) -> None:
    """Reads of `get` too."""
    seen: list[Exchange] = []
    executor = make({"record": seen.append})
    executor.get(Request("item", "GET", "/item"))
    executor.run(plan(COMMENT), judge=judge_by_status)
    assert [(it.step, it.status, it.sent) for it in seen] == [("item", 200, True), ("comment", 200, True)]

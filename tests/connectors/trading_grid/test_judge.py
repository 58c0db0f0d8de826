"""What Trading Grid's answers mean for a delivery."""

from typing import Any

import pytest

from pipeline.connectors.trading_grid import CONNECTOR
from pipeline.domain.reason import Reason
from pipeline.plan import Outcome, Request, Verdict
from schemas.operation import AnyOperation, Bind, Comment, Create, Redact
from tests.connectors.trading_grid.desk import COLLEAGUE, ENV, answer, config, partner_text, payload, work
from tests.connectors.trading_grid.test_plan import CREATE

TARGET = CONNECTOR.target(ENV, config())
COMMENT = Comment(link_id=1, text=partner_text("Hello"), author=COLLEAGUE)
POST = Request("post", "POST", "/threads/thr_905/posts")
HOP = Request("received_to_resolved", "POST", "/threads/thr_905/transitions")

REFUSALS = [
    (422, "cross_partner_reference", Verdict.DEAD, Reason.CROSS_PARTNER),
    (422, "fan_out_required", Verdict.DEAD, Reason.FAN_OUT),
    (422, "visibility_violation", Verdict.DEAD, Reason.VISIBILITY),
    (422, "hop_limit", Verdict.DEAD, Reason.LOOP),
    (422, "validation_failed", Verdict.DEAD, Reason.REJECTED),
    (422, "checksum_mismatch", Verdict.DEAD, Reason.CHECKSUM_MISMATCH),
    (422, "idempotency_key_reused", Verdict.DEAD, Reason.MAY_HAVE_HAPPENED),
    (409, "legal_hold", Verdict.DEAD, Reason.LEGAL_HOLD),
    (409, "document_quarantined", Verdict.DEAD, Reason.FILE_QUARANTINED),
    (409, "conflict", Verdict.DEAD, Reason.TARGET_CLOSED),
    (409, "document_pending_scan", Verdict.RETRY, Reason.WAITING_SCAN),
    (409, "idempotency_in_progress", Verdict.RETRY, Reason.WAITING_RETRY),
    (410, "upload_expired", Verdict.AGAIN, Reason.WAITING_RETRY),
    (412, "precondition_failed", Verdict.AGAIN, Reason.WAITING_RETRY),
    (428, "precondition_required", Verdict.AGAIN, Reason.WAITING_RETRY),
    (413, "payload_too_large", Verdict.DEAD, Reason.FILE_TOO_LARGE),
    (415, "unsupported_media_type", Verdict.DEAD, Reason.FILE_TYPE_REFUSED),
    (404, "not_found", Verdict.DEAD, Reason.TARGET_GONE),
    (400, "invalid_request", Verdict.DEAD, Reason.REJECTED),
    (401, "unauthenticated", Verdict.AUTH, Reason.TARGET_REFUSES_LOGIN),
    (429, "rate_limited", Verdict.RETRY, Reason.WAITING_QUOTA),
    (500, "internal_error", Verdict.RETRY, Reason.WAITING_RETRY),
    (503, "unavailable", Verdict.RETRY, Reason.WAITING_RETRY),
    (422, "a_code_of_tomorrow", Verdict.DEAD, Reason.REJECTED),
]


def judge(request: Request, status: int, body: Any, operation: AnyOperation = COMMENT) -> Outcome:
    return TARGET.judge(work(operation), request, answer(status, body))


@pytest.mark.parametrize(("status", "code", "verdict", "reason"), REFUSALS)
def test_problems_are_judged_by_their_code(status: int, code: str, verdict: Verdict, reason: Reason) -> None:
    """Given a refusal of the sheet's table, when judged, then it ends as the table says and quotes its trace."""
    outcome = judge(POST, status, {"code": code, "detail": "said why", "trace_id": "t-1"})
    assert (outcome.verdict, outcome.reason) == (verdict, reason)
    assert code in outcome.detail


@pytest.mark.parametrize(
    ("retry_after", "seconds"), [("7", 7.0), ("Mon, 02 Nov 2026 11:00:30 GMT", 30.0), ("soon", None)]
)
def test_both_spellings_of_retry_after(retry_after: str, seconds: float | None) -> None:
    """Given seconds or an HTTP-date, when 429 is judged, then the wait is the same kind of number."""
    made = answer(429, {"code": "rate_limited"}, retry_after=retry_after, date="Mon, 02 Nov 2026 11:00:00 GMT")
    assert TARGET.judge(work(COMMENT), POST, made).retry_after_seconds == seconds


@pytest.mark.parametrize(
    ("name", "status", "verdict", "words"),
    [
        ("problem_legacy_cms", 409, Verdict.AGAIN, "Instance is locked"),
        ("problem_legacy_communications", 503, Verdict.RETRY, "E-77 - try later"),
    ],
)
def test_older_error_shapes_are_understood(name: str, status: int, verdict: Verdict, words: str) -> None:
    """Given an error body of OpenText's other services, when judged, then the status decides and its words are kept."""
    outcome = judge(HOP, status, payload(name))
    assert outcome.verdict is verdict
    assert words in outcome.detail


@pytest.mark.parametrize("body", [None, [], "text", {"code": 5, "errors": ["?"]}, {"errors": 3}])
def test_an_unheard_of_body_is_judged_by_its_status(body: Any) -> None:
    """Given an error body of no known shape, when judged, then its status decides."""
    assert judge(POST, 422, body).verdict is Verdict.DEAD


def test_a_refused_transition_teaches_the_next_plan() -> None:
    """Given 409 invalid_transition, when judged, then the allowed states are learned for the state it began in."""
    outcome = judge(HOP, 409, payload("problem_invalid_transition"))
    assert outcome.verdict is Verdict.AGAIN
    assert outcome.learned == {"allowed_from:received": ["in_progress", "withdrawn"]}


@pytest.mark.parametrize(
    ("operation", "step"), [(COMMENT, "post"), (COMMENT, "post2"), (Bind(link_id=1, counterpart_link_id=2), "bind")]
)
def test_what_exists_already_is_done(operation: AnyOperation, step: str) -> None:
    """Given 409 external_reference_exists for a post or a binding (G1.3), when judged, then it counts as done."""
    request = Request(step, "POST", "/threads/thr_905/posts")
    outcome = judge(request, 409, {"code": "external_reference_exists", "existing_id": "pst_7"}, operation)
    assert outcome.verdict is Verdict.ALREADY


def test_a_post_that_exists_stands_on_the_receipt() -> None:
    """Given 409 with the id of our earlier post, when the receipt is made, then an echo of that post is known."""
    answers = {"post": answer(409, {"code": "external_reference_exists", "existing_id": "pst_7"})}
    assert TARGET.receipt(work(COMMENT), answers).parts == (("post", "pst_7"),)


def test_an_existing_thread_is_taken_only_from_the_same_partner() -> None:
    """Given a reference that is bound already, when its thread is read, then another partner's is never taken."""
    refused = {"code": "external_reference_exists", "existing_id": "thr_7"}
    outcome = judge(Request("create", "POST", "/threads"), 409, refused, CREATE)
    assert (outcome.verdict, outcome.learned) == (Verdict.AGAIN, {"existing_id": "thr_7"})
    read = Request("existing", "GET", "/threads/thr_7", reads=True)
    ours = judge(read, 200, {"id": "thr_7", "partner_id": "prt_acme"}, CREATE)
    theirs = judge(read, 200, {"id": "thr_7", "partner_id": "prt_globex"}, CREATE)
    assert (ours.verdict, theirs.verdict, theirs.reason) == (Verdict.DONE, Verdict.DEAD, Reason.CROSS_PARTNER)


def test_a_reference_we_may_not_see_is_a_dead_letter() -> None:
    """Given 409 without the id of what exists, when judged, then a person has to look."""
    outcome = judge(Request("create", "POST", "/threads"), 409, {"code": "external_reference_exists"}, CREATE)
    assert outcome.verdict is Verdict.DEAD


def test_a_gone_thread_becomes_a_tombstone() -> None:
    """Given 404 for the thread, when judged, then the link is marked gone; a gone post is as good as redacted."""
    assert judge(POST, 404, {"code": "not_found"}).learned == {"gone": True}
    redact = Request("redact_pst_9", "POST", "/posts/pst_9/redactions")
    assert judge(redact, 404, {"code": "not_found"}, Redact(link_id=1, origin="x")).verdict is Verdict.ALREADY


def test_a_login_page_is_no_success() -> None:
    """Given a 200 with a web page, when judged, then the API was not reached."""
    page = answer(200, None)
    outcome = TARGET.judge(work(COMMENT), POST, type(page)(200, {"content-type": "text/html"}, b"<!doctype html>"))
    assert outcome.verdict is Verdict.RETRY


def test_a_thread_is_found_by_its_reference_or_our_mark() -> None:
    """Given a list of threads, when ours is sought, then reference or mark and the partner decide."""
    reference = {"system": "zendesk", "instance": "default", "object_type": "ticket", "external_id": "35"}
    mine = {"id": "thr_7", "partner_id": "prt_acme", "external_references": [reference]}
    marked = {"id": "thr_8", "partner_id": "prt_acme", "origin": {"correlation_id": work(CREATE).mark}}
    other = {**mine, "partner_id": "prt_globex"}
    assert _found(CREATE, [other]) is None
    assert _found(CREATE, [{**mine, "external_references": [{**reference, "object_type": "problem"}]}]) is None
    for thread in (mine, marked):
        bound = _found(CREATE, [other, thread]).bound
        assert bound is not None
        assert bound.external_id == thread["id"]


def test_a_split_comment_is_found_only_whole() -> None:
    """Given two of three pieces stand, when looked up, then the rest must still go; with all three it is done."""
    long = Comment(link_id=1, text=partner_text("word " * 30_000), author=COLLEAGUE)
    posts = [{"id": f"pst_{n}", "origin": {"correlation_id": work(long).mark}} for n in range(3)]
    assert _found(long, posts[:2]) is None
    assert len(_found(long, posts).parts) == 3


def test_nothing_found_on_a_gone_thread_is_no_error() -> None:
    """Given the thread is gone, when looked up, then the look-up ends well and finds nothing."""
    find = TARGET.find(work(COMMENT)).requests[0]
    assert judge(find, 404, {"code": "not_found"}).verdict is Verdict.DONE
    assert TARGET.found(work(COMMENT), {"find": answer(404, {"code": "not_found"})}) is None


def test_empty_pages_have_no_embedded_member() -> None:
    """Given a page without `_embedded`, as OpenText's CMS leaves it out, when looked up, then nothing is found."""
    assert TARGET.found(work(COMMENT), {"find": answer(200, {"page": {"has_more": False}})}) is None


def _found(operation: Create | Comment, entries: list[dict[str, Any]]) -> Any:
    return TARGET.found(work(operation), {"find": answer(200, {"_embedded": {"collection": entries}})})

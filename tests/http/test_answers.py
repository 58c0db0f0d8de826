"""What an answer's status and headers are taken to mean."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.answers import LONGEST_WAIT_SECONDS, excerpt, judge_by_status, retry_after_seconds
from pipeline.domain.reason import Reason
from pipeline.plan import Answer, Outcome, Request, Verdict

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
REQUEST = Request("comment", "POST", "/comments", body={"text": "Hello"})


def judged(status: int, body: bytes = b"{}", **headers: str) -> Outcome:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return judge_by_status(REQUEST, Answer(status, named, body))


@pytest.mark.parametrize(
    ("status", "verdict", "reason"),
    [
        (200, Verdict.DONE, Reason.DELIVERED),
        (204, Verdict.DONE, Reason.DELIVERED),
        (302, Verdict.DEAD, Reason.REJECTED),
        (400, Verdict.DEAD, Reason.REJECTED),
        (401, Verdict.AUTH, Reason.TARGET_REFUSES_LOGIN),
        (403, Verdict.AUTH, Reason.TARGET_REFUSES_LOGIN),
        (404, Verdict.DEAD, Reason.TARGET_GONE),
        (408, Verdict.RETRY, Reason.WAITING_RETRY),
        (409, Verdict.AGAIN, Reason.REJECTED),
        (412, Verdict.AGAIN, Reason.REJECTED),
        (413, Verdict.DEAD, Reason.REJECTED),
        (422, Verdict.DEAD, Reason.REJECTED),
        (425, Verdict.RETRY, Reason.WAITING_RETRY),
        (429, Verdict.RETRY, Reason.WAITING_QUOTA),
        (500, Verdict.RETRY, Reason.WAITING_RETRY),
        (503, Verdict.RETRY, Reason.WAITING_RETRY),
    ],
)
def test_each_status_has_one_meaning(status: int, verdict: Verdict, reason: Reason) -> None:
    """Given no better knowledge, the status alone decides what comes next and what the ledger says."""
    outcome = judged(status)
    assert (outcome.verdict, outcome.reason) == (verdict, reason)


def test_only_a_403_asks_for_the_health_call() -> None:
    """A 403 may be about this object alone, so the target's health call has to decide; a 401 never needs it."""
    assert judged(403).learned == {"check_health": True}
    assert judged(401).learned == {}


def test_a_web_page_is_no_success() -> None:
    """A 200 with a log-in page, declared or not, is tried again; an empty 200 of that type is a success."""
    page = b"\xef\xbb\xbf\n<!DOCTYPE html><html>Please log in</html>"
    assert judged(200, page).verdict is Verdict.RETRY
    assert judged(200, b"<p>", content_type="text/HTML; charset=utf-8").detail == "an HTML page instead of JSON"
    assert judged(204, b"", content_type="text/html").verdict is Verdict.DONE


def test_a_page_that_was_asked_for_is_a_success() -> None:
    """Given a plan that accepts anything, HTML is an answer like others."""
    request = Request("file", "GET", "/file", headers=(("Accept", "*/*"),), reads=True)
    assert judge_by_status(request, Answer(200, {"content-type": "text/html"}, b"<html>")).verdict is Verdict.DONE


def test_a_refusal_quotes_the_answer_cleanly() -> None:
    """The first 300 characters stand in the dead letter, without control or direction characters."""
    outcome = judged(422, b'{"error":\r\n"\x1b[31mbad\x00 \xe2\x80\xaevalue"}' + b"x" * 900)
    assert outcome.detail.startswith('422 {"error": " [31mbad value"}')
    assert len(outcome.detail) == len("422 ") + 300


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0", 0.0),
        ("120", 120.0),
        ("1.5", 1.5),
        ("999999", LONGEST_WAIT_SECONDS),
        ("99999999999", None),
        ("-5", None),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("１２", 12.0),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW + timedelta(days=2), usegmt=True), LONGEST_WAIT_SECONDS),
        (format_datetime(NOW - timedelta(seconds=1), usegmt=True), None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", None),
    ],
)
def test_retry_after_is_believed_within_reason(value: str, expected: float | None) -> None:
    """Seconds and dates count, capped at six hours; what is negative, absurd or unreadable is as if missing."""
    assert retry_after_seconds({"retry-after": value}, NOW) == expected


def test_a_date_is_read_by_the_clock_of_its_sender() -> None:
    """Given a server whose clock is a year off, its Retry-After date still means the minute it names."""
    theirs = NOW - timedelta(days=365)
    outcome = judged(
        503,
        date=format_datetime(theirs, usegmt=True),
        retry_after=format_datetime(theirs + timedelta(seconds=60), usegmt=True),
    )
    assert outcome.retry_after_seconds == 60.0


@given(st.text(max_size=60))
def test_no_retry_after_breaks_the_reader(value: str) -> None:
    """Whatever stands there, the wait is None or between zero and six hours."""
    wait = retry_after_seconds({"retry-after": value}, NOW)
    assert wait is None or 0 <= wait <= LONGEST_WAIT_SECONDS


@given(st.integers(100, 999), st.binary(max_size=2000), st.text(max_size=30))
def test_every_answer_gets_an_outcome(status: int, body: bytes, content_type: str) -> None:
    """No status, body or type makes the judgement fail, and success is claimed for a 2xx only."""
    outcome = judge_by_status(REQUEST, Answer(status, {"content-type": content_type}, body))
    assert outcome.verdict is not Verdict.DONE or 200 <= status < 300
    assert (outcome.reason is Reason.DELIVERED) == (outcome.verdict is Verdict.DONE)


@given(st.binary(max_size=3000))
def test_an_excerpt_is_one_short_printable_line(body: bytes) -> None:
    """Whatever bytes came, what is shown has at most 300 characters and no line end."""
    text = excerpt(body)
    assert len(text) <= 300
    assert not any(character < " " or "\x7f" <= character <= "\x9f" for character in text)

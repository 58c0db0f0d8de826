"""What an HTTP status means where a connector knows nothing better (reliability.md 3.4, decisions D20)."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from pipeline.domain.reason import Reason
from pipeline.plan import Answer, Outcome, Request, Verdict

LONGEST_WAIT_SECONDS = 6 * 3600.0
_ABSURD_SECONDS = 366 * 86_400.0  # nobody means a year: a wrong clock or milliseconds; our own schedule is better
_EXCERPT_LENGTH = 300  # characters of a refusal that an operator reads in a dead letter
_RETRY_LATER = frozenset({408, 425, 429})
_SECONDS = re.compile(r"\d{1,15}(?:\.\d{0,9})?")
_HTML_START = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html)\b", re.IGNORECASE)
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")


def judge_by_status(request: Request, answer: Answer) -> Outcome:
    """The outcome by status alone. A 403 asks for the target's health call by `learned["check_health"]`.

    409 and 412 are AGAIN: refused without effect because the object moved on. Redirects are never followed, so a
    3xx is a refusal.
    """
    status = answer.status
    if 200 <= status < 300:
        return _judge_success(request, answer)
    if status in _RETRY_LATER or status >= 500:
        reason = Reason.WAITING_QUOTA if status == 429 else Reason.WAITING_RETRY
        wait = retry_after_seconds(answer.headers, _answered_at(answer))
        return Outcome(Verdict.RETRY, reason, _describe(answer), retry_after_seconds=wait)
    if status == 401:
        return Outcome(Verdict.AUTH, Reason.TARGET_REFUSES_LOGIN, _describe(answer))
    if status == 403:
        return Outcome(Verdict.AUTH, Reason.TARGET_REFUSES_LOGIN, _describe(answer), learned={"check_health": True})
    if status in (404, 410):
        return Outcome(Verdict.DEAD, Reason.TARGET_GONE, _describe(answer))
    if status in (409, 412):
        return Outcome(Verdict.AGAIN, Reason.REJECTED, _describe(answer))
    return Outcome(Verdict.DEAD, Reason.REJECTED, _describe(answer))


def retry_after_seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that `Retry-After` (RFC 9110, 10.2.3: seconds or HTTP-date) asks for, at most six hours.

    `headers` have lower-case names, `now` is aware. None where it is missing, unreadable, in the past or absurd:
    then the caller's own schedule holds.
    """
    value = headers.get("retry-after", "").strip()
    seconds = float(value) if _SECONDS.fullmatch(value) else _seconds_until(value, now)
    if seconds is None or not 0 <= seconds <= _ABSURD_SECONDS:
        return None
    return min(seconds, LONGEST_WAIT_SECONDS)


def is_html(answer: Answer) -> bool:
    """Whether a web page came back: by its declared type, or by its first tag where the type lies."""
    declared = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    return bool(answer.body) and (
        declared in ("text/html", "application/xhtml+xml") or _HTML_START.match(answer.body) is not None
    )


def excerpt(body: bytes) -> str:
    """The first 300 characters of an answer, fit for a terminal and a log line: no controls, single spaces."""
    text = body[: _EXCERPT_LENGTH * 8].decode("utf-8", errors="replace")
    return _UNPRINTABLE.sub(" ", text).strip()[:_EXCERPT_LENGTH]


def _judge_success(request: Request, answer: Answer) -> Outcome:
    if _expects_json(request) and is_html(answer):
        # a log-in or maintenance page in front of the API: the API itself was not reached
        return Outcome(Verdict.RETRY, Reason.WAITING_RETRY, "an HTML page instead of JSON")
    return Outcome(Verdict.DONE)


def _expects_json(request: Request) -> bool:
    """Unless the plan's author asked for something else by `accept`."""
    accepted = [str(value) for name, value in request.headers if name.lower() == "accept"]
    return not accepted or "json" in accepted[0].lower()


def _describe(answer: Answer) -> str:
    return f"{answer.status} {excerpt(answer.body)}".rstrip()


def _answered_at(answer: Answer) -> datetime:
    """The answering server's own clock where it tells it: its HTTP-dates are meant by that one."""
    return _parse_date(answer.headers.get("date", "")) or datetime.now(UTC)


def _seconds_until(value: str, now: datetime) -> float | None:
    at = _parse_date(value)
    return None if at is None else (at - now).total_seconds()


def _parse_date(value: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError, IndexError):  # what the parser raises on other people's dates
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)

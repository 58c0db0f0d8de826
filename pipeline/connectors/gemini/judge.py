"""What an answer means: 200 alone is success, and even 200 may be a refused log-in."""

import re
from collections.abc import Mapping
from typing import Any

from pipeline.answers import excerpt, is_html, judge_by_status
from pipeline.connectors.gemini.settings import Options
from pipeline.connectors.gemini.site import user_id
from pipeline.connectors.gemini.wire import entity, optional
from pipeline.domain.reason import Reason
from pipeline.errors import AuthError
from pipeline.plan import Answer, Merge, Outcome, Request, Verdict

DONE = Outcome(Verdict.DONE)
PASSING = re.compile(r"deadlock|time-?out|timed out", re.IGNORECASE)
REFUSAL = re.compile(r"workflow|transition|status|child|dependen|mandatory|required|rule|not allowed", re.IGNORECASE)
MAY_BE_ABSENT = {"originator", "linktypes", "link"}  # paths that no page documents: their refusal says nothing


def judge(request: Request, answer: Answer, options: Options) -> Outcome:
    """The verdict on one answer of facts, plan or look-up."""
    if 200 <= answer.status < 300:
        return _success(request, answer, options)
    if answer.status in (401, 403, 408, 425, 429):
        return judge_by_status(request, answer)
    if request.step in MAY_BE_ABSENT and answer.status not in (502, 503, 504):
        return DONE
    if request.step == "attach" and answer.status in (404, 413) and (is_html(answer) or answer.status == 413):
        return Outcome(Verdict.DEAD, Reason.FILE_TOO_LARGE, "the web server in front of the site refused its size")
    if is_html(answer):
        return _page(answer)
    return _refusal(request, answer)


def _success(request: Request, answer: Answer, options: Options) -> Outcome:
    if request.step.startswith("field:") and answer.status in (200, 201, 204):
        return _page(answer) if is_html(answer) else DONE
    try:
        body = answer.json
    except ValueError:
        return _page(answer)
    if body is None:
        return DONE if request.step in MAY_BE_ABSENT else _auth("the answer is null")
    if answer.status != 200:  # a create answers 200 only (sheet, 4.1): whatever this is, it must be looked up
        return Outcome(Verdict.UNKNOWN, Reason.MAY_HAVE_HAPPENED, f"{answer.status} {excerpt(answer.body)}")
    return _content(request, body, options)


def _content(request: Request, body: Any, options: Options) -> Outcome:
    """A 200 read closely: who are we, who wrote it, who may see it, did the hop happen."""
    if request.step in ("me", "health"):
        return _who(body, options)
    if request.reads or not isinstance(body, Mapping):
        return DONE
    stored = entity(body)
    if request.step == "create":
        return _written_by(stored, "Creator", request, "ReportedBy")
    if request.step == "comment" or request.step.startswith("redact:"):
        return _comment(stored, request)
    if request.step.startswith("via"):
        return _passed(stored, request)
    return DONE


def _who(body: Any, options: Options) -> Outcome:
    try:
        user_id(body, options.username)
    except AuthError as error:
        return _auth(str(error))
    return DONE


def _written_by(stored: Mapping[str, Any], name: str, request: Request, sent: str) -> Outcome:
    """Anonymous visitors may be let in under a wrong key: then somebody else is the author (sheet, section 1)."""
    author, ours = stored.get(name, request.body[sent]), optional(request.body[sent])
    if optional(author) != ours:
        return _auth(f"{name}: found {author!r}, expected our user {ours}")
    return DONE


def _comment(stored: Mapping[str, Any], request: Request) -> Outcome:
    sent, kept = request.body.get("Visibility"), optional(stored.get("Visibility"))
    if kept != sent:
        detail = f"Visibility: sent group {sent}, the site stored {kept}"
        return Outcome(Verdict.DEAD, Reason.VISIBILITY_MISMATCH, detail)
    return _written_by(stored, "UserId", request, "UserId") if "UserId" in request.body else DONE


def _passed(stored: Mapping[str, Any], request: Request) -> Outcome:
    """Between two hops an event app may have moved the item: then the way is planned anew from where it is."""
    members = request.body.changes if isinstance(request.body, Merge) else request.body
    sent, kept = members["StatusId"], optional(stored.get("StatusId"))
    if kept != sent:
        detail = f"StatusId: sent {sent}, the site stored {kept}"
        return Outcome(Verdict.AGAIN, Reason.TRANSITION_REFUSED, detail)
    return DONE


def _refusal(request: Request, answer: Answer) -> Outcome:
    """ASP.NET's error object; which status goes with which refusal is documented nowhere (sheet, section 9)."""
    text = _message(answer)
    if PASSING.search(text):
        return Outcome(Verdict.RETRY, Reason.WAITING_RETRY, text)
    if answer.status >= 500 and not REFUSAL.search(text):
        return judge_by_status(request, answer)
    if request.step.startswith("field:") and request.method == "POST" and answer.status != 404:
        return Outcome(Verdict.AGAIN, Reason.REJECTED, text, learned={f"upsert:{request.step[6:]}": True})
    if request.step == "hop" or request.step.startswith("via"):
        return Outcome(Verdict.DEAD, Reason.TRANSITION_REFUSED, text)
    if answer.status in (404, 410):
        return Outcome(Verdict.DEAD, Reason.TARGET_GONE, text)
    return Outcome(Verdict.DEAD, Reason.REJECTED, text)


def _message(answer: Answer) -> str:
    try:
        body = answer.json
    except ValueError:
        body = None
    if isinstance(body, Mapping):
        texts = [str(body[name]) for name in ("ExceptionMessage", "Message") if body.get(name)]
        if texts:
            return f"{answer.status} {texts[0][:300]}"
    return f"{answer.status} {excerpt(answer.body)}".rstrip()


def _page(answer: Answer) -> Outcome:
    """A web page or nothing at all where JSON belongs: a log-in or error page in front of the API."""
    seen = answer.body[:1000].decode("utf-8", "replace")
    return Outcome(Verdict.RETRY, Reason.WAITING_RETRY, f"{answer.status}, no JSON: {seen}")


def _auth(detail: str) -> Outcome:
    return Outcome(Verdict.AUTH, Reason.TARGET_REFUSES_LOGIN, detail)

"""What Zendesk's answers mean: closed, full, in conflict, refused (sheet 7)."""

import json
import re
from dataclasses import replace
from typing import Any

from pipeline.answers import excerpt, judge_by_status
from pipeline.connectors.zendesk.requests import READ_COMMENTS, READ_TICKET, UPLOAD
from pipeline.connectors.zendesk.settings import Options
from pipeline.domain.reason import Reason
from pipeline.plan import Answer, Outcome, Request, Verdict

WARNING = "x-zendesk-api-warn"  # names the keys that Zendesk dropped without an error
# The wording of the refusal of comment 5,001 is not documented: a bound and the word "comment" in one sentence.
_BOUND = r"(?:5,?000|limit|maximum|too many|more than|exceed|reached)"
_FULL = re.compile(rf"{_BOUND}[^.]{{0,80}}comment|comment[^.]{{0,80}}{_BOUND}", re.IGNORECASE)
_PER_TICKET = re.compile(r"zendesk-rate-?limit-per-ticket-updates$")
_TOKEN = re.compile(r"upload|token|attachment", re.IGNORECASE)


def judge(request: Request, answer: Answer, options: Options) -> Outcome:
    """One answer's outcome. AGAIN carries what was learned: `closed`, `full` or `upload_refused`."""
    if 200 <= answer.status < 300:
        return _judge_success(request, answer)
    if answer.status == 400 and error_of(answer) == "IdempotentRequestError":
        return Outcome(Verdict.DEAD, Reason.REJECTED, f"another body under the same key: {excerpt(answer.body)}")
    if answer.status == 404 and request.reads and request.step != READ_TICKET:
        return _judge_absence(request, answer)
    if answer.status == 404 and "/tickets/" in request.path:
        return Outcome(Verdict.DEAD, Reason.TARGET_GONE, excerpt(answer.body), learned={"gone": True})
    if answer.status == 409:
        return _judge_conflict(request, answer)
    if request.step.startswith(UPLOAD):
        return _judge_upload(request, answer)
    if answer.status == 422 and not request.reads:
        return _judge_invalid(request, answer, options)
    outcome = judge_by_status(request, answer)
    return replace(outcome, learned={"scope": "object"}) if _is_of_one_ticket(answer) else outcome


def error_of(answer: Answer) -> str:
    """The error's name: Zendesk writes `error` as a text or as an object with a title."""
    error = _body(answer).get("error")
    if isinstance(error, dict):
        error = error.get("title")
    return error if isinstance(error, str) else ""


def _judge_success(request: Request, answer: Answer) -> Outcome:
    outcome = judge_by_status(request, answer)
    if outcome.verdict is not Verdict.DONE or request.reads:
        return outcome
    if _published(answer):
        detail = "Zendesk stored a comment of ours as public"
        return Outcome(Verdict.DEAD, Reason.VISIBILITY_MISMATCH, detail)
    warning = answer.headers.get(WARNING, "")
    return Outcome(Verdict.DONE, detail=f"{WARNING}: {warning}" if warning else "")


def _published(answer: Answer) -> bool:
    audit = _body(answer).get("audit")
    events = audit.get("events") if isinstance(audit, dict) else None
    return any(event.get("type") == "Comment" and event.get("public") is True for event in events or [])


def _judge_upload(request: Request, answer: Answer) -> Outcome:
    """A comment's file that Zendesk does not take, now or ever, must not hold the words back (flows.md Z2.9).

    A file that comes alone can wait. A refused log-in and a limit concern more than the file.
    """
    outcome = judge_by_status(request, answer)
    refused = answer.status in (413, 422)
    if outcome.verdict is Verdict.AUTH or answer.status == 429 or (request.step == UPLOAD and not refused):
        return outcome
    return _again(answer, **{refusal_of(request.step): _description(answer) or str(answer.status)})


def refusal_of(step: str) -> str:
    """The fact that an upload was refused, by its step."""
    return f"{step}_refused"


def _is_of_one_ticket(answer: Answer) -> bool:
    """Whether the updates of this ticket are used up, not the account's: every other ticket may go on."""
    return answer.status == 429 and any(
        _PER_TICKET.match(name) and "remaining=0" in value for name, value in answer.headers.items()
    )


def _judge_absence(request: Request, answer: Answer) -> Outcome:
    """Of a look-up: nothing of ours is there, and the write after it tells what is gone. Else a person looks."""
    if request.step == READ_COMMENTS:
        return Outcome(Verdict.DONE)
    return Outcome(Verdict.DEAD, Reason.REJECTED, f"{request.path}: {excerpt(answer.body)}")


def _judge_conflict(request: Request, answer: Answer) -> Outcome:
    """An update is decided anew on what the ticket holds now. A create that still runs is asked again under its key:
    deciding anew would give it another key, and a second ticket.
    """
    if request.method == "POST":
        return Outcome(Verdict.RETRY, Reason.WAITING_RETRY, excerpt(answer.body))
    return _again(answer)


def _judge_invalid(request: Request, answer: Answer, options: Options) -> Outcome:
    said = _description(answer)
    if "closed prevents ticket update" in said:
        return _again(answer, closed=True)
    if _comments(request) and _FULL.search(said):
        if options.when_full == "new_ticket":
            return _again(answer, full=True)
        return Outcome(Verdict.DEAD, Reason.TARGET_FULL, excerpt(answer.body))
    if _uploads(request) and _TOKEN.search(said):
        return _again(answer)  # a token that is used up or too old: upload anew
    return Outcome(Verdict.DEAD, Reason.REJECTED, f"{answer.status} {excerpt(answer.body)}")


def _again(answer: Answer, **learned: Any) -> Outcome:
    return Outcome(Verdict.AGAIN, Reason.REJECTED, f"{answer.status} {excerpt(answer.body)}", learned=learned)


def _comments(request: Request) -> bool:
    return "comment" in _ticket(request)


def _uploads(request: Request) -> bool:
    return bool((_ticket(request).get("comment") or {}).get("uploads"))


def _ticket(request: Request) -> dict[str, Any]:
    body = request.body if isinstance(request.body, dict) else {}
    ticket = body.get("ticket")
    return ticket if isinstance(ticket, dict) else {}


def _description(answer: Answer) -> str:
    """All that the refusal says, as one text."""
    body = _body(answer)
    return json.dumps(body, ensure_ascii=False) if body else excerpt(answer.body)


def _body(answer: Answer) -> dict[str, Any]:
    try:
        body = answer.json
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}

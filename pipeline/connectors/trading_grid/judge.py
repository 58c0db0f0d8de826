"""What Trading Grid's answers mean: problem+json by its `code`, OpenText's older shapes by their status."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from pipeline.answers import judge_by_status
from pipeline.connector import Work
from pipeline.connectors.trading_grid.moves import learned_from
from pipeline.connectors.trading_grid.opening import holds_origin, is_same, partner_id_of
from pipeline.connectors.trading_grid.plan import comment_bodies
from pipeline.connectors.trading_grid.vocabulary import NAME, THREAD
from pipeline.connectors.trading_grid.wire import collection
from pipeline.domain.reason import Reason
from pipeline.plan import Answer, Answers, Outcome, Receipt, Request, Verdict
from schemas.change import ObjectRef
from schemas.operation import Comment, Create, Redact

Json = Mapping[str, Any]

# systems/trading_grid.md 8: what no repeat can help, and the reason that a person reads
_DEAD = {
    "cross_partner_reference": Reason.CROSS_PARTNER,
    "fan_out_required": Reason.FAN_OUT,
    "visibility_violation": Reason.VISIBILITY,
    "hop_limit": Reason.LOOP,
    "legal_hold": Reason.LEGAL_HOLD,
    "checksum_mismatch": Reason.CHECKSUM_MISMATCH,
    "payload_too_large": Reason.FILE_TOO_LARGE,
    "unsupported_media_type": Reason.FILE_TYPE_REFUSED,
    "document_quarantined": Reason.FILE_QUARANTINED,
    "idempotency_key_reused": Reason.MAY_HAVE_HAPPENED,  # another body was sent under this key, and it had an effect
}
_AGAIN = frozenset({"precondition_failed", "precondition_required", "upload_expired", "upload_offset_mismatch"})
_LATER = {"idempotency_in_progress": Reason.WAITING_RETRY, "document_pending_scan": Reason.WAITING_SCAN}
_SOON_SECONDS = 2.0  # our first request under this key is still running over there
_SCAN_SECONDS = 30.0


def judge(work: Work, request: Request, answer: Answer) -> Outcome:
    """What an answer to one of our requests means for the delivery."""
    if answer.status < 400:
        return _verify(work, request, answer)
    problem = problem_of(answer)
    code = str(problem.get("code") or "")
    detail = describe(answer, problem)
    if request.step == "find" and answer.status == 404:
        return Outcome(Verdict.DONE)  # nothing can be found on what is gone; the write itself will say so
    special = _SPECIAL.get(code)
    if special is not None:
        return special(work, request, problem, detail)
    if code in _DEAD:
        return Outcome(Verdict.DEAD, _DEAD[code], detail)
    if code in _AGAIN or answer.status in (412, 428):
        return Outcome(Verdict.AGAIN, Reason.WAITING_RETRY, detail)
    if code in _LATER:
        wait = _SCAN_SECONDS if code == "document_pending_scan" else _SOON_SECONDS
        return Outcome(Verdict.RETRY, _LATER[code], detail, retry_after_seconds=wait)
    outcome = judge_by_status(request, answer)
    return replace(outcome, detail=detail) if problem else outcome


def found(work: Work, answers: Answers, thread_page: str) -> Receipt | None:
    """The receipt of an earlier attempt, if its mark stands in what `find` read; None: certainly not there.

    `thread_page` is the address of a thread for people, with `{id}` in it.
    """
    answer = answers.get("find")
    if answer is None or answer.status != 200:
        return None
    entries = collection(answer.json)
    if isinstance(work.operation, Create):
        thread = next((one for one in entries if is_same(work, work.operation, one)), None)
        return _bound(thread, thread_page) if thread else None
    marked = [post for post in entries if (post.get("origin") or {}).get("correlation_id") == work.mark]
    expected = len(comment_bodies(work, work.operation)) if isinstance(work.operation, Comment) else 1
    # fewer than all pieces: the rest goes on, and the key answers for the pieces that stand
    return Receipt(parts=tuple(("post", str(post["id"])) for post in marked)) if len(marked) >= expected else None


def receipt(work: Work, answers: Answers, thread_page: str) -> Receipt:
    """What the sent plan left behind: the bound thread, and every post and document that may come back as an echo."""
    parts = [part for step, answer in answers.items() if (part := _part(step, answer))]
    if not isinstance(work.operation, Create):
        return Receipt(parts=tuple(parts))
    thread = _json(answers.get("create")) or _json(answers.get("existing"))
    parts += [("post", str(post["id"])) for post in collection(_json(answers.get("first_post")))]
    return _bound(thread, thread_page, tuple(dict.fromkeys(parts))) if thread else Receipt(parts=tuple(parts))


def problem_of(answer: Answer) -> dict[str, Any]:
    """The error's members in any of the known shapes; {} where the body is none of them (a proxy's page, say)."""
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def describe(answer: Answer, problem: Json) -> str:
    """What was said, for a dead letter: RFC 9457's, CMS's (`exception`) or Core Communications' members."""
    words = [problem.get(name) for name in ("code", "errorCode", "detail", "title", "exception", "message", "error")]
    said = " - ".join(dict.fromkeys(str(word) for word in words if isinstance(word, str) and word))
    faults = "; ".join(f"{one.get('pointer')}: {one.get('detail')}" for one in _faults(problem))
    trace = problem.get("trace_id") or answer.headers.get("x-trace-id")
    parts = [str(answer.status), said, faults, f"(trace {trace})" if trace else ""]
    return " ".join(part for part in parts if part)[:600]


def _faults(problem: Json) -> list[Json]:
    errors = problem.get("errors")
    return [one for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []


def _verify(work: Work, request: Request, answer: Answer) -> Outcome:
    """A 2xx, unless a web page came instead, or the thread that is there already belongs to another partner."""
    outcome = judge_by_status(request, answer)
    if outcome.verdict is not Verdict.DONE or request.step != "existing" or not isinstance(work.operation, Create):
        return outcome
    thread = _json(answer)
    theirs, ours = thread.get("partner_id"), partner_id_of(work, work.operation)
    if theirs != ours and holds_origin(work, work.operation, thread):
        return Outcome(Verdict.AGAIN, Reason.ALREADY_SO, "taken", learned={"existing_id": "", "taken": True})
    if theirs != ours:
        detail = f"the reference is bound to a thread of partner {theirs}, expected {ours}"
        return Outcome(Verdict.DEAD, Reason.CROSS_PARTNER, detail)
    return Outcome(Verdict.DONE, Reason.ALREADY_SO, "the thread was there already")


def _exists(_work: Work, request: Request, problem: Json, detail: str) -> Outcome:
    """409 `external_reference_exists`: it was created before; only for threads and documents is there more to do."""
    existing = problem.get("existing_id")
    if request.step.startswith("post") or request.step == "bind":
        return Outcome(Verdict.ALREADY, Reason.ALREADY_SO, detail)
    if request.step == "status_thread":
        return Outcome(Verdict.AGAIN, Reason.ALREADY_SO, detail)  # made meanwhile for another case: the facts show it
    if existing and request.step in ("create", "document"):
        return Outcome(Verdict.AGAIN, Reason.ALREADY_SO, detail, learned={"existing_id": str(existing)})
    return Outcome(Verdict.DEAD, Reason.REJECTED, f"{detail} (bound to an object that we may not see)")


def _transition(_work: Work, request: Request, problem: Json, detail: str) -> Outcome:
    allowed = [str(state) for state in problem.get("allowed_transitions") or ()]
    return Outcome(Verdict.AGAIN, Reason.TRANSITION_REFUSED, detail, learned=learned_from(request.step, allowed))


def _missing(work: Work, request: Request, _problem: Json, detail: str) -> Outcome:
    if isinstance(work.operation, Redact):
        return Outcome(Verdict.ALREADY, Reason.ALREADY_SO, detail)  # what is gone shows nothing any more
    gone = request.path.startswith("/threads/")
    return Outcome(Verdict.DEAD, Reason.TARGET_GONE, detail, learned={"gone": True} if gone else {})


def _conflict(_work: Work, request: Request, _problem: Json, detail: str) -> Outcome:
    """A hub client may not post to a closed thread (createPost); any other conflict is decided anew."""
    if request.step.startswith("post"):
        return Outcome(Verdict.DEAD, Reason.TARGET_CLOSED, detail)
    return Outcome(Verdict.AGAIN, Reason.WAITING_RETRY, detail)


def _invalid(_work: Work, request: Request, problem: Json, detail: str) -> Outcome:
    """A blob that nobody referred to within 24 h is deleted: then the file is uploaded again."""
    pointers = [str(one.get("pointer")) for one in _faults(problem)]
    if request.step == "document" and any(one.startswith("/renditions") for one in pointers):
        return Outcome(Verdict.AGAIN, Reason.WAITING_RETRY, detail)
    return Outcome(Verdict.DEAD, Reason.REJECTED, detail)


_SPECIAL: Mapping[str, Callable[[Work, Request, Json, str], Outcome]] = {
    "external_reference_exists": _exists,
    "invalid_transition": _transition,
    "not_found": _missing,
    "gone": _missing,
    "conflict": _conflict,
    "validation_failed": _invalid,
}


def _bound(thread: Json, thread_page: str, parts: tuple[tuple[str, str], ...] = ()) -> Receipt:
    thread_id = str(thread["id"])
    facts = {"revision": thread.get("revision"), "state": thread.get("state")}
    return Receipt(parts, ObjectRef(NAME, THREAD, thread_id), thread_page.replace("{id}", thread_id), facts)


def _part(step: str, answer: Answer) -> tuple[str, str] | None:
    """The post or document that a step made, or that stood there already."""
    kind = "post" if step.startswith("post") else "attachment" if step == "document" else None
    body = _json(answer)
    made = body.get("id") if answer.status < 300 else body.get("existing_id")
    return (kind, str(made)) if kind and made else None


def _json(answer: Answer | None) -> dict[str, Any]:
    return problem_of(answer) if answer is not None else {}

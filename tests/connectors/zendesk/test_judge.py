"""What Zendesk's answers mean for a delivery."""

from typing import Any

import pytest

from pipeline.domain.reason import Reason
from pipeline.plan import Answer, Outcome, Request, Verdict
from schemas.operation import Title
from tests.connectors.zendesk.world import answer, make_target, make_work, words

CLOSED = {"error": "RecordInvalid", "description": "Record validation errors",
          "details": {"status": [{"description": "Status: closed prevents ticket update"}]}}  # fmt: skip
BASE = {**CLOSED, "details": {"base": CLOSED["details"]["status"]}}  # type: ignore[index]  # the test data above
FULL = {
    "error": "RecordInvalid",
    "details": {"base": [{"description": "Ticket has reached the limit of 5000 comments"}]},
}
COMMENT = Request("comment", "PUT", "/tickets/35", body={"ticket": {"comment": {"html_body": "x", "public": False}}})
WITH_FILE = Request("comment", "PUT", "/tickets/35", body={"ticket": {"comment": {"uploads": ["T"], "public": False}}})
STATUS = Request("update", "PUT", "/tickets/35", body={"ticket": {"status": "open"}})
CREATE = Request("create", "POST", "/tickets", body={"ticket": {}})
UPLOAD = Request("upload", "POST", "/uploads")
READ = Request("ticket", "GET", "/tickets/35", reads=True)
LOOK = Request("comments", "GET", "/tickets/35/comments", reads=True)
AUDIT = Request("audit-97", "GET", "/tickets/35/audits/97", reads=True)


def judged(request: Request, given: Answer, **section: Any) -> Outcome:
    """The target's judgement."""
    return make_target(**section).judge(make_work(Title(link_id=1, title=words("x"))), request, given)


CASES: dict[str, tuple[Request, Answer, Verdict, Reason, dict[str, Any]]] = {
    "closed": (COMMENT, answer(CLOSED, 422), Verdict.AGAIN, Reason.REJECTED, {"closed": True}),
    "closed, other key": (STATUS, answer(BASE, 422), Verdict.AGAIN, Reason.REJECTED, {"closed": True}),
    "full": (COMMENT, answer(FULL, 422), Verdict.DEAD, Reason.TARGET_FULL, {}),
    "another 422": (COMMENT, answer({"error": "RecordInvalid"}, 422), Verdict.DEAD, Reason.REJECTED, {}),
    "full, but no comment": (STATUS, answer(FULL, 422), Verdict.DEAD, Reason.REJECTED, {}),
    "stale stamp": (STATUS, answer({"error": "UpdateConflict"}, 409), Verdict.AGAIN, Reason.REJECTED, {}),
    "conflict without a body": (COMMENT, Answer(409, {}, b""), Verdict.AGAIN, Reason.REJECTED, {}),
    "create still running": (CREATE, answer({"error": "x"}, 409), Verdict.RETRY, Reason.WAITING_RETRY, {}),
    "other body, same key": (CREATE, answer({"error": "IdempotentRequestError"}, 400), Verdict.DEAD, Reason.REJECTED,
                             {}),
    "gone": (COMMENT, answer({"error": "RecordNotFound"}, 404), Verdict.DEAD, Reason.TARGET_GONE, {"gone": True}),
    "gone, read": (READ, answer({}, 404), Verdict.DEAD, Reason.TARGET_GONE, {"gone": True}),
    "gone, looked up": (LOOK, answer({}, 404), Verdict.DONE, Reason.DELIVERED, {}),
    "copy not found": (AUDIT, answer({}, 404), Verdict.DEAD, Reason.REJECTED, {}),
    "used-up token": (WITH_FILE, answer({"error": "x", "description": "Upload token invalid"}, 422), Verdict.AGAIN,
                      Reason.REJECTED, {}),
    "busy": (COMMENT, answer({}, 429, **{"retry-after": "7"}), Verdict.RETRY, Reason.WAITING_QUOTA, {}),
    "busy, this ticket alone": (
        COMMENT,
        answer({}, 429, **{"zendesk-ratelimit-per-ticket-updates": "total=30; remaining=0; resets=7"}),
        Verdict.RETRY, Reason.WAITING_QUOTA, {"scope": "object"}),
    "busy, though this ticket is not": (
        COMMENT,
        answer({}, 429, **{"zendesk-ratelimit-per-ticket-updates": "total=30; remaining=9; resets=7"}),
        Verdict.RETRY, Reason.WAITING_QUOTA, {}),
    "maintenance": (COMMENT, answer({}, 503), Verdict.RETRY, Reason.WAITING_RETRY, {}),
    "token refused": (COMMENT, answer({"error": {"title": "x"}}, 401), Verdict.AUTH, Reason.TARGET_REFUSES_LOGIN, {}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_an_answer_means_what_to_do_next(case: str) -> None:
    """Given one of Zendesk's answers, when judged, then verdict, reason and what was learned are these."""
    request, given, verdict, reason, learned = CASES[case]
    outcome = judged(request, given)
    assert (outcome.verdict, outcome.reason, dict(outcome.learned)) == (verdict, reason, learned)


def test_a_full_ticket_gets_a_new_one_where_the_setting_says_so() -> None:
    """Given `when_full: new_ticket`, when comment 5,001 is refused, then another ticket is planned (Z2.13)."""
    outcome = judged(COMMENT, answer(FULL, 422), when_full="new_ticket")
    assert (outcome.verdict, dict(outcome.learned)) == (Verdict.AGAIN, {"full": True})


def test_a_refused_file_is_planned_anew_without_it() -> None:
    """Given the upload is refused, when judged, then the next plan knows why and sends the note alone (Z2.9)."""
    outcome = judged(UPLOAD, answer({"error": "AttachmentUnprocessable"}, 422))
    assert outcome.verdict is Verdict.AGAIN
    assert "AttachmentUnprocessable" in outcome.learned["upload_refused"]


def test_dropped_keys_are_kept_with_the_outcome() -> None:
    """Given Zendesk names keys that it dropped, when judged, then the write counts and the warning is on record."""
    outcome = judged(STATUS, Answer(200, {"x-zendesk-api-warn": 'unpermitted_keys: ["x"]'}, b"{}"))
    assert outcome.verdict is Verdict.DONE
    assert "unpermitted_keys" in outcome.detail


def test_a_comment_that_was_stored_as_public_raises_the_alarm() -> None:
    """Given Zendesk answers that our note is public, when judged, then nothing more is written unseen."""
    audit = {"id": 1, "events": [{"id": 2, "type": "Comment", "public": True}]}
    outcome = judged(COMMENT, answer({"ticket": {"id": 35}, "audit": audit}))
    assert (outcome.verdict, outcome.reason) == (Verdict.DEAD, Reason.VISIBILITY_MISMATCH)

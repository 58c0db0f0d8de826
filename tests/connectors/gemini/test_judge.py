"""Answers and their meaning, as a table."""

import json
from typing import Any

import pytest

from pipeline.connectors.gemini import CONNECTOR
from pipeline.domain.reason import Reason
from pipeline.plan import Answer, Merge, Request, Slot, Verdict
from schemas.operation import State
from tests.connectors.gemini.desk import config_of, env_of, work_of

TARGET = CONNECTOR.target(env_of("https://gemini.example"), config_of())
WORK = work_of(State(link_id=1, state="resolved"))
CREATE = Request("create", "POST", "/items", body={"ProjectId": 12, "Title": "t", "ReportedBy": 9})
COMMENT = Request("comment", "POST", "/items/389/comments", body={"IssueId": 389, "UserId": 9, "Visibility": 5})
HOP = Request("hop", "PUT", "/items", body={"Id": 389, "StatusId": 53})
VIA = Request("via1", "PUT", "/items", body={"Id": 389, "StatusId": 52})
MERGED = Request("via2", "PUT", "/items", body=Merge(Slot("via1", "BaseEntity"), {"StatusId": 53}))
FIELD = Request("field:EvidenceDue", "POST", "/items/389/customfield/data", body={"CustomFieldId": 33, "IssueId": 389})
UPSERT = Request("field:EvidenceDue", "PUT", "/items/389/customfield/data", body=FIELD.body)
ATTACH = Request("attach", "POST", "/items/389/attachments", body={})
READ = Request("item", "GET", "/items/389", reads=True)
LOOKUP = Request("originator", "GET", "/items/originator/5/name/x", reads=True)
ME = Request("me", "GET", "/users/username/casebridge", reads=True)
PAGE = b"<!DOCTYPE html><html><title>404.13</title></html>"


def error(text: str) -> dict[str, str]:
    """ASP.NET's error object."""
    return {"Message": "An error has occurred.", "ExceptionMessage": text}


def dto(**members: Any) -> dict[str, Any]:
    """A Dto around an entity."""
    return {"BaseEntity": members}


@pytest.mark.parametrize(
    ("request_", "status", "body", "verdict", "reason"),
    [
        (CREATE, 200, dto(Id=1, Creator=9), Verdict.DONE, Reason.DELIVERED),
        (CREATE, 200, None, Verdict.AUTH, Reason.TARGET_REFUSES_LOGIN),
        (CREATE, 200, dto(Id=1, Creator=0), Verdict.AUTH, Reason.TARGET_REFUSES_LOGIN),
        (CREATE, 200, dto(Id=1, Creator=None), Verdict.AUTH, Reason.TARGET_REFUSES_LOGIN),
        (CREATE, 201, dto(Id=1, Creator=9), Verdict.UNKNOWN, Reason.MAY_HAVE_HAPPENED),
        (CREATE, 403, error("denied"), Verdict.AUTH, Reason.TARGET_REFUSES_LOGIN),
        (CREATE, 200, PAGE, Verdict.RETRY, Reason.WAITING_RETRY),
        (CREATE, 400, error("Severity is mandatory"), Verdict.DEAD, Reason.REJECTED),
        (CREATE, 409, error("A rule refused it"), Verdict.DEAD, Reason.REJECTED),
        (CREATE, 500, error("Transaction was deadlocked on lock resources"), Verdict.RETRY, Reason.WAITING_RETRY),
        (CREATE, 500, error("Object reference not set"), Verdict.RETRY, Reason.WAITING_RETRY),
        (CREATE, 500, error("A mandatory field is missing"), Verdict.DEAD, Reason.REJECTED),
        (CREATE, 503, PAGE, Verdict.RETRY, Reason.WAITING_RETRY),
        (COMMENT, 200, dto(Id=1, UserId=9, Visibility=5), Verdict.DONE, Reason.DELIVERED),
        (COMMENT, 200, dto(Id=1, UserId=9, Visibility=1), Verdict.DEAD, Reason.VISIBILITY_MISMATCH),
        (COMMENT, 200, dto(Id=1, UserId=9), Verdict.DEAD, Reason.VISIBILITY_MISMATCH),
        (COMMENT, 200, dto(Id=1, UserId=0, Visibility=5), Verdict.AUTH, Reason.TARGET_REFUSES_LOGIN),
        (COMMENT, 404, error("There is no item 389"), Verdict.DEAD, Reason.TARGET_GONE),
        (HOP, 200, dto(Id=389, StatusId=99), Verdict.DONE, Reason.DELIVERED),
        (HOP, 400, error("not in the workflow"), Verdict.DEAD, Reason.TRANSITION_REFUSED),
        (HOP, 500, error("An open child keeps it open"), Verdict.DEAD, Reason.TRANSITION_REFUSED),
        (VIA, 200, dto(Id=389, StatusId=52), Verdict.DONE, Reason.DELIVERED),
        (VIA, 200, dto(Id=389, StatusId=99), Verdict.AGAIN, Reason.TRANSITION_REFUSED),
        (MERGED, 200, dto(Id=389, StatusId=99), Verdict.AGAIN, Reason.TRANSITION_REFUSED),
        (FIELD, 200, dto(Id=1), Verdict.DONE, Reason.DELIVERED),
        (FIELD, 204, b"", Verdict.DONE, Reason.DELIVERED),
        (FIELD, 400, error("there is a row"), Verdict.AGAIN, Reason.REJECTED),
        (UPSERT, 400, error("no"), Verdict.DEAD, Reason.REJECTED),
        (ATTACH, 404, PAGE, Verdict.DEAD, Reason.FILE_TOO_LARGE),
        (ATTACH, 404, error("There is no item 389"), Verdict.DEAD, Reason.TARGET_GONE),
        (READ, 200, None, Verdict.AUTH, Reason.TARGET_REFUSES_LOGIN),
        (READ, 404, error("There is no item 389"), Verdict.DEAD, Reason.TARGET_GONE),
        (LOOKUP, 200, None, Verdict.DONE, Reason.DELIVERED),
        (LOOKUP, 400, PAGE, Verdict.DONE, Reason.DELIVERED),
        (LOOKUP, 503, PAGE, Verdict.RETRY, Reason.WAITING_RETRY),
        (ME, 200, dto(Id=9, Username="CaseBridge"), Verdict.DONE, Reason.DELIVERED),
        (ME, 200, dto(Id=0, Username="anonymous"), Verdict.AUTH, Reason.TARGET_REFUSES_LOGIN),
        (ME, 200, dto(Id=21, Username="anna"), Verdict.AUTH, Reason.TARGET_REFUSES_LOGIN),
    ],
)
def test_an_answer_means(request_: Request, status: int, body: Any, verdict: Verdict, reason: Reason) -> None:
    """Given an answer, when it is judged, then this is what becomes of the delivery."""
    html = body == PAGE
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content-type": "text/html" if html else "application/json"}
    outcome = TARGET.judge(WORK, request_, Answer(status, headers, raw))
    assert (outcome.verdict, outcome.reason) == (verdict, reason)


def test_a_refused_new_value_is_put_the_next_time() -> None:
    """Given a POST of a custom value that is refused, when it is judged, then the next plan knows."""
    answer = Answer(400, {"content-type": "application/json"}, json.dumps(error("there is a row")).encode())
    assert TARGET.judge(WORK, FIELD, answer).learned == {"upsert:EvidenceDue": True}


def test_the_status_in_the_answer_is_the_truth() -> None:
    """Given an event app that stored another status, when the receipt is made, then it holds that one (G2.8)."""
    body = json.dumps({"Status": "Assigned", "BaseEntity": {"Id": 389, "StatusId": 52}}).encode()
    assert TARGET.receipt(WORK, {"hop": Answer(200, {}, body)}).facts == {"state_after": "Assigned"}

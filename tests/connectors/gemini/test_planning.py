"""Plans without any site: ways through workflows, missing lines, records of odd spelling."""

import json
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pipeline.connector import Pending
from pipeline.connectors.gemini import CONNECTOR
from pipeline.connectors.gemini.settings import Options
from pipeline.connectors.gemini.wire import parse_item, parse_time, without_secrets
from pipeline.connectors.gemini.workflow import shortest_path, target_labels
from pipeline.domain.reason import Reason
from pipeline.errors import InvalidPayloadError, PermanentError
from pipeline.plan import Answer, Merge
from schemas.change import ChangeKind
from schemas.operation import Fields, Redact, State
from tests.connectors.gemini.desk import Script, check_request, config_of, creation, env_of, work_of
from tests.contracts.validate import Contract

ITEM: dict[str, Any] = json.loads((Path(__file__).parent / "payloads" / "item.json").read_text())
ENV = env_of("https://gemini.example")
TARGET = CONNECTOR.target(ENV, config_of())
LABELS = {"Unassigned": 51, "Assigned": 52, "In Progress": 53, "Resolved": 56, "Closed": 57}
FLOW = {51: [52], 52: [51, 53], 53: [56, 57], 56: [53, 57], 57: []}


def type_row(number: int, flow: dict[int, list[int]], reference: int = 0) -> dict[str, Any]:
    """A type with its workflow."""
    status = [{"StatusId": at, "Transitions": [{"StatusId": to} for to in moves]} for at, moves in flow.items()]
    return {"Entity": {"Id": number, "Label": f"type {number}", "Workflow": {"ReferenceId": reference,
                                                                             "Status": status}}}  # fmt: skip


def facts(status: str = "Assigned", **changes: Any) -> dict[str, Any]:
    """An item in some status, with its template's types and statuses."""
    item = deepcopy(ITEM) | {"Status": status}
    item["BaseEntity"]["StatusId"] = LABELS[status]
    statuses = [{"Entity": {"Id": number, "Label": label}} for label, number in LABELS.items()]
    return {"item": item, "types": [type_row(61, FLOW)], "statuses": statuses, **changes}


def test_the_recorded_item_is_what_the_contract_describes() -> None:
    """Given our own recorded item, when it is held against the contract, then it fits."""
    Contract.gemini().check_answer("GET", "/items/389", 200, ITEM)


def test_each_further_hop_changes_what_the_previous_one_answered() -> None:
    """Given two hops, when planned, then the second PUT is the first one's answer with its status replaced."""
    plan = TARGET.plan(work_of(State(link_id=1, state="resolved")), facts())
    first, second = (request.body for request in plan.requests)
    assert first["StatusId"] == 53
    assert {name: first[name] for name in ("Title", "Resources", "Tag1")} == {
        name: ITEM["BaseEntity"][name] for name in ("Title", "Resources", "Tag1")
    }
    assert "ParentIssueId" not in first  # null is what a missing member means
    assert isinstance(second, Merge)
    assert (str(second.slot), second.changes) == ("{{via1.BaseEntity}}", {"StatusId": 56})
    for request in plan.requests:
        check_request(request)


@pytest.mark.parametrize(
    ("start", "goals", "path"),
    [(51, [56], [52, 53, 56]), (53, [57], [57]), (57, [53], None), (52, [57, 51], [53, 57]), (51, [], None)],
)
def test_the_shortest_way_through_the_workflow(start: int, goals: list[int], path: list[int] | None) -> None:
    """Given a one-directional workflow, when a way is sought, then it is the shortest, or none."""
    types = [row["Entity"] for row in (type_row(61, {}, 62), type_row(62, FLOW))]
    assert shortest_path(types, 62, start, goals) == path
    assert shortest_path(types, 61, start, goals) == path  # borrowed from the other type
    assert shortest_path([], 61, start, [56]) == [56]  # no workflow is drawn: one hop


@pytest.mark.parametrize(
    ("reason", "labels"),
    [("documents", ("Needs papers",)), ("input", ("Waiting",)), ("correction", ("Waiting",)), (None, ("Waiting",))],
)
def test_an_awaiting_reason_finds_its_own_label_first(reason: str | None, labels: tuple[str, ...]) -> None:
    """Given labels with and without reasons, when one is sought, then the exact one goes before the plain one."""
    statuses = {"Needs papers": "awaiting_partner:documents", "Waiting": "awaiting_partner"}
    options = Options.of(ENV, config_of(statuses=statuses))
    assert target_labels("awaiting_partner", reason, options) == labels
    only = Options.of(ENV, config_of(statuses={"Needs papers": "awaiting_partner:documents"}))
    assert target_labels("awaiting_partner", "input", only) == ("Needs papers",)


@pytest.mark.parametrize(
    ("operation", "found", "reason", "words"),
    [
        (State(link_id=1, state="withdrawn"), facts(), Reason.UNMAPPED_STATUS, "gemini.statuses"),
        (State(link_id=1, state="assigned"), facts("Closed"), Reason.TRANSITION_REFUSED, "allows none next"),
        (State(link_id=1, state="awaiting_approval"), facts(), Reason.UNMAPPED_STATUS, "Awaiting Approval is not"),
        (Fields(link_id=1, values={"Colour": "red"}), facts(), Reason.UNMAPPED_VALUE, "no line 'Colour'"),
        (Fields(link_id=1, values={"priority": "odd"}), facts(), Reason.UNMAPPED_VALUE, "gemini.priorities"),
        (Redact(link_id=1, origin="x"), {"comments": []}, Reason.REJECTED, "look at the item"),
    ],
)
def test_what_must_not_be_sent_says_why(operation: Any, found: Any, reason: Reason, words: str) -> None:
    """Given an operation that has no way, when planned, then the dead letter names the line or the statuses."""
    with pytest.raises(PermanentError, match=words) as refusal:
        TARGET.plan(work_of(operation), found)
    assert refusal.value.reason is reason


def test_no_member_of_a_closed_item_is_put() -> None:
    """Given a closed item, when its deadline is set, then it is a dead letter, for a PUT might reopen it."""
    found = facts("Closed")
    found["item"]["IsClosed"] = True
    with pytest.raises(PermanentError) as refusal:
        TARGET.plan(work_of(Fields(link_id=1, values={"due_at": "2026-04-01T10:00:00Z"})), found)
    assert refusal.value.reason is Reason.TARGET_CLOSED


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2015-03-17T12:11:33+00:00", datetime(2015, 3, 17, 12, 11, 33, tzinfo=UTC)),
        ("2015-03-17T12:11:38.8239906Z", datetime(2015, 3, 17, 12, 11, 38, 823990, tzinfo=UTC)),
        ("2009-12-18T10:42:52", datetime(2009, 12, 18, 9, 42, 52, tzinfo=UTC)),
        ("0001-01-01T00:00:00", None),
        ("17/03/2015 12:11:33", None),
        (None, None),
    ],
)
def test_three_spellings_of_time(text: str | None, at: datetime | None) -> None:
    """Given any spelling of the vendor's own sample, when parsed, then it is one instant in UTC."""
    assert parse_time(text, ZoneInfo("Europe/Berlin")) == at


def test_an_entity_is_found_under_each_wrapper_and_values_are_decoded() -> None:
    """Given any of the three wrappers, when parsed, then it is the same item, and entities in values are decoded."""
    inner = ITEM["BaseEntity"]
    others = {name: value for name, value in ITEM.items() if name != "BaseEntity"}
    found = [parse_item(dto, UTC) for dto in (ITEM, {**others, "Entity": inner}, {**others, **inner})]
    assert found[0] == found[1]
    assert found[2] == replace(found[0], creator="21")  # the one name that Dto and entity use for two things
    assert found[0].custom[0].shown == "Credit & close"


def test_a_date_is_read_from_its_data_never_from_its_locale() -> None:
    """Given a date field shown in some locale, when parsed, then its value is the stored instant."""
    dated = deepcopy(ITEM)
    dated["CustomFields"][1]["FormattedData"] = "10/03/2026"
    dated["CustomFields"][1]["BaseEntity"] |= {"Id": 8, "DateData": "2026-03-10T00:00:00"}
    assert parse_item(dated, UTC).custom[1].shown == "2026-03-10T00:00:00"


def test_an_item_of_another_project_is_followed_only_if_it_was_ours() -> None:
    """Given an item of another project, when a webhook names it, then it is read only if we knew it before."""
    moved = deepcopy(ITEM)
    moved["BaseEntity"]["ProjectId"] = 13
    me = {"BaseEntity": {"Id": 9, "Username": "casebridge"}}
    http = Script({"GET /items/389": moved, "GET /items/389/history": [], "GET /users/username/casebridge": me,
                   "GET /users/username/anna": None})  # fmt: skip
    source = CONNECTOR.source(ENV, config_of())
    assert not source.read(Pending("item:389", (), {}), http).changes
    known = {"revised": "2026-03-01T00:00:00+00:00", "comments": {}}
    assert [change.part_id for change in source.read(Pending("item:389", (), known), http).changes] == ["5001"]


def test_a_link_in_a_description_is_a_web_link_or_none() -> None:
    """Given an address that would run a script, when the description is made, then no link leads there."""
    bad = creation(origin_url="javascript:alert(1)", body=None)
    found = {"me": {"BaseEntity": {"Id": 9, "Username": "casebridge"}}, "types": [{"Entity": {"Id": 61,
             "Label": "Investigation"}}], "priorities": [{"Entity": {"Id": 73, "Label": "High"}}]}  # fmt: skip
    (request,) = TARGET.plan(work_of(bad, None), found).requests
    assert "href" not in request.body["Description"]


def test_a_missing_member_is_named() -> None:
    """Given an item without its project, when parsed, then the error names the member."""
    broken = deepcopy(ITEM)
    del broken["BaseEntity"]["ProjectId"]
    with pytest.raises(InvalidPayloadError, match="ProjectId: found None"):
        parse_item(broken, UTC)


def test_keys_of_users_go_no_further() -> None:
    """Given a list of users with their keys, when it is taken in, then the keys are dropped at any depth."""
    assert without_secrets([{"BaseEntity": {"Id": 1, "ApiKey": "s"}}]) == [{"BaseEntity": {"Id": 1}}]


def test_a_deleted_item_is_told_once_after_a_second_look() -> None:
    """Given a known item that is not there twice in a row, when it is read, then one change says so, once."""
    missing = Answer(404, {"content-type": "application/json"}, b'{"Message": "no item"}')
    me = {"BaseEntity": {"Id": 9, "Username": "casebridge"}}
    http = Script({"GET /items/389": lambda _: missing, "GET /users/username/casebridge": me})
    source = CONNECTOR.source(ENV, config_of())
    known = {"revised": "2026-03-04T09:14:00+00:00", "comments": {}}
    gone = source.read(Pending("item:389", (), known), http)
    assert [(change.external_id, change.kind) for change in gone.changes] == [("deleted:389", ChangeKind.DELETED)]
    assert [request.path for request in http.asked].count("/items/389") == 2
    assert not source.read(Pending("item:389", (), gone.known), http).changes

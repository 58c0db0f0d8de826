"""Items: a create answers 200, a PUT replaces the whole, the workflow decides, event apps rewrite."""

from urllib.parse import quote

from tests.sandbox.gemini.help_desk import (
    ASSIGNED,
    AWAITING,
    CLOSED,
    IN_PROGRESS,
    RESOLVED,
    UNASSIGNED,
    HelpDesk,
)


def test_defaults_fill_what_a_create_leaves_out(desk: HelpDesk) -> None:
    """Given project and title alone, when created, then the project's first type, status and priority are set."""
    item = desk.item()
    assert (item["Type"], item["Status"], item["Priority"]) == ("Investigation", "Unassigned", "Low")
    assert item["IssueKey"] == f"HELP-{item['Id']}"
    assert item["BaseEntity"]["ReportedBy"] == 9


def test_an_item_is_found_by_its_originator(desk: HelpDesk) -> None:
    """Given an item created with our mark, when sought by it, then it is found; an unknown mark answers null."""
    mark = "trading_grid:thr_1/a b"
    item = desk.item(OriginatorType=5, OriginatorData=mark)
    assert desk.ask("GET", f"/items/originator/5/name/{quote(mark, safe='')}")["Id"] == item["Id"]
    answer = desk.try_to("GET", "/items/originator/5/name/nothing")
    assert (answer.status_code, answer.text) == (200, "null")


def test_a_site_may_lack_the_originator_lookup(desk: HelpDesk) -> None:
    """Given a site without the undocumented path, when asked, then 404 comes, not null."""
    desk.set(originator_lookup=False)
    assert desk.try_to("GET", "/items/originator/5/name/x").status_code == 404


def test_a_put_wipes_what_it_leaves_out(desk: HelpDesk) -> None:
    """Given an item with description, tag and mark, when a PUT leaves them out, then they are gone."""
    item = desk.item(Description="<p>long</p>", Tag1="k", OriginatorType=5, OriginatorData="m")
    entity = item["BaseEntity"]
    thin = {name: entity[name] for name in ("Id", "ProjectId", "Title", "TypeId", "StatusId")}
    after = desk.ask("PUT", "/items", thin)["BaseEntity"]
    assert (after["Description"], after["Tag1"], after["OriginatorData"], after["PriorityId"]) == ("", "", "", 0)
    assert desk.try_to("GET", "/items/originator/5/name/m").text == "null"


def test_a_put_of_the_whole_entity_changes_only_what_was_changed(desk: HelpDesk) -> None:
    """Given GET, change, PUT, when read again, then all other members are as before, and one effect is logged."""
    before = desk.item(Description="<p>long</p>", Tag1="k", DueDate="2026-12-01T10:00:00")["BaseEntity"]
    after = desk.change(before["Id"], Title="Other title")["BaseEntity"]
    moving = {"Title", "Revised", "Timestamp"}
    assert {k: v for k, v in after.items() if k not in moving} == {k: v for k, v in before.items() if k not in moving}
    assert [(e["old"], e["new"]) for e in desk.effects("title_changed")] == [("Short delivery", "Other title")]


def test_the_workflow_refuses_a_hop_that_is_not_drawn(desk: HelpDesk) -> None:
    """Given an unassigned item, when it is closed at once, then this is refused and nothing changes."""
    entity = desk.item()["BaseEntity"]
    answer = desk.try_to("PUT", "/items", {**entity, "StatusId": CLOSED})
    assert answer.status_code == 400
    assert "Unassigned to Closed" in answer.json()["ExceptionMessage"]
    assert desk.ask("GET", f"/items/{entity['Id']}")["Status"] == "Unassigned"


def test_there_is_no_way_out_of_closed_for_an_investigation(desk: HelpDesk) -> None:
    """Given a closed investigation, when it is to be reopened, then it is refused; a task can be reopened."""
    path = (ASSIGNED, IN_PROGRESS, CLOSED)
    case, task = desk.item()["Id"], desk.item(TypeId=62)["Id"]
    assert desk.move(case, *path)["IsClosed"]
    desk.move(task, *path)
    entity = desk.ask("GET", f"/items/{case}")["BaseEntity"]
    assert desk.try_to("PUT", "/items", {**entity, "StatusId": IN_PROGRESS}).status_code == 400
    assert desk.move(task, IN_PROGRESS)["Status"] == "In Progress"


def test_the_published_workflow_is_the_one_enforced(desk: HelpDesk) -> None:
    """Given the types of the template, when their transitions are read, then Closed has none and ids fit."""
    types = {dto["Entity"]["Label"]: dto["Entity"] for dto in desk.ask("GET", "/type/template/7")}
    hops = {
        row["StatusId"]: [hop["StatusId"] for hop in row["Transitions"]]
        for row in types["Investigation"]["Workflow"]["Status"]
    }
    assert hops[CLOSED] == []
    assert hops[UNASSIGNED] == [ASSIGNED]
    assert AWAITING in hops[IN_PROGRESS]


def test_equal_labels_have_other_ids_in_another_template(desk: HelpDesk) -> None:
    """Given two templates, when a status of the other one is sent, then it is refused."""
    labels = {
        dto["Entity"]["TemplateId"]: dto["Entity"]["Id"]
        for dto in desk.ask("GET", "/status")
        if dto["Entity"]["Label"] == "Closed"
    }
    assert len(set(labels.values())) == 2
    entity = desk.item()["BaseEntity"]
    assert desk.try_to("PUT", "/items", {**entity, "StatusId": labels[8]}).status_code == 400


def test_auto_mark_as_assigned_rewrites_the_first_status(desk: HelpDesk) -> None:
    """Given the event app, when the first resource is set, then the answer holds another status than was sent."""
    desk.set(auto_mark_as_assigned=True)
    item_id = desk.item()["Id"]
    assert desk.change(item_id, Resources="|21|")["Status"] == "Assigned"
    assert desk.effects("status_changed")[0]["by"] == "event_app"


def test_auto_open_closed_item_reopens_on_any_other_update(desk: HelpDesk) -> None:
    """Given the event app and a closed item, when only its title is changed, then it is open again."""
    item_id = desk.item()["Id"]
    desk.move(item_id, ASSIGNED, IN_PROGRESS, RESOLVED, CLOSED)
    desk.set(auto_open_closed_item=True)
    after = desk.change(item_id, Title="Refreshed")
    assert (after["Status"], after["IsClosed"]) == ("Unassigned", False)


def test_a_parent_closes_after_its_children(desk: HelpDesk) -> None:
    """Given an open child, when the parent is closed, then it is refused; when the child is closed, it closes."""
    parent = desk.item()["Id"]
    child = desk.item(TypeId=62, ParentIssueId=parent)["Id"]
    assert [dto["Id"] for dto in desk.ask("GET", f"/items/{parent}/dependencies")] == [child]
    entity = desk.move(parent, ASSIGNED, IN_PROGRESS)["BaseEntity"]
    assert desk.try_to("PUT", "/items", {**entity, "StatusId": CLOSED}).status_code == 400
    desk.move(child, ASSIGNED, IN_PROGRESS, CLOSED)
    assert desk.move(parent, CLOSED)["IsClosed"]


def test_history_names_who_changed_what_by_number(desk: HelpDesk) -> None:
    """Given status, resource, title and comment changes, when history is read, then each has its number and user."""
    item_id = desk.item()["Id"]
    desk.move(item_id, ASSIGNED)
    desk.change(item_id, Resources="22", Title="New")
    desk.comment(item_id, Visibility=4)
    rows = [dto["BaseEntity"] for dto in desk.ask("GET", f"/items/{item_id}/history")]
    assert [(row["AttributeChanged"], row["ValueAfter"], row["IdAfter"]) for row in rows] == [
        (10, "Assigned", "52"),
        (3, "New", ""),
        (7, "Ben", "22"),
        (36, "", ""),
    ]
    assert {row["UserId"] for row in rows} == {9}


def test_pipe_lists_come_back_between_pipes(desk: HelpDesk) -> None:
    """Given ids with or without outer pipes, when stored, then they are read as |1|5|; nonsense is refused."""
    assert desk.item(Resources="21|22")["BaseEntity"]["Resources"] == "|21|22|"
    assert desk.item()["BaseEntity"]["Resources"] == ""
    assert desk.try_to("POST", "/items", {"ProjectId": 12, "Title": "x", "Resources": "anna"}).status_code == 400


def test_three_spellings_of_time_occur(desk: HelpDesk) -> None:
    """Given an item with a value, a comment and a file, when read, then offset, Z and no zone all occur."""
    item_id = desk.item(Attachments=[{"Name": "a.txt", "Content": "YQ=="}])["Id"]
    desk.comment(item_id, Visibility=4)
    dto = desk.ask("GET", f"/items/{item_id}")
    assert dto["BaseEntity"]["Revised"].endswith("+00:00")
    assert dto["Comments"][0]["BaseEntity"]["Created"].endswith("0Z")
    assert len(dto["Attachments"][0]["BaseEntity"]["Created"]) == len("2009-12-18T10:42:52")


def test_stored_html_may_differ_from_what_was_sent(desk: HelpDesk) -> None:
    """Given a sanitiser, when a description with a script is sent, then the answer holds what was stored."""
    sent = "<b>Box</b> missing<script>alert(1)</script>"
    assert desk.item(Description=sent)["Description"] == "<b>Box</b> missing"
    desk.set(sanitiser="rewrite")
    assert desk.item(Description=sent)["Description"] == "<p><strong>Box</strong> missing</p>"
    desk.set(sanitiser="off")
    assert desk.item(Description=sent)["Description"] == sent


def test_an_unknown_item_is_404(desk: HelpDesk) -> None:
    """Given an id that is none, when read, then 404 comes with the server's error object."""
    answer = desk.try_to("GET", "/items/5")
    assert answer.status_code == 404
    assert set(answer.json()) >= {"Message", "ExceptionMessage"}

"""The poller's search: a day filter without pages, closed items only on demand, all inline."""

from datetime import UTC, datetime, timedelta

from tests.sandbox.gemini.help_desk import ASSIGNED, CLOSED, IN_PROGRESS, HelpDesk


def test_revised_after_is_a_day_filter(desk: HelpDesk) -> None:
    """Given an item changed this morning, when sought after this noon, then it still comes; after tomorrow not."""
    noon = datetime(2026, 5, 4, 12, 30, tzinfo=UTC)
    desk.kit.clock.set(noon - timedelta(hours=3))
    item_id = desk.item()["Id"]
    assert [dto["Id"] for dto in desk.search(RevisedAfter=noon.isoformat())] == [item_id]
    assert desk.search(RevisedAfter="2026-05-05") == []
    desk.set(revised_after_grain="second")
    assert desk.search(RevisedAfter=noon.isoformat()) == []


def test_closed_items_come_only_when_asked_for(desk: HelpDesk) -> None:
    """Given a closed item, when IncludeClosed is left out, then its closing is missed."""
    item_id = desk.item()["Id"]
    desk.move(item_id, ASSIGNED, IN_PROGRESS, CLOSED)
    assert desk.search() == []
    assert [dto["IsClosed"] for dto in desk.search(IncludeClosed=True)] == [True]


def test_max_items_is_the_only_bound(desk: HelpDesk) -> None:
    """Given five items, when three may return, then the three newest come and nothing says that more exist."""
    made = [desk.item(Title=f"n{number}")["Id"] for number in range(5)]
    assert [dto["Id"] for dto in desk.search(MaxItemsToReturn=3)] == made[:1:-1]
    assert len(desk.search(MaxItemsToReturn=0)) == 5


def test_comments_values_and_files_come_inline_but_no_history(desk: HelpDesk) -> None:
    """Given an item with all of them, when sought, then they are inside; history must be asked for."""
    item_id = desk.item(Attachments=[{"Name": "a.txt", "Content": "YQ=="}])["Id"]
    desk.comment(item_id, "<p>inline</p>", Visibility=5)
    desk.ask("POST", f"/items/{item_id}/customfield/data", {"CustomFieldId": 31, "IssueId": item_id, "Data": "Fine"})
    (dto,) = desk.search(RevisedAfter="2020-01-01", IncludeClosed=True)
    assert dto["Comments"][0]["BaseEntity"]["Comment"] == "<p>inline</p>"
    assert dto["Attachments"][0]["BaseEntity"]["Name"] == "a.txt"
    assert {value["Name"]: value["BaseEntity"]["Data"] for value in dto["CustomFields"]}["PublicResolution"] == "Fine"
    assert dto["History"] == []


def test_a_comment_raises_revised(desk: HelpDesk) -> None:
    """Given two items, when the older gets a comment, then it is the newest; a switch turns this off."""
    older, newer = desk.item()["Id"], desk.item()["Id"]
    assert desk.search(MaxItemsToReturn=1)[0]["Id"] == newer
    desk.comment(older, Visibility=4)
    assert desk.search(MaxItemsToReturn=1)[0]["Id"] == older
    desk.set(comment_raises_revised=False)
    desk.comment(newer, Visibility=4)
    assert desk.search(MaxItemsToReturn=1)[0]["Id"] == older


def test_projects_are_ids_between_pipes_or_all(desk: HelpDesk) -> None:
    """Given items of two projects, when sought, then each spelling finds what it names."""
    desk.item()
    desk.item(ProjectId=13)
    assert len(desk.search(Projects="|12|")) == 1
    assert len(desk.search(Projects="12|13")) == 2
    assert len(desk.search(Projects="ALL")) == 2


def test_a_cached_answer_follows_each_change(desk: HelpDesk) -> None:
    """Given an item that was just listed, when it changes in any way, then the next list shows it."""
    item_id = desk.item()["Id"]
    desk.search()
    desk.comment(item_id, Visibility=4)
    assert len(desk.search()[0]["Comments"]) == 1
    desk.ask("POST", f"/items/{item_id}/attachments", {"Name": "a.txt", "Content": "YQ==", "IssueId": item_id})
    assert len(desk.search()[0]["Attachments"]) == 1
    assert desk.search(user="anna")[0]["Comments"] == desk.search()[0]["Comments"]

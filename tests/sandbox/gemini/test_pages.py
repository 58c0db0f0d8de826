"""The person pages: what a resolver does in the browser, over the same changes as the API."""

import json

from tests.sandbox.gemini.help_desk import INTERNAL, PARTNER, HelpDesk
from tests.sandbox.kit.receiver import Receiver


def test_a_status_and_an_internal_comment_are_saved_together(desk: HelpDesk) -> None:
    """Given an item, when a resolver sets a status with an internal comment, then both are there, by that person."""
    item_id = desk.item()["Id"]
    ids = desk.submit(f"/items/{item_id}/status", status="Assigned", comment="their fault", group=str(INTERNAL))
    assert (ids["item"], ids["status"]) == (item_id, "Assigned")
    status, comment = desk.effects("status_changed", "comment_added")
    assert (status["by"], status["old"], status["new"]) == ("resolver:anna", "Unassigned", "Assigned")
    assert (comment["obj"], comment["visibility"]) == (str(ids["comment"]), INTERNAL)


def test_the_workflow_binds_people_too(desk: HelpDesk) -> None:
    """Given an unassigned item, when a resolver closes it, then the page says why not, and nothing is saved."""
    item_id = desk.item()["Id"]
    answer = desk.submit(f"/items/{item_id}/status", expect=400, status="Closed", comment="done")
    assert "does not allow" in answer["error"]
    assert desk.effects("status_changed", "comment_added") == []


def test_assigning_fires_the_webhook_like_the_api(hooked_desk: HelpDesk, receiver: Receiver) -> None:
    """Given an item, when a resolver is assigned, then the update hook comes and the resource is stored."""
    item_id = hooked_desk.item()["Id"]
    hooked_desk.submit(f"/items/{item_id}/resource", who="ben", resource="ben")
    bodies = [json.loads(body) for body in receiver.wait(2)]
    assert bodies[1]["Issue"]["BaseEntity"]["Resources"] == "|22|"


def test_comment_title_and_custom_field(desk: HelpDesk) -> None:
    """Given an item, when a resolver comments for the partner, retitles and fills a field, then the API shows it."""
    item_id = desk.item()["Id"]
    desk.submit(f"/items/{item_id}/comment", comment="A < B\nnext", group="Partner visible")
    desk.submit(f"/items/{item_id}/title", title="Clearer")
    desk.submit(f"/items/{item_id}/custom", field="PublicResolution", value="Credit issued")
    item = desk.ask("GET", f"/items/{item_id}")
    comment = item["Comments"][0]["BaseEntity"]
    assert (comment["Comment"], comment["Visibility"]) == ("<p>A &lt; B<br>next</p>", PARTNER)
    assert item["Title"] == "Clearer"
    assert item["CustomFields"][0]["BaseEntity"]["Data"] == "Credit issued"


def test_a_comment_can_be_flipped_to_the_partner_and_removed(desk: HelpDesk) -> None:
    """Given an internal comment of anna's, when she flips and then removes it, then ben could not have done so."""
    item_id = desk.item()["Id"]
    made = desk.submit(f"/items/{item_id}/comment", comment="text")["comment"]
    path = f"/items/{item_id}/comment/{made}"
    desk.submit(path, expect=403, who="ben", group=str(PARTNER))
    desk.submit(path, group=str(PARTNER))
    assert desk.ask("GET", f"/items/{item_id}/comments/{made}")["BaseEntity"]["Visibility"] == PARTNER
    desk.submit(path, remove="1")
    assert desk.ask("GET", f"/items/{item_id}/comments") == []


def test_a_comment_may_bring_a_file(desk: HelpDesk) -> None:
    """Given a file chosen in the comment form, when sent, then it hangs on that comment."""
    item_id = desk.item()["Id"]
    answer = desk.session.post(
        f"{desk.url}/gemini/person/items/{item_id}/comment",
        data={"comment": "see file"},
        files={"file": ("pod.txt", b"signed", "text/plain")},
        allow_redirects=False,
    )
    assert (answer.status_code, answer.headers["location"]) == (303, f"/gemini/workspace/12/item/{item_id}")
    (file,) = desk.ask("GET", f"/items/{item_id}/attachments")
    assert (file["BaseEntity"]["Name"], file["BaseEntity"]["CommentId"]) == ("pod.txt", 5001)


def test_pages_show_text_and_never_run_it(desk: HelpDesk) -> None:
    """Given mark-up in title and comment, when the pages are read, then it is text; every input has a label."""
    item_id = desk.submit("/items", title="<script>x</script>", description="hello", type="Task")["item"]
    desk.submit(f"/items/{item_id}/comment", comment="<img src=x onerror=y>")
    for path in ("/", "/gemini/", f"/gemini/workspace/12/item/{item_id}", f"/gemini/project/HELP/12/item/{item_id}"):
        page = desk.session.get(desk.url + path)
        assert page.status_code == 200
        assert "<script>" not in page.text
        assert "<img" not in page.text
        assert page.text.count("<label>") >= page.text.count("<input ") + page.text.count("<textarea ")

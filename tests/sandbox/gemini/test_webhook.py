"""The stock Webhooks app: create and update only, unsigned, once, in whichever encoding."""

import json
from typing import Any

from tests.contracts.validate import Contract
from tests.sandbox.gemini.help_desk import ASSIGNED, HelpDesk
from tests.sandbox.kit.receiver import Receiver


def test_create_and_update_fire_and_nothing_else_does(hooked_desk: HelpDesk, receiver: Receiver) -> None:
    """Given an item, when it is commented, filed and then moved, then two hooks come: creation and update."""
    item_id = hooked_desk.item()["Id"]
    hooked_desk.comment(item_id, Visibility=4)
    hooked_desk.ask("POST", f"/items/{item_id}/attachments", {"Name": "a", "Content": "YQ==", "IssueId": item_id})
    value = {"CustomFieldId": 31, "IssueId": item_id, "Data": "x"}
    hooked_desk.ask("POST", f"/items/{item_id}/customfield/data", value)
    hooked_desk.move(item_id, ASSIGNED)
    created, updated = (json.loads(body) for body in receiver.wait(2))
    assert "Previous" not in created
    assert (updated["Previous"]["Status"], updated["Issue"]["Status"]) == ("Unassigned", "Assigned")
    assert hooked_desk.kit.hooks.settled(10)
    assert len(hooked_desk.kit.hooks.deliveries()) == 2


def test_it_says_neither_who_it_is_nor_what_it_sends(hooked_desk: HelpDesk, receiver: Receiver) -> None:
    """Given a hook, when its headers are read, then no content type, signature or credentials are among them."""
    hooked_desk.item()
    receiver.wait(1)
    assert set(receiver.headers[0]) <= {"host", "accept-encoding", "content-length"}


def test_a_failed_hook_is_never_sent_again(hooked_desk: HelpDesk, receiver: Receiver) -> None:
    """Given a receiver that answers 503, when two items are created, then each comes once."""
    receiver.status = 503
    first, second = hooked_desk.item()["Id"], hooked_desk.item()["Id"]
    assert hooked_desk.kit.hooks.settled(10)
    bodies = [json.loads(body) for body in receiver.bodies]
    assert sorted(body["Issue"]["Id"] for body in bodies) == [first, second]
    assert hooked_desk.effects("item_created")[-1]["obj"] == str(second)


def test_the_body_may_be_windows_1252_with_question_marks(hooked_desk: HelpDesk, receiver: Receiver) -> None:
    """Given the ANSI page, when a title has an umlaut and a Greek letter, then bytes are cp1252 and '?'."""
    hooked_desk.set(webhook_encoding="windows-1252")
    hooked_desk.item(Title="Mängel Ω")
    (body,) = receiver.wait(1)
    assert "Mängel ?" in body.decode("cp1252")
    assert "Mängel".encode("cp1252") in body


def test_the_body_may_preserve_references(hooked_desk: HelpDesk, receiver: Receiver) -> None:
    """Given the serializer's setting, when an item is created, then $id, $values and $ref spell the same item."""
    hooked_desk.set(webhook_references=True)
    item = hooked_desk.item(Title="Same")
    (body,) = receiver.wait(1)
    envelope = json.loads(body)
    assert {"$id", "$values"} <= set(envelope["Issue"]["CustomFields"])
    assert b'"$ref"' in body
    plain = plainly(envelope, {})["Issue"]
    assert plain["CustomFields"][:1] == plain["InlineCustomFields"]
    assert (plain["Id"], plain["Title"]) == (item["Id"], "Same")


def test_null_members_are_left_out(hooked_desk: HelpDesk, receiver: Receiver) -> None:
    """Given an item without a due date, when the hook comes, then the member is absent, and the shape is legal."""
    hooked_desk.item()
    envelope = json.loads(receiver.wait(1)[0])
    assert "DueDate" not in envelope["Issue"]["BaseEntity"]
    Contract.gemini().check_answer("GET", "/items/1", 200, envelope["Issue"])


def plainly(node: Any, known: dict[str, Any]) -> Any:
    """The value without $id, $ref and $values."""
    if isinstance(node, list):
        return [plainly(part, known) for part in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return known[node["$ref"]]
    if "$values" in node:
        return [plainly(part, known) for part in node["$values"]]
    made = {name: plainly(part, known) for name, part in node.items() if name != "$id"}
    known[node["$id"]] = made
    return made

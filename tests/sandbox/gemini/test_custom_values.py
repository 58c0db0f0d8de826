"""Custom values: rows of their own, written apart from the item."""

from typing import Any

from tests.sandbox.gemini.help_desk import HelpDesk

RESOLUTION = 31


def value_of(desk: HelpDesk, item_id: int) -> Any:
    """The row of PublicResolution as the item shows it."""
    dto = desk.ask("GET", f"/items/{item_id}")
    return next(value["BaseEntity"] for value in dto["CustomFields"] if value["Name"] == "PublicResolution")


def body(item_id: int, data: str, **members: object) -> dict[str, object]:
    """The body of a custom value."""
    return {"CustomFieldId": RESOLUTION, "IssueId": item_id, "ProjectId": 12, "UserId": 9, "Data": data, **members}


def test_a_field_without_a_value_is_there_with_row_id_0(desk: HelpDesk) -> None:
    """Given a new item, even one created with CustomFields, when read, then all fields are there, empty and new."""
    item = desk.item(CustomFields=[{"Name": "PublicResolution", "BaseEntity": {"Data": "x"}}])
    row = value_of(desk, item["Id"])
    assert (row["Id"], row["IsNew"], row["Data"]) == (0, True, "")


def test_post_makes_the_row_and_put_with_its_id_replaces_it(desk: HelpDesk) -> None:
    """Given a posted value, when PUT with the row id, then the same row holds the new text; both are in history."""
    item_id = desk.item()["Id"]
    row = desk.ask("POST", f"/items/{item_id}/customfield/data", body(item_id, "first"))
    again = desk.ask("PUT", f"/items/{item_id}/customfield/data", body(item_id, "second", Id=row["Id"]))
    assert (again["Id"], value_of(desk, item_id)["Data"]) == (row["Id"], "second")
    rows = [dto["BaseEntity"] for dto in desk.ask("GET", f"/items/{item_id}/history")]
    assert [(row["AttributeChanged"], row["FieldChanged"], row["ValueAfter"]) for row in rows if row["IsCustom"]] == [
        (43, "PublicResolution", "first"),
        (43, "PublicResolution", "second"),
    ]
    assert [(e["old"], e["new"]) for e in desk.effects("custom_value_set")] == [("", "first"), ("first", "second")]


def test_a_second_post_is_refused(desk: HelpDesk) -> None:
    """Given a row, when posted again, then 400 comes and the first text stays."""
    item_id = desk.item()["Id"]
    desk.ask("POST", f"/items/{item_id}/customfield/data", body(item_id, "first"))
    assert desk.try_to("POST", f"/items/{item_id}/customfield/data", body(item_id, "second")).status_code == 400
    assert value_of(desk, item_id)["Data"] == "first"


def test_put_without_a_row_id_upserts_where_the_site_takes_it(desk: HelpDesk) -> None:
    """Given no row, when PUT without an id, then one is made; with the switch off it is refused."""
    item_id = desk.item()["Id"]
    assert desk.ask("PUT", f"/items/{item_id}/customfield/data", body(item_id, "made"))["Id"] > 0
    desk.set(custom_put_without_id=False)
    assert desk.try_to("PUT", f"/items/{item_id}/customfield/data", body(item_id, "x")).status_code == 400


def test_an_item_put_leaves_custom_values_alone(desk: HelpDesk) -> None:
    """Given a value, when the item is PUT, then the value is untouched."""
    item_id = desk.item()["Id"]
    desk.ask("POST", f"/items/{item_id}/customfield/data", body(item_id, "kept"))
    desk.change(item_id, Title="Other")
    assert value_of(desk, item_id)["Data"] == "kept"


def test_values_may_come_entity_encoded(desk: HelpDesk) -> None:
    """Given the switch, when a value with an ampersand is read, then it is encoded."""
    item_id = desk.item()["Id"]
    desk.ask("POST", f"/items/{item_id}/customfield/data", body(item_id, "A & B"))
    desk.set(encode_custom_values=True)
    assert value_of(desk, item_id)["Data"] == "A &amp; B"

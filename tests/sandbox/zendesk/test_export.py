"""The cursor export: what it withholds, repeats and never shows twice."""

from __future__ import annotations

from typing import Any

from tests.sandbox.zendesk.desk import Desk, JsonObject


def export(desk: Desk, **query: Any) -> JsonObject:
    """One page of the export."""
    return dict(desk.call("GET", "/incremental/tickets/cursor.json", params=query).json())


def test_the_last_minute_is_withheld(desk: Desk) -> None:
    """Given a new ticket, when exported at once, then nothing; a minute later it is there."""
    desk.create()
    empty = export(desk, start_time=0)
    assert (empty["tickets"], empty["end_of_stream"]) == ([], True)
    desk.pass_time(61)
    found = export(desk, cursor=empty["after_cursor"])
    assert [ticket["id"] for ticket in found["tickets"]] == [1]
    assert found["tickets"][0]["generated_timestamp"] > 0


def test_a_start_in_the_last_minute_is_refused(desk: Desk) -> None:
    """Given start_time of now, when exported, then 422."""
    now = int(desk.kit.clock.now().timestamp())
    assert desk.call("GET", "/incremental/tickets/cursor", params={"start_time": now}).status_code == 422


def test_a_ticket_changed_twice_comes_once_in_its_latest_state(desk: Desk) -> None:
    """Given changes on two tickets, when exported by pages of one, then each comes once, by its last change."""
    desk.settings(export_lag_seconds=0)
    desk.create()
    desk.create()
    desk.update(1, status="pending")
    first = export(desk, start_time=0, per_page=1)
    second = export(desk, cursor=first["after_cursor"], per_page=1)
    assert [(page["tickets"][0]["id"], page["end_of_stream"]) for page in (first, second)] == [(2, False), (1, True)]
    assert second["tickets"][0]["status"] == "pending"
    nothing = export(desk, cursor=second["after_cursor"])
    assert (nothing["tickets"], nothing["after_cursor"]) == ([], second["after_cursor"])


def test_a_change_within_the_same_second_is_not_skipped(desk: Desk) -> None:
    """Given a cursor at ticket 2, when ticket 1 changes in the same second, then the next page has it."""
    desk.settings(export_lag_seconds=0)
    desk.session.put(f"{desk.url}/_sandbox/clock", json={"base": "2026-11-21T10:00:00+00:00", "rate": 0})
    desk.session.headers["authorization"] = f"Bearer {desk.login().json()['access_token']}"
    desk.create()
    desk.create()
    cursor = export(desk, start_time=0)["after_cursor"]
    desk.update(1, status="pending")
    assert [ticket["id"] for ticket in export(desk, cursor=cursor)["tickets"]] == [1]


def test_deleted_tickets_appear_unless_excluded(desk: Desk) -> None:
    """Given a deleted ticket, when exported, then its row says `deleted`."""
    desk.settings(export_lag_seconds=0)
    desk.create()
    desk.call("DELETE", "/tickets/1")
    assert export(desk, start_time=0)["tickets"][0]["status"] == "deleted"
    assert export(desk, start_time=0, exclude_deleted="true")["tickets"] == []


def test_only_changes_of_the_export_s_own_timestamp_count(desk: Desk) -> None:
    """Given a redaction, when exported after it, then the ticket comes though `updated_at` is older."""
    desk.settings(export_lag_seconds=0)
    desk.create("secret")
    cursor = export(desk, start_time=0)["after_cursor"]
    desk.pass_time(30)
    desk.call("PUT", f"/tickets/1/comments/{desk.comments(1)[0]['id']}/redact", {"text": "secret"})
    row = export(desk, cursor=cursor)["tickets"][0]
    assert row["description"] == "▇▇▇▇▇▇"


def test_a_forged_cursor_is_refused(desk: Desk) -> None:
    """Given a cursor that is none, when exported, then 400."""
    assert desk.call("GET", "/incremental/tickets/cursor", params={"cursor": "nonsense"}).status_code == 400

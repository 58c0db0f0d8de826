"""Rate limits: the per-ticket one by default, the account's by switch, with the headers that tell."""

from __future__ import annotations

from tests.sandbox.zendesk.desk import Desk


def test_the_31st_update_of_a_ticket_in_ten_minutes_must_wait(desk: Desk) -> None:
    """Given 30 updates, refused ones counted, when one more comes, then 429; another ticket goes on."""
    desk.create()
    desk.create()
    for number in range(29):
        assert desk.update(1, priority=("low", "high")[number % 2]).status_code == 200
    assert desk.update(1, safe_update=True, updated_stamp="old").status_code == 409
    refused = desk.update(1, comment={"body": "one more", "public": False})
    assert (refused.status_code, refused.json()["error"]) == (429, "APIRateLimitExceeded")
    assert 590 <= int(refused.headers["retry-after"]) <= 600
    assert refused.headers["zendesk-ratelimit-per-ticket-updates"].startswith("total=30; remaining=0; resets=")
    assert int(refused.headers["x-rate-limit-remaining"]) > 600  # the account has plenty left all the same
    assert desk.update(2, priority="low").status_code == 200
    desk.pass_time(601)
    assert desk.update(1, comment={"body": "one more", "public": False}).status_code == 200


def test_the_per_ticket_limit_can_be_switched_off(desk: Desk) -> None:
    """Given the limit off, when 40 updates come, then all go through."""
    desk.settings(per_ticket_limit=False)
    desk.create()
    assert {desk.update(1, subject=str(number)).status_code for number in range(40)} == {200}


def test_account_limits_refuse_when_they_are_on(desk: Desk) -> None:
    """Given limits of two a minute, when a third update or export comes, then 429 with its own header."""
    desk.settings(updates_per_minute=2, incremental_per_minute=2)
    desk.create()
    codes = [desk.update(1, subject=str(number)).status_code for number in range(3)]
    exports = [desk.call("GET", "/incremental/tickets/cursor", params={"start_time": 0}) for _ in range(3)]
    assert codes == [200, 200, 429]
    assert [answer.status_code for answer in exports] == [200, 200, 429]
    assert "zendesk-ratelimit-incremental-exports" in exports[-1].headers


def test_every_answer_counts_down_the_account_s_minute(desk: Desk) -> None:
    """Given a limit of 3 requests, when a fourth comes, then 429; the headers counted down to it."""
    desk.settings(account_per_minute=3)
    desk.session.put(f"{desk.url}/_sandbox/clock", json={"base": "2026-11-21T10:00:00+00:00", "rate": 0})
    desk.session.headers["authorization"] = f"Bearer {desk.login().json()['access_token']}"
    answers = [desk.call("GET", "/users/me") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers.get("x-rate-limit-remaining") for answer in answers[:3]] == ["2", "1", "0"]


def test_unknown_settings_are_refused(desk: Desk) -> None:
    """Given a misspelt setting, when put, then 400 names it."""
    answer = desk.settings(export_lag=0)
    assert (answer.status_code, "export_lag" in answer.json()["error"]) == (400, True)
    assert desk.settings(webhook_mode="sometimes").status_code == 400

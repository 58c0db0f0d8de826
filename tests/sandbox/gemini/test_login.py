"""A refused log-in shows itself in three ways, and success looks the same in none of them."""

import pytest
import requests

from tests.sandbox.gemini.help_desk import HelpDesk


def test_the_api_user_reads_itself(desk: HelpDesk) -> None:
    """Given name and API key, when the user is asked for by name, then its id and name come, and the key too."""
    entity = desk.ask("GET", "/users/username/casebridge")["BaseEntity"]
    assert (entity["Id"], entity["Username"], entity["ApiKey"]) == (9, "casebridge", "sandbox-gemini-key")


def test_a_wrong_key_is_403(desk: HelpDesk) -> None:
    """Given a wrong key, when an item is created, then 403 comes and nothing is created."""
    answer = desk.try_to("POST", "/items", {"ProjectId": 12, "Title": "x"}, key="wrong")
    assert answer.status_code == 403
    assert desk.effects() == []


def test_a_wrong_key_can_look_like_success_with_null(desk: HelpDesk) -> None:
    """Given the site that answers null, when a wrong key creates an item, then 200 `null` comes without effect."""
    desk.set(login_refusal="null")
    answer = desk.try_to("POST", "/items", {"ProjectId": 12, "Title": "x"}, key="wrong")
    assert (answer.status_code, answer.text) == (200, "null")
    assert desk.effects() == []


def test_a_wrong_key_can_pass_as_the_anonymous_user(desk: HelpDesk) -> None:
    """Given anonymous browsing, when a wrong key reads, then less comes; its user has id 0; writing is refused."""
    item_id = desk.item()["Id"]
    desk.comment(item_id, "<p>internal</p>", Visibility=4)
    desk.set(login_refusal="anonymous")
    assert desk.ask("GET", "/users/username/casebridge", key="wrong")["BaseEntity"]["Id"] == 0
    assert desk.ask("GET", f"/items/{item_id}/comments", key="wrong") == []
    assert desk.try_to("POST", "/items", {"ProjectId": 12, "Title": "x"}, key="wrong").status_code == 403


def test_a_key_can_be_revoked_and_given_back(desk: HelpDesk) -> None:
    """Given a revoked key, when the user logs in, then it is refused until the key holds again."""
    desk.set(revoked=["casebridge"])
    assert desk.try_to("GET", "/projects").status_code == 403
    desk.set(revoked=[])
    assert [project["BaseEntity"]["Code"] for project in desk.ask("GET", "/projects")] == ["HELP", "DEMO"]


def test_head_is_refused_by_request_filtering(desk: HelpDesk) -> None:
    """Given any path, when HEAD is sent, then a 404 comes instead of headers."""
    assert requests.head(f"{desk.url}/gemini/api/projects", timeout=10).status_code == 404


def test_form_data_is_refused(desk: HelpDesk) -> None:
    """Given form-encoded data as in the vendor's old samples, when posted, then nothing is created."""
    answer = desk.session.post(
        f"{desk.url}/gemini/api/items",
        data={"ProjectId": "12", "Title": "x"},
        auth=("casebridge", "sandbox-gemini-key"),
    )
    assert answer.status_code == 415
    assert desk.effects() == []


@pytest.mark.parametrize("switches", [{"no_such": 1}, {"login_refusal": "maybe"}, {"webhook": "yes"}])
def test_a_wrong_switch_is_refused_by_name(desk: HelpDesk, switches: dict[str, object]) -> None:
    """Given a switch that does not exist or a value it cannot have, when set, then the answer names it."""
    answer = desk.session.put(f"{desk.url}/_sandbox/gemini", json=switches)
    assert answer.status_code == 400
    assert next(iter(switches)) in answer.json()["error"]

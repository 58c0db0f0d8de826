"""Signing in: tokens, scopes, the legacy pair, and what a refusal looks like."""

from __future__ import annotations

from tests.sandbox.zendesk.desk import Desk


def test_a_token_acts_as_the_client_s_user_until_it_expires(desk: Desk) -> None:
    """Given a token of 300 s, when 301 s have passed, then it answers 401 with Zendesk's words."""
    token = desk.login(expires_in=300).json()["access_token"]
    signed = {"authorization": f"Bearer {token}"}
    assert desk.call("GET", "/users/me", headers=signed).json()["user"]["id"] == 9001
    desk.pass_time(301)
    refused = desk.call("GET", "/users/me", headers=signed)
    assert (refused.status_code, refused.json()) == (401, {"error": "Couldn't authenticate you"})


def test_a_scope_sent_as_a_list_gives_a_useless_token(desk: Desk) -> None:
    """Given scope as an array, when the token is used, then every call is 403 with `error` as an object."""
    token = desk.login(scope=["read", "write"]).json()["access_token"]
    refused = desk.call("GET", "/tickets", headers={"authorization": f"Bearer {token}"})
    assert refused.status_code == 403
    assert refused.json()["error"]["title"] == "Forbidden"


def test_audits_need_the_global_scope(desk: Desk) -> None:
    """Given a token for tickets only, when audits are read, then 403; the ticket itself is readable."""
    desk.create()
    token = desk.login(scope="tickets:read").json()["access_token"]
    signed = {"authorization": f"Bearer {token}"}
    assert desk.call("GET", "/tickets/1", headers=signed).status_code == 200
    assert desk.call("GET", "/tickets/1/audits", headers=signed).status_code == 403
    assert desk.call("PUT", "/tickets/1", {"ticket": {}}, headers=signed).status_code == 403


def test_wrong_clients_and_lives_out_of_bounds_are_refused(desk: Desk) -> None:
    """Given a wrong secret or a life of a second, when a token is asked for, then 401 or 400."""
    assert desk.login(client_secret="wrong").status_code == 401
    assert desk.login(expires_in=1).status_code == 400
    assert desk.login(grant_type="password").status_code == 400


def test_the_legacy_pair_works_until_it_is_switched_off(desk: Desk) -> None:
    """Given e-mail/token, when the setting goes off, then the pair answers 401."""
    desk.session.headers.pop("authorization")
    desk.session.auth = ("casebridge@hub.example/token", "sandbox-zendesk-token")
    assert desk.call("GET", "/users/me.json").status_code == 200
    desk.settings(legacy_basic=False)
    assert desk.call("GET", "/users/me.json").status_code == 401

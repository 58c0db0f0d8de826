"""The connector as the core finds it: its place, its settings, its log-in, its start-up check, its webhook."""

from typing import Any

import pytest
from marshmallow import ValidationError

from pipeline.config import Config, Partner
from pipeline.connectors import discover
from pipeline.connectors.zendesk import CONNECTOR
from pipeline.connectors.zendesk.settings import Options
from pipeline.errors import ConfigurationError
from tests.connectors.zendesk.world import ENV, ScriptedHttp, make_config
from tests.contracts.validate import Contract

ME = {"user": {"id": 9001, "name": "casebridge", "role": "admin"}}


def test_it_is_found_by_its_folder() -> None:
    """Given the folders of connectors, when discovered, then Zendesk is among them under its own name."""
    assert discover()["zendesk"] is CONNECTOR


def test_an_empty_section_means_the_documented_defaults() -> None:
    """Given no section at all, when read, then prefix, tags and the state map are those of flows and decisions."""
    options = Options.of(Config())
    assert (options.partner_comment_prefix, options.escalate_tag) == ("#partner", "b2b_partner_issue")
    assert (options.statuses["awaiting_partner"], options.statuses["closed"]) == ("pending", "solved")
    assert (options.when_full, options.reopen_solved, options.allow_private) == ("park", True, False)


@pytest.mark.parametrize(
    ("section", "said"),
    [({"fields": {"partner": "three"}}, "whole number"), ({"statuses": {"resolved": "closed"}}, "expected one of"),
     ({"when_full": "explode"}, "found 'explode'"), ({"escalate_tags": "x"}, "Unknown field"),
     ({"partner_comment_prefix": ""}, "2 to 40 characters"), ({"update_fields": {"x": "nowhere"}}, "found nowhere")],
)  # fmt: skip
def test_a_wrong_section_says_what_was_expected(section: dict[str, Any], said: str) -> None:
    """Given a wrong value, when loaded, then the message names what was found or expected."""
    with pytest.raises(ValidationError, match=said):
        CONNECTOR.section().load(section)


@pytest.mark.shared
def test_the_token_is_asked_for_as_the_contract_says() -> None:
    """Given client credentials, when logging in, then scope is one text and the path stands at the root."""
    account = CONNECTOR.account(ENV, make_config())
    assert account.token is not None
    assert account.token.root
    Contract.zendesk().check(account.token)
    assert account.token.body["scope"] == "read write"
    assert "sandbox-zendesk-secret" not in repr(account)


def test_the_legacy_token_still_works_and_neither_is_refused() -> None:
    """Given e-mail and API token, when logging in, then Basic is used; given nothing, the error names both ways."""
    env = {"ZENDESK_URL": "https://desk.example/", "ZENDESK_EMAIL": "a@b.example", "ZENDESK_API_TOKEN": "t"}
    account = CONNECTOR.account(env, make_config())
    assert account.headers["Authorization"] == "Basic YUBiLmV4YW1wbGUvdG9rZW46dA=="
    assert (account.token, account.root_url) == (None, "https://desk.example")
    with pytest.raises(ConfigurationError, match="ZENDESK_CLIENT_ID"):
        CONNECTOR.account({"ZENDESK_URL": "https://desk.example"}, make_config())


def test_the_start_up_check_names_each_thing_that_is_missing() -> None:
    """Given a field, a group, an organization and a right are missing, when checked, then each has its sentence."""
    http = ScriptedHttp({
        "/users/me.json": {"user": {**ME["user"], "role": "agent"}},
        "/ticket_fields": {"ticket_fields": [{"id": 360001, "active": False, "title": "Partner"}], "meta": {}},
        "/organizations/show_many": {"organizations": [{"id": 500}]},
    })  # fmt: skip
    config = make_config(fields={"partner": 360001, "po_number": 360003}, update_fields={}, group=70, user_id=1)
    partners = (*config.partners, Partner("globex", ids={"zendesk": {"organization": "501"}}))
    sentences = list(CONNECTOR.check(Config(partners=partners, sections=config.sections), http))
    expected = (
        "needs an admin",
        "zendesk.user_id: found 1",
        "fields.partner: ticket field 360001 (Partner) is inactive",
        "fields.po_number: found 360003",
        "zendesk.group: found 70",
        "globex has the Zendesk organization 501",
    )
    for part in expected:
        assert any(part in sentence for sentence in sentences), part
    assert len(sentences) == len(expected)


def test_the_webhook_is_listed_by_name_before_it_is_made() -> None:
    """Given our public address, when connecting, then the read comes first and the secret's place is told."""
    plan = CONNECTOR.connect("https://bridge.example/", make_config())
    listed, made = plan.requests
    assert listed.reads
    assert listed.query == (("filter[name_contains]", "casebridge"),)
    webhook = made.body["webhook"]
    assert (webhook["name"], webhook["endpoint"]) == ("casebridge", "https://bridge.example/hooks/zendesk")
    assert "zen:event-type:ticket.comment_added" in webhook["subscriptions"]
    assert "signing_secret" in plan.by_hand

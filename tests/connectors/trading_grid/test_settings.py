"""Environment, section and account, and what the start-up check and `connect` do with them."""

from typing import Any

import pytest
from marshmallow import ValidationError

from pipeline.connectors.trading_grid import CONNECTOR
from pipeline.connectors.trading_grid.settings import Section
from pipeline.errors import PermanentError
from tests.connectors.trading_grid.desk import ENV, Scripted, answer, config
from tests.contracts.validate import Contract

INFO = {"name": "Trading Grid", "features": {"etag": True, "idempotency": True, "webhooks": True}}
PARTNERS = {"_embedded": {"collection": [{"id": "prt_acme", "state": "active"}]}, "page": {"has_more": False}}
GROUPS = {"_embedded": {"collection": [{"id": "grp_log", "kind": "team"}, {"id": "grp_all", "kind": "audience"}]},
          "page": {"has_more": False}}  # fmt: skip


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"milestone_to": "email"}, "found email, expected one of thread, workspace, both"),
        ({"long_poll_seconds": 31}, "found 31, expected 0 to 30 seconds"),
        ({"limits": {"requests_per_minute": 0}}, "found 0, expected at least 1"),
        ({"instance": ""}, "expected 1 to 100 characters"),
        ({"thread_url": "https://portal.example/"}, "expected an address with {id} in it"),
        ({"milestones_to": "thread"}, "Unknown field"),
    ],
)
def test_a_wrong_setting_says_what_was_expected(section: dict[str, Any], words: str) -> None:
    """Given a wrong value or name, when the section is loaded, then the message says what was found and expected."""
    with pytest.raises(ValidationError) as caught:
        Section().load(section)
    assert words in str(caught.value.messages)


def test_the_token_is_asked_for_at_the_root() -> None:
    """Given the environment, when the account is made, then its token request fits the contract, secrets unshown."""
    account = CONNECTOR.account(ENV, config(limits={"requests_per_minute": 60}))
    assert account.token is not None
    Contract.trading_grid().check(account.token)
    assert account.token.root
    assert "client-secret" not in repr(account)
    assert [(limit.amount, limit.seconds) for limit in account.limits] == [(60, 60)]


@pytest.mark.parametrize(("flag", "given"), [("allow_private", True), ("allow_http", True), ("allow_http", False)])
def test_addresses_are_opened_by_setting_only(flag: str, given: bool) -> None:
    """Given the two switches of decisions D11, when the account is made, then they are as set and off by default."""
    assert getattr(CONNECTOR.account(ENV, config(**{flag: given})), flag) is given
    assert getattr(CONNECTOR.account(ENV, config()), flag) is False


def test_a_thread_page_for_people_by_setting() -> None:
    """Given `thread_url`, when the target is made, then links for people lead there."""
    target = CONNECTOR.target(ENV, config(thread_url="https://portal.example/t/{id}"))
    assert target.thread_page == "https://portal.example/t/{id}"


def test_a_healthy_grid_has_nothing_to_say() -> None:
    """Given all partners and teams exist, when checked, then there is no complaint."""
    http = Scripted({"/service-info": INFO, "/partners": PARTNERS, "/partner-groups": GROUPS})
    assert list(CONNECTOR.check(config(teams={"acme": {"default": "grp_log"}}), http)) == []


def test_everything_that_is_missing_is_named_at_once() -> None:
    """Given a missing partner, a missing team and an audience as team, when checked, then each has its sentence."""
    features = {"etag": True, "idempotency": False, "webhooks": False}
    http = Scripted({"/service-info": {"features": features}, "/partners": {"page": {}}, "/partner-groups": GROUPS})
    teams = {"acme": {"short_shipment": "grp_all", "default": "grp_gone"}}
    said = list(CONNECTOR.check(config(teams=teams), http))
    assert len(said) == 4  # without webhooks it polls: that is no fault
    assert "no idempotency" in said[0]
    assert "acme has the trading_grid id prt_acme, which Trading Grid does not know" in said[1]
    assert "found audience under grp_all, expected a team group" in said[2]
    assert "found nothing under grp_gone" in said[3]


def test_another_service_at_the_address_is_named() -> None:
    """Given no service-info at the address, when checked, then the variable is named; a refusal is passed on."""
    assert "TRADING_GRID_URL" in next(iter(CONNECTOR.check(config(), Scripted({}))))
    with pytest.raises(PermanentError):
        list(CONNECTOR.check(config(), Scripted({"/service-info": answer(400, {"code": "invalid_request"})})))


def test_the_webhook_is_registered_once() -> None:
    """Given our public address, when connected twice, then the same requests go out: a list, then one creation."""
    plan = CONNECTOR.connect("https://bridge.example/", config())
    assert plan == CONNECTOR.connect("https://bridge.example", config())
    listed, create = plan.requests
    assert listed.reads
    assert "TRADING_GRID_WEBHOOK_SECRET" in plan.by_hand
    assert create.body["url"] == "https://bridge.example/hooks/trading-grid"
    for request in plan.requests:
        Contract.trading_grid().check(request)

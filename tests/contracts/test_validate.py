"""The contract checker refuses what the contracts refuse, so that a passing plan means something."""

import pytest

from pipeline.plan import Request, Slot
from tests.contracts.validate import Contract, ContractError

pytestmark = pytest.mark.shared


def test_a_described_request_passes_with_its_slots_filled() -> None:
    """Given an update with an upload token still to come, when checked, then the slot stands for a text."""
    body = {"ticket": {"comment": {"html_body": "x", "public": False, "uploads": [Slot("upload", "upload.token")]}}}
    Contract.zendesk().check(Request("write", "PUT", "/tickets/35", body=body))


def test_an_unknown_key_is_refused_because_zendesk_would_drop_it() -> None:
    """Given a misspelt key, when checked, then the checker names it."""
    body = {"ticket": {"comment": {"html_body": "x", "pubic": False}}}
    with pytest.raises(ContractError, match="pubic"):
        Contract.zendesk().check_request("PUT", "/tickets/35", body=body)


def test_a_wrong_type_is_refused() -> None:
    """Given an id as text, when checked, then the checker says where."""
    with pytest.raises(ContractError, match="via_followup_source_id"):
        Contract.zendesk().check_request(
            "POST", "/tickets", body={"ticket": {"comment": {"body": "x"}, "via_followup_source_id": "35"}}
        )


def test_answers_may_hold_null_anywhere() -> None:
    """Given a ticket as recorded, with nulls, when checked, then it passes; a wrong type still fails."""
    contract = Contract.zendesk()
    contract.check_answer("GET", "/tickets/35", 200, {"ticket": {"id": 35, "requester_id": 7, "assignee_id": None}})
    with pytest.raises(ContractError, match="id"):
        contract.check_answer("GET", "/tickets/35", 200, {"ticket": {"id": "35", "requester_id": 7}})


def test_an_operation_that_the_contract_lacks_is_refused() -> None:
    """Given a path of no contract, when checked, then it is named."""
    with pytest.raises(ContractError, match="no POST /tickets/35/comments"):
        Contract.zendesk().check_request("POST", "/tickets/35/comments", body={})


def test_our_own_contracts_refuse_what_they_do_not_declare() -> None:
    """Given a missing required header and an undeclared parameter, when checked, then both are refused."""
    contract = Contract.trading_grid()
    with pytest.raises(ContractError, match="idempotency-key"):
        contract.check_request("POST", "/threads", body={})
    with pytest.raises(ContractError, match="undeclared"):
        contract.check_request("GET", "/threads", query={"no_such_parameter": "1"})
    with pytest.raises(ContractError, match="no PATCH"):
        Contract.gemini().check_request("PATCH", "/items", body={})

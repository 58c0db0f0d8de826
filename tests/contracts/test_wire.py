"""The check of wire logs finds what is wrong on the wire, and judges nothing that did not come whole."""

from typing import Any

import pytest

from tests.contracts.wire import of_entries

pytestmark = pytest.mark.shared


def entry(path: str, body: str = "", *, method: str = "POST", **more: Any) -> dict[str, Any]:
    """One exchange as a sandbox logs it."""
    headers = {"user-agent": "casebridge", "content-type": "application/json", "content-length": str(len(body))}
    return {
        "n": 7,
        "method": method,
        "path": path,
        "query": "",
        "request_headers": headers,
        "request_body": body,
        **more,
    }


def test_a_wrong_request_is_named_with_its_number_and_fault() -> None:
    """Given a misspelt key on the wire, when checked, then request, key and body are named."""
    wrong = entry("/api/v2/tickets/35", '{"ticket":{"comment":{"html_body":"x","pubic":false}}}', method="PUT")
    (found,) = of_entries("zendesk", [wrong])
    assert "zendesk, request 7" in found
    assert "'pubic'" in found
    assert "sent: {" in found


def test_an_undeclared_query_parameter_is_refused() -> None:
    """Given a parameter that the contract does not know, when checked, then it is named."""
    (found,) = of_entries("trading_grid", [entry("/active-community/v1/threads", method="GET", query="colour=red")])
    assert "colour" in found


def test_others_requests_and_cut_ones_are_not_judged() -> None:
    """Given a stranger's call and one whose body never came whole, when checked, then nothing is said."""
    strange = entry("/gemini/api/nowhere")
    strange["request_headers"]["user-agent"] = "curl"
    cut = entry("/gemini/api/nowhere", "{")
    cut["request_headers"]["content-length"] = "400"
    assert list(of_entries("gemini", [strange, cut])) == []


@pytest.mark.parametrize("tenant", ["tnt_sandbox", "3f0c8b1e-6a40-4a51-9f5e-0d1f8f6f2f11"])
def test_a_tenant_may_have_any_name(tenant: str) -> None:
    """Given a log-in at a tenant, when checked, then its name may be a UUID or not."""
    body = '{"grant_type":"client_credentials","client_id":"a","client_secret":"b"}'
    assert list(of_entries("trading_grid", [entry(f"/tenants/{tenant}/oauth2/token", body)])) == []


def test_a_log_in_without_a_tenant_is_refused() -> None:
    """Given a log-in whose path lacks the tenant, when checked, then the contract has no such operation."""
    assert list(of_entries("trading_grid", [entry("/tenants//oauth2/token", "{}")]))

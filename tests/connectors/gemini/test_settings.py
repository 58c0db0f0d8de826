"""The section of casebridge.yaml and the environment: what is wrong is named, what is secret stays hidden."""

from typing import Any

import pytest
from marshmallow import ValidationError

from pipeline.connectors.gemini import CONNECTOR
from tests.connectors.gemini.desk import SECTION, config_of, env_of

SKELETON: dict[str, Any] = {
    "project": 12, "types": {"case": "Investigation", "task": "Task"}, "groups": {"internal": 4, "partner": 5},
    "escalation_priority": "High", "fields": {"PublicResolution": 31, "EvidenceRequested": 32, "EvidenceDue": 33},
    "statuses": {"Assigned": "assigned", "In Progress": "in_progress"}, "roles": {"waive": ["anna"]},
}  # fmt: skip


def test_the_published_skeleton_is_enough() -> None:
    """Given the section as decisions D17 prints it, when it is loaded, then the rest has its defaults."""
    loaded: Any = CONNECTOR.section().load(SKELETON)
    assert loaded["fields"] == SKELETON["fields"]
    assert (loaded["time_zone"], loaded["max_file_bytes"], loaded["poll_overlap_seconds"]) == ("UTC", 33_000_000, 300)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"project": "twelve"}, "found 'twelve', expected the number of the project"),
        ({"groups": {"internal": 4, "partner": 4}}, "found group 4 twice"),
        ({"groups": {"internal": 4, "partner": 1}}, "found 1 (Everyone)"),
        ({"groups": {"internal": 4}}, "found nothing, expected the id of the user group"),
        ({"statuses": {"Assigned": "given"}}, "found 'given', expected one of assigned"),
        ({"statuses": {"Waiting": "awaiting_partner:tea"}}, "awaiting_partner:documents"),
        ({"priorities": {"huge": "High"}}, "found 'huge', expected one of high"),
        ({"types": {"task": "Task"}}, "found no line `case`"),
        ({"time_zone": "Mars/Olympus"}, "found 'Mars/Olympus', expected a time zone"),
        ({"partner_label": "a partner"}, "found 'a partner', expected a text with {name}"),
        ({"colour": "red"}, "expected none"),
    ],
)
def test_each_fault_says_what_was_found_and_expected(changes: dict[str, Any], words: str) -> None:
    """Given one wrong line, when the section is loaded, then the message names what stands there."""
    with pytest.raises(ValidationError) as refusal:
        CONNECTOR.section().load({**SECTION, **changes})
    assert words in str(refusal.value.messages)


def test_the_account_logs_in_with_the_vendors_own_vector() -> None:
    """Given the vendor's user and key, when the account is made, then the header is the vendor's and repr hides it."""
    env = {**env_of("http://server/gemini/"), "GEMINI_USERNAME": "manager", "GEMINI_API_KEY": "xvitjc5bmm"}
    account = CONNECTOR.account(env, config_of())
    assert account.headers["Authorization"] == "Basic bWFuYWdlcjp4dml0amM1Ym1t"
    assert (account.root_url, account.api_path) == ("http://server/gemini", "/api")
    assert "bWFuYWdlcjp4" not in repr(account)
    assert account.secret_members == ("ApiKey",)
    assert account.health is not None
    assert (account.health.method, account.health.path) == ("GET", "/users/username/manager")


def test_the_webhook_is_entered_by_hand() -> None:
    """Given no call that registers a webhook, when connecting, then the text says what to enter and where."""
    plan = CONNECTOR.connect("https://bridge.example/", config_of())
    assert not plan
    assert "https://bridge.example/hooks/gemini/<GEMINI_WEBHOOK_TOKEN>" in plan.by_hand

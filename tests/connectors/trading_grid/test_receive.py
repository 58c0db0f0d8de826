"""Webhooks in: what is believed, and what is refused."""

from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook

from pipeline.connector import SignatureError, UnreadableError
from pipeline.connectors.trading_grid import CONNECTOR
from pipeline.connectors.trading_grid.receive import parse_secret
from pipeline.errors import ConfigurationError
from tests.connectors.trading_grid.desk import ENV, PREVIOUS, SECRET, config

NOW = datetime(2026, 11, 2, 11, 0, tzinfo=UTC)
BODY = '{"id":"evt_1","type":"post.created","thread_id":"thr_905"}'
SOURCE = CONNECTOR.source(ENV, config())


def signed(body: str = BODY, *, secret: str = SECRET, at: datetime = NOW, message_id: str = "msg_1") -> dict[str, str]:
    """Headers by the reference implementation of Standard Webhooks."""
    signature = Webhook(secret).sign(message_id, at, body)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
    }


def test_good_signature_wakes_the_poll() -> None:
    """Given a rightly signed webhook, when received, then its signal says 'run the poll now' and names no object."""
    signal = SOURCE.receive(signed(), BODY.encode(), NOW)
    assert (signal.key, signal.object, signal.raw) == ("hook:msg_1", None, BODY.encode())


def test_ping_is_fine_too() -> None:
    """Given the ping of a new subscription, when received, then it is a signal like any other."""
    body = '{"type":"webhook.ping"}'
    assert SOURCE.receive(signed(body), body.encode(), NOW).object is None


def test_previous_secret_holds_while_rotating() -> None:
    """Given a webhook signed with the secret before, when received, then it is accepted."""
    assert SOURCE.receive(signed(secret=PREVIOUS), BODY.encode(), NOW).key == "hook:msg_1"


def test_one_of_several_signatures_is_enough() -> None:
    """Given signatures of two secrets and one of a version to come, when received, then one match is enough."""
    headers = signed()
    other = Webhook("whsec_b3RoZXItc2VjcmV0").sign("msg_1", NOW, BODY)
    headers["webhook-signature"] = f"v2,xyz {other} {headers['webhook-signature']}"
    assert SOURCE.receive(headers, BODY.encode(), NOW).key == "hook:msg_1"


@pytest.mark.parametrize("seconds", [-300, 300])
def test_clocks_may_differ_by_five_minutes(seconds: int) -> None:
    """Given a timestamp 300 s away on either side, when received, then it is accepted."""
    at = NOW + timedelta(seconds=seconds)
    assert SOURCE.receive(signed(at=at), BODY.encode(), NOW).key == "hook:msg_1"


@pytest.mark.parametrize("seconds", [-301, 301])
def test_stale_and_future_timestamps_are_refused(seconds: int) -> None:
    """Given a timestamp more than 300 s away, though rightly signed, when received, then 401."""
    with pytest.raises(SignatureError, match="300 s"):
        SOURCE.receive(signed(at=NOW + timedelta(seconds=seconds)), BODY.encode(), NOW)


def test_changed_body_is_refused() -> None:
    """Given one byte of the body was changed, when received, then no signature matches."""
    with pytest.raises(SignatureError, match="no signature matches"):
        SOURCE.receive(signed(), BODY.replace("905", "906").encode(), NOW)


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-id": ""},
        {"webhook-id": "msg_1, msg_1"},
        {"webhook-id": "msg_é"},
        {"webhook-timestamp": ""},
        {"webhook-timestamp": "1762081200.5"},
        {"webhook-timestamp": "\u0661\u0662"},  # digits, but not ASCII ones
        {"webhook-timestamp": "1" * 400},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,é"},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "nonsense"},
    ],
    ids=str,
)
def test_malformed_headers_are_refused(changed: dict[str, str]) -> None:
    """Given a header that is empty, doubled or not ASCII, when received, then 401 and no other error."""
    with pytest.raises(SignatureError):
        SOURCE.receive({**signed(), **changed}, BODY.encode(), NOW)


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_missing_headers_are_refused(missing: str) -> None:
    """Given one of the three headers is absent, when received, then 401."""
    headers = {name: value for name, value in signed().items() if name != missing}
    with pytest.raises(SignatureError, match=missing):
        SOURCE.receive(headers, BODY.encode(), NOW)


@pytest.mark.parametrize("body", ["", "no json", "[]", '{"no":"type"}', "[" * 5000])
def test_signed_but_unreadable_is_kept_apart(body: str) -> None:
    """Given a rightly signed body that is no event, when received, then it is unreadable under the webhook's id."""
    with pytest.raises(UnreadableError) as caught:
        SOURCE.receive(signed(body), body.encode(), NOW)
    assert caught.value.key == "hook:msg_1"


def test_no_secret_no_entrance() -> None:
    """Given no secret is configured, when anything arrives, then it is refused rather than believed."""
    env = {name: value for name, value in ENV.items() if "WEBHOOK" not in name}
    with pytest.raises(SignatureError):
        CONNECTOR.source(env, config()).receive(signed(), BODY.encode(), NOW)


@pytest.mark.parametrize("secret", ["whsec_not base64!", "whsec_", "é"])
def test_a_wrong_secret_is_named_but_not_shown(secret: str) -> None:
    """Given a secret that is empty or no base64, when the source is made, then the message does not show it."""
    with pytest.raises(ConfigurationError, match="TRADING_GRID_WEBHOOK_SECRET") as caught:
        parse_secret(secret)
    assert "not base64!" not in str(caught.value)

"""What a webhook must carry to be believed, and what it is taken to say."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest

from pipeline.connector import Signal, SignatureError, UnreadableError
from pipeline.connectors.zendesk import CONNECTOR
from pipeline.connectors.zendesk.receive import TEST_SECRET
from tests.connectors.zendesk.world import ENV, NOON, PAYLOADS, make_config, make_source

SECRET = ENV["ZENDESK_WEBHOOK_SECRET"]
RAW = (PAYLOADS / "comment_added.event.json").read_bytes()
SIGNATURE, TIMESTAMP = "x-zendesk-webhook-signature", "x-zendesk-webhook-signature-timestamp"


def signed(raw: bytes, *, secret: str = SECRET, at: str = "2026-11-21T11:59:59Z") -> dict[str, str]:
    """The headers that Zendesk would send with the body."""
    digest = hmac.new(secret.encode(), at.encode() + raw, hashlib.sha256).digest()
    return {SIGNATURE: base64.b64encode(digest).decode(), TIMESTAMP: at, "x-zendesk-webhook-invocation-id": "inv-1"}


def receive(headers: dict[str, str], raw: bytes = RAW, **env: str) -> Signal:
    """What the source makes of a delivery at noon."""
    return CONNECTOR.source({**ENV, **env}, make_config(allow_private=False)).receive(headers, raw, NOON)


def test_a_signed_event_names_its_ticket_and_its_own_key() -> None:
    """Given a rightly signed event, when received, then the key is the signed body's id, the object the ticket."""
    signal = receive(signed(RAW))
    assert (signal.key, signal.object, signal.raw) == ("01JD3V5P2Y8Q6W4X9Z7B5C3D1F", "ticket:35", RAW)


def test_a_trigger_body_is_keyed_by_its_own_id_or_the_invocation() -> None:
    """Given our trigger's JSON, when received, then its unique value counts, and the invocation where it has none."""
    for body, key in (({"ticket_id": "35", "event_id": "e-1"}, "e-1"), ({"ticket": {"id": 35}}, "inv-1")):
        raw = json.dumps(body).encode()
        signal = receive(signed(raw), raw)
        assert (signal.key, signal.object) == (key, "ticket:35")


def test_both_secrets_hold_while_one_is_rotated() -> None:
    """Given the previous secret is still configured, when it signed, then it is taken; without it, refused."""
    assert receive(signed(RAW, secret="old"), ZENDESK_WEBHOOK_SECRET_PREVIOUS="old").object == "ticket:35"
    with pytest.raises(SignatureError):
        receive(signed(RAW, secret="old"))


BAD_HEADERS: dict[str, Any] = {
    "no signature": {TIMESTAMP: "2026-11-21T11:59:59Z"},
    "no timestamp": {SIGNATURE: "x"},
    "two signatures": {**signed(RAW), SIGNATURE: f"{signed(RAW)[SIGNATURE]}, {signed(RAW)[SIGNATURE]}"},
    "not ASCII": {**signed(RAW), SIGNATURE: "ü" * 44},
    "another body": signed(RAW + b" "),
    "another secret": signed(RAW, secret="guessed"),
    "another timestamp": {**signed(RAW), TIMESTAMP: "2026-11-21T11:59:58Z"},
    "no time at all": signed(RAW, at="yesterday"),
    "older than a day": signed(RAW, at="2026-11-20T11:59:59Z"),
    "from the future": signed(RAW, at="2026-11-21T12:05:01Z"),
}


@pytest.mark.parametrize("case", BAD_HEADERS)
def test_what_is_not_rightly_signed_is_refused(case: str) -> None:
    """Given a missing, doubled, wrong or stale signature, when received, then it is a SignatureError, never a crash."""
    with pytest.raises(SignatureError):
        receive(BAD_HEADERS[case])


def test_a_delivery_that_zendesk_retried_for_hours_is_still_taken() -> None:
    """Given a retry with an old timestamp, when within the tolerance, then it counts (D20: 24 hours)."""
    at = (NOON - timedelta(hours=23)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert receive(signed(RAW, at=at)).object == "ticket:35"


def test_the_published_test_secret_is_worthless_outside_a_sandbox() -> None:
    """Given the fixed test secret as configured one, when anybody signs with it, then only a sandbox believes it."""
    headers = signed(RAW, secret=TEST_SECRET)
    with pytest.raises(SignatureError):
        receive(headers, ZENDESK_WEBHOOK_SECRET=TEST_SECRET)
    sandbox = CONNECTOR.source({**ENV, "ZENDESK_WEBHOOK_SECRET": TEST_SECRET}, make_config(allow_private=True))
    assert sandbox.receive(headers, RAW, NOON).object == "ticket:35"


def test_without_a_secret_nothing_is_believed() -> None:
    """Given no secret is configured, when a delivery comes, then it is refused."""
    with pytest.raises(SignatureError, match="no ZENDESK_WEBHOOK_SECRET"):
        receive(signed(RAW, secret=""), ZENDESK_WEBHOOK_SECRET="")


@pytest.mark.parametrize(
    "raw", [b"", b"\xff", b"[]", b"{}", b'{"ticket_id": "0"}', b'{"ticket_id": true}', b"[" * 99_999]
)
def test_a_signed_body_that_names_no_ticket_is_unreadable(raw: bytes) -> None:
    """Given any body that Zendesk signed, when it names no ticket, then it is kept under its hash, not refused."""
    with pytest.raises(UnreadableError) as kept:
        make_source().receive(signed(raw), raw, NOON)
    assert kept.value.key == hashlib.sha256(raw).hexdigest()

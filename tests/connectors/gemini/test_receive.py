"""Webhook bodies: whatever arrives, only the number of an item is taken from it."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.connector import UnreadableError
from pipeline.connectors.gemini import CONNECTOR
from tests.connectors.gemini.desk import config_of, env_of
from tests.contracts.validate import SHARED

PAYLOADS = Path(__file__).parent / "payloads"
CREATED = (PAYLOADS / "webhook_item_created.json").read_text(encoding="utf-8")
SOURCE = CONNECTOR.source(env_of("https://gemini.example"), config_of())
NOW = datetime(2026, 3, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    "raw",
    [
        CREATED.encode(),
        CREATED.encode("utf-8-sig"),
        CREATED.encode("cp1252"),
        CREATED.encode("cp1252").replace(b"stimmt", b"\x81\x8d"),
        (PAYLOADS / "webhook_references.json").read_bytes(),
        b'{"Issue": {"Id": "389"}}',
        b'{"Issue": {"Entity": {"Id": 389}}}',
    ],
    ids=["utf-8", "with a mark", "windows-1252", "bytes no page has", "references", "digits", "other wrapper"],
)
def test_every_spelling_names_the_item(raw: bytes) -> None:
    """Given a body in any spelling the app may use, when it is received, then it wakes item 389."""
    signal = SOURCE.receive({}, raw, NOW)
    assert (signal.object, signal.key) == ("item:389", hashlib.sha256(raw).hexdigest())


@pytest.mark.parametrize(
    "raw",
    [b"", b"not json", b"null", b"[]", b'{"Issue": 389}', b'{"Issue": {"Id": true}}', b'{"Issue": {"Id": -1}}',
     b'{"Issue": {"$ref": "9"}}', b"[" * 100_000, b'{"Issue": {"Id": "' + b"9" * 5_000 + b'"}}'],
    ids=["empty", "text", "null", "list", "number", "true", "negative", "dangling", "deep", "endless"],
)  # fmt: skip
def test_what_cannot_be_understood_is_kept_apart(raw: bytes) -> None:
    """Given a body without a usable number, when it is received, then it is unreadable under its own key."""
    with pytest.raises(UnreadableError) as refusal:
        SOURCE.receive({}, raw, NOW)
    assert refusal.value.key == hashlib.sha256(raw).hexdigest()


@pytest.mark.shared
@pytest.mark.parametrize("name", ["webhook_item_update.documented", "webhook_item_update.preserve_refs.synthetic"])
def test_the_vendors_own_sample_is_understood(name: str) -> None:
    """Given the one recorded body in public, when it is received in both spellings, then it wakes its item."""
    path = SHARED / "gemini" / "samples" / f"{name}.json"
    if not path.exists():
        pytest.skip(f"the sample is absent: {path}")
    assert SOURCE.receive({}, path.read_bytes(), NOW).object == "item:389"

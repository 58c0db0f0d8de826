"""Webhooks in: Standard Webhooks verified over the raw bytes; a good one only says 'run the poll now' (D20)."""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from datetime import datetime

from pipeline.connector import Headers, Signal, SignatureError, UnreadableError
from pipeline.connectors.trading_grid.settings import WEBHOOK_SECRET
from pipeline.connectors.trading_grid.wire import parse_event
from pipeline.domain.identity import digest
from pipeline.errors import ConfigurationError, InvalidPayloadError, Problem

TOLERANCE_SECONDS = 300  # github.com/standard-webhooks/standard-webhooks, spec 1.0.0; both sides of our clock
_PREFIX = "whsec_"
_MOST_SIGNATURES = 16  # a rotation needs two; more is somebody trying
_ID = re.compile(r"[\x21-\x2b\x2d-\x7e]{1,256}")  # visible ASCII without the comma: two joined headers are no id
_SECONDS = re.compile(r"\d{1,12}")


def parse_secret(secret: str) -> bytes:
    """The key inside `whsec_<base64>`. Raises ConfigurationError, which never shows the secret itself."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:  # an empty key would let everybody sign
        found = f"{WEBHOOK_SECRET.name}: {len(secret)} characters that are no base64"
        raise ConfigurationError([Problem("environment", None, found, "whsec_ and base64")])
    return key


def receive(headers: Headers, raw: bytes, now: datetime, keys: Sequence[bytes]) -> Signal:
    """The signal of a rightly signed webhook: its key is the webhook's id, its object is the feed itself.

    `headers` have lower-case names; `now` is aware. Raises SignatureError (401) and UnreadableError (stored, 202).
    """
    message_id = _verify(headers, raw, now, keys)
    key = f"hook:{message_id}"
    try:
        event = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(key, f"found no JSON ({error}), expected an event") from error
    if not isinstance(event, dict) or not isinstance(event.get("type"), str):
        raise UnreadableError(key, "found no event, expected an object with `type`")
    return Signal(key=key, object=None, raw=raw)


def object_of(raw: bytes) -> str:
    """What has to be read because of an event, by its own words. Raises UnreadableError."""
    try:
        return parse_event(raw).object
    except InvalidPayloadError as error:
        raise UnreadableError(digest(raw.decode("utf-8", "replace")), error.detail) from error


def _verify(headers: Headers, raw: bytes, now: datetime, keys: Sequence[bytes]) -> str:
    message_id = headers.get("webhook-id", "")
    if not _ID.fullmatch(message_id):
        raise SignatureError("webhook-id is missing or malformed")
    stamp = headers.get("webhook-timestamp", "")
    if not (stamp.isascii() and _SECONDS.fullmatch(stamp)):
        raise SignatureError("webhook-timestamp is missing or no whole number of seconds")
    if abs(now.timestamp() - int(stamp)) > TOLERANCE_SECONDS:
        raise SignatureError(f"webhook-timestamp is more than {TOLERANCE_SECONDS} s away from now")
    given = headers.get("webhook-signature", "")
    if not given or not given.isascii():
        raise SignatureError("webhook-signature is missing or not ASCII")
    content = f"{message_id}.{stamp}.".encode() + raw
    if not _any_matches(given.split()[:_MOST_SIGNATURES], content, keys):
        raise SignatureError("no signature matches")
    return message_id


def _any_matches(given: Sequence[str], content: bytes, keys: Sequence[bytes]) -> bool:
    """Every pair is compared, in constant time each: how long it takes tells nothing about which one matched."""
    wanted = [base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()) for key in keys]
    offered = [text.removeprefix("v1,").encode() for text in given if text.startswith("v1,")]
    matches = [hmac.compare_digest(one, other) for one in wanted for other in offered]
    return True in matches

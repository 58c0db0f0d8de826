"""Credentials: OAuth tokens by client credentials, and the legacy e-mail/token pair (sheet 1)."""

from __future__ import annotations

import base64
import binascii
import hmac
from datetime import timedelta

from . import data
from .account import Account, Token, new_secret
from .data import JsonObject
from .errors import ApiError, bad_request, out_of_scope, unauthenticated

SHORTEST, DEFAULT, LONGEST = 300, 1800, 172_800
"""Bounds of an access token's life in seconds: 5 minutes, 30 minutes, 48 hours."""
ALL_SCOPES = frozenset({"read", "write"})


def issue(account: Account, asked: JsonObject) -> JsonObject:
    """A new access token for client credentials.

    Raises ApiError 400 for another grant or a life out of bounds, 401 for a wrong client. A `scope` sent as
    a list is taken without an error, but the token answers 403 to everything.
    """
    if asked.get("grant_type") != "client_credentials":
        raise bad_request("unsupported_grant_type", "The authorization grant type is not supported")
    known = hmac.compare_digest(str(asked.get("client_id")), data.CLIENT_ID) and hmac.compare_digest(
        str(asked.get("client_secret")), data.CLIENT_SECRET
    )
    if not known:
        raise ApiError(401, {"error": "invalid_client", "error_description": "Client authentication failed"})
    seconds = asked.get("expires_in", DEFAULT)
    if not isinstance(seconds, int) or not SHORTEST <= seconds <= LONGEST:
        raise bad_request("invalid_request", f"expires_in must be between {SHORTEST} and {LONGEST} seconds")
    scope = asked.get("scope", "read write")
    scopes = frozenset(scope.split()) if isinstance(scope, str) else frozenset[str]()
    token = new_secret()
    account.tokens[token] = Token(data.INTEGRATION_ID, scopes, account.now() + timedelta(seconds=seconds))
    return {
        "access_token": token,
        "token_type": "bearer",
        "scope": scope if isinstance(scope, str) else "",
        "expires_in": seconds,
        "refresh_token": None,
        "refresh_token_expires_in": None,
    }


def authenticate(account: Account, header: str | None) -> tuple[JsonObject, frozenset[str]]:
    """The user and the scopes of an Authorization header; raises ApiError 401."""
    kind, _, credentials = (header or "").partition(" ")
    if kind.lower() == "bearer":
        token = account.tokens.get(credentials.strip())
        if token is not None and token.expires_at > account.now():
            return account.users[token.user_id], token.scopes
    elif kind.lower() == "basic" and account.settings.legacy_basic and _legacy(credentials):
        return account.users[data.INTEGRATION_ID], ALL_SCOPES
    raise unauthenticated()


def check_scope(scopes: frozenset[str], method: str, resource: str) -> None:
    """Raises ApiError 403 unless the token may read or write this kind of object.

    Resource `auditlogs` is reserved for ticket audits, which need the global scope: `tickets:read` is too little.
    """
    verb = "read" if method in ("GET", "HEAD") else "write"
    if verb not in scopes and (resource == "auditlogs" or f"{resource}:{verb}" not in scopes):
        raise out_of_scope()


def _legacy(credentials: str) -> bool:
    try:
        pair = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return False
    return hmac.compare_digest(pair.encode(), f"{data.LEGACY_EMAIL}/token:{data.LEGACY_TOKEN}".encode())

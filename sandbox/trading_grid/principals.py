"""Who may call: clients, their tokens, and the principal that a request acts as."""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import unquote

from sandbox.trading_grid.objects import Actor
from sandbox.trading_grid.problems import Problem
from sandbox.trading_grid.vocabulary import HUB_SCOPES, PARTNER_SCOPES


@dataclass(frozen=True, slots=True)
class Principal:
    """A hub client (whole tenant, or narrowed by `partner_scope`) or a partner client (exactly one partner)."""

    tenant_id: str
    client_id: str | None
    actor: Actor
    scopes: frozenset[str]
    partner_id: str | None = None
    partner_scope: frozenset[str] | None = None

    @property
    def is_partner(self) -> bool:
        """True for a partner principal."""
        return self.partner_id is not None

    @property
    def sees_internal(self) -> bool:
        """Whether internal content is within its rights."""
        return self.partner_id is None and "community:internal" in self.scopes

    @property
    def key(self) -> str:
        """What cursors, idempotency keys and blobs are bound to (rule I7)."""
        return f"{self.tenant_id}/{self.client_id or self.actor.id}"

    @property
    def by(self) -> str:
        """The name in the effect journal."""
        if self.partner_id is not None:
            return f"partner:{self.partner_id.removeprefix('prt_')}"
        return f"client:{self.client_id}" if self.client_id else f"hub:{self.actor.id}"

    def reaches(self, partner_id: str | None) -> bool:
        """Whether objects of this partner (None: tenant wide) are within its rights."""
        if self.partner_id is not None:
            return partner_id == self.partner_id
        return self.partner_scope is None or partner_id is None or partner_id in self.partner_scope


@dataclass(frozen=True, slots=True)
class Client:
    """An OAuth client of one tenant."""

    tenant_id: str
    client_id: str
    secret: str
    display_name: str
    partner_id: str | None = None
    partner_scope: frozenset[str] | None = None
    actor_id: str = ""

    @property
    def granted(self) -> frozenset[str]:
        """All scopes it may ask for."""
        return HUB_SCOPES if self.partner_id is None else PARTNER_SCOPES

    def principal(self, scopes: frozenset[str] | None = None) -> Principal:
        """The principal of a token with these scopes (None: all granted)."""
        kind = "service" if self.partner_id is None else "partner_user"
        actor = Actor(
            kind, self.actor_id or f"cli_{self.client_id}", self.display_name, self.partner_id, self.client_id
        )
        chosen = self.granted if scopes is None else scopes
        return Principal(self.tenant_id, self.client_id, actor, chosen, self.partner_id, self.partner_scope)


class OAuthError(Exception):
    """A refusal of the token endpoint (RFC 6749 5.2)."""

    def __init__(self, error: str, status: int = 400) -> None:
        super().__init__(error)
        self.error, self.status = error, status


class Tokens:
    """Issued bearer tokens and what they stand for; they expire by the sandbox's clock."""

    def __init__(self, clients: dict[tuple[str, str], Client]) -> None:
        self._clients = clients
        self._issued: dict[str, tuple[Principal, datetime]] = {}

    def issue(
        self, tenant_id: str, client_id: str, secret: str, scope: str | None, now: datetime, seconds: int
    ) -> tuple[str, str]:
        """A token and its scopes; raises OAuthError on a bad client or scope."""
        client = self._clients.get((tenant_id, client_id))
        if client is None or not secrets.compare_digest(client.secret.encode(), secret.encode()):
            raise OAuthError("invalid_client", 401)
        scopes = frozenset(scope.split()) if scope else client.granted
        if not scopes <= client.granted:
            raise OAuthError("invalid_scope")
        token = secrets.token_urlsafe(32)
        self._issued[token] = (client.principal(scopes), now + timedelta(seconds=seconds))
        return token, " ".join(sorted(scopes))

    def principal(self, authorization: str, now: datetime) -> Principal:
        """Whom a bearer header stands for; raises Problem unauthenticated."""
        scheme, _, token = authorization.partition(" ")
        principal, expires = self._issued.get(token.strip(), (None, now))
        if scheme.lower() != "bearer" or principal is None or expires <= now:
            raise Problem("unauthenticated", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
        return principal

    def revoke_all(self) -> None:
        """Make every issued token invalid."""
        self._issued.clear()


def basic_credentials(authorization: str) -> tuple[str, str] | None:
    """Client id and secret of an HTTP Basic header, percent-decoded as RFC 6749 2.3.1 asks; None without one."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote(name), unquote(secret)

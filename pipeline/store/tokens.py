"""API tokens: shown once, kept as the SHA-256 of 256 random bits, revoked by number (reliability.md 5.1)."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from psycopg.rows import class_row

from pipeline.store import audit, sql
from pipeline.store.pool import Conn

SQL = sql.load("tokens")
PREFIX = "casebridge_"  # so that a secret scanner, or a person, knows a leaked one
RANDOM_BYTES = 32


class Role(StrEnum):
    """What a caller may do; each role may do what those before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def may_act_as(self, needed: "Role") -> bool:
        """Whether this role is enough."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True)
class Caller:
    """Who sent a valid token."""

    id: int
    name: str
    role: Role


@dataclass(frozen=True)
class ApiToken:
    """A token as a list shows it: never the token itself."""

    id: int
    name: str
    role: str
    created_at: datetime
    created_by: str
    last_used_at: datetime | None
    revoked_at: datetime | None


def create(conn: Conn, *, name: str, role: Role, actor: str) -> tuple[int, str]:
    """Make a token; returns (its number, the token, which nobody can show again)."""
    token = PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
    with conn.transaction():
        params = {"name": name, "role": role.value, "sha256": _digest(token), "actor": actor}
        row = conn.execute(SQL["create"], params).fetchone()
        assert row is not None
        audit.record(conn, actor, "token_created", f"token:{row[0]}", reason=role.value)
    return int(row[0]), token


def verify(conn: Conn, token: str) -> Caller | None:
    """Who holds this token; None for an unknown or revoked one. Its last use is written down at most once a minute."""
    digest = _digest(token)
    row = conn.execute(SQL["find"], {"sha256": digest}).fetchone()
    if row is None or not hmac.compare_digest(row[3], digest):
        return None
    if row[4]:
        conn.execute(SQL["used"], {"id": row[0]})
    return Caller(row[0], row[1], Role(row[2]))


def listed(conn: Conn) -> list[ApiToken]:
    """All tokens, oldest first, the revoked ones too."""
    with conn.cursor(row_factory=class_row(ApiToken)) as cur:
        return cur.execute(SQL["list"]).fetchall()


def revoke(conn: Conn, token_id: int, *, actor: str) -> bool:
    """End a token; False when there is none of this number that still holds."""
    with conn.transaction():
        revoked = conn.execute(SQL["revoke"], {"id": token_id}).fetchone() is not None
        if revoked:
            audit.record(conn, actor, "token_revoked", f"token:{token_id}")
    return revoked


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()

"""API tokens in an operator's hands: make, list, revoke."""

from pipeline.service.errors import NotFoundError, WrongUseError
from pipeline.store import tokens
from pipeline.store.pool import Conn
from pipeline.store.tokens import ApiToken, Role


def create(conn: Conn, *, name: str, role: str, actor: str) -> tuple[int, str]:
    """(number, token); the token is shown once. Raises WrongUseError for an unknown role."""
    if role not in set(Role):
        raise WrongUseError(f"{role} is no role.", f"Give one of: {', '.join(Role)}.")
    return tokens.create(conn, name=name, role=Role(role), actor=actor)


def listed(conn: Conn) -> list[ApiToken]:
    """All tokens, the revoked ones too; never their values."""
    return tokens.listed(conn)


def revoke(conn: Conn, number: int, *, actor: str) -> bool:
    """End a token; False when it was revoked already. Raises NotFoundError."""
    if number not in {one.id for one in tokens.listed(conn)}:
        raise NotFoundError(f"There is no token {number}.", "See `casebridge tokens list`.")
    return tokens.revoke(conn, number, actor=actor)

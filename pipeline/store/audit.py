"""The audit trail: append only; ids, actors, actions and reason codes, no personal text (decisions D12)."""

from pipeline.store import sql
from pipeline.store.pool import Conn

SQL = sql.load("audit")


def record(
    conn: Conn,
    actor: str,
    action: str,
    subject: str,
    *,
    case_id: int | None = None,
    reason: str | None = None,
    hash: str | None = None,  # noqa: A002 -- the column's name
) -> int:
    """Add one row in the caller's transaction; returns its id."""
    params = {"actor": actor, "action": action, "subject": subject, "case": case_id, "reason": reason, "hash": hash}
    row = conn.execute(SQL["record"], params).fetchone()
    assert row is not None
    return int(row[0])

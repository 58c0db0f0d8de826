"""Dead letters: rows that a person requeues or discards; every step is in the audit trail."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row

from pipeline.domain.lanes import supersedes
from pipeline.domain.states import DeadLetterState
from pipeline.store import audit, sql
from pipeline.store.lanes import DECODE
from pipeline.store.pool import Conn

SQL = sql.load("dead_letters")


@dataclass(frozen=True)
class DeadLetter:
    """One dead letter; exactly one of signal, change and delivery is set."""

    id: int
    queue: str
    reason: str
    detail: str
    died_at: datetime
    case_id: int | None
    partner: str | None
    signal_id: int | None
    change_id: int | None
    delivery_id: int | None
    state: str
    kind: str

    @property
    def subject(self) -> str:
        """What died: `delivery:17`."""
        for name in ("signal", "change", "delivery"):
            found = getattr(self, f"{name}_id")
            if found is not None:
                return f"{name}:{found}"
        raise AssertionError("a dead letter without a subject cannot be stored")


def listed(
    conn: Conn,
    *,
    queue: str | None = None,
    reason: str | None = None,
    partner: str | None = None,
    limit: int = 1000,
) -> list[DeadLetter]:
    """Dead letters that still wait, oldest first."""
    return _list(conn, id=None, queue=queue, reason=reason, partner=partner, limit=limit)


def get(conn: Conn, letter: int) -> DeadLetter | None:
    """One dead letter in whatever state."""
    found = _list(conn, id=letter, queue=None, reason=None, partner=None, limit=1)
    return found[0] if found else None


def counts(conn: Conn) -> dict[str, int]:
    """Queue -> letters that wait."""
    return dict(conn.execute(SQL["counts"]).fetchall())


def ids(conn: Conn, queue: str) -> list[int]:
    """The waiting letters of one queue."""
    return [row[0] for row in conn.execute(SQL["ids"], {"queue": queue}).fetchall()]


def requeue(conn: Conn, letter: int, *, actor: str, note: str) -> list[str]:
    """Give it another turn in the caller's transaction; returns the hints to send, empty when it is not dead any more.

    A delivery that blocks its lane goes on at its place; one that was passed over is appended with the mark it had,
    so that it is looked up before it is sent; an absolute value that a newer one has replaced since is left there.
    """
    row = conn.execute(SQL["lock"], {"id": letter}).fetchone()
    if row is None:
        return []
    _, signal_id, change_id, delivery_id, case_id = row
    if signal_id is not None:
        woken = [f"ingest.{r[0]}" for r in conn.execute(SQL["reopen_signal"], {"id": signal_id}).fetchall()]
    elif change_id is not None:
        woken = ["transform" for _ in conn.execute(SQL["reopen_change"], {"id": change_id}).fetchall()]
    else:
        woken = [_requeue_delivery(conn, delivery_id)]
    if woken:
        _end(conn, letter, DeadLetterState.REQUEUED, actor, note, case_id)
    return woken


def dependants(conn: Conn, letter: DeadLetter) -> int:
    """How many deliveries wait for what died."""
    row = conn.execute(SQL["count_dependants"], {"case": letter.case_id, "id": letter.delivery_id}).fetchone()
    return int(row[0]) if row else 0


def discard(conn: Conn, letter: int, *, actor: str, note: str, with_dependants: bool) -> list[str]:
    """Give it up in the caller's transaction; its lane goes on. Returns the hints to send, empty when not dead."""
    row = conn.execute(SQL["lock"], {"id": letter}).fetchone()
    if row is None:
        return []
    queue, signal_id, change_id, delivery_id, case_id = row
    woken = [queue]
    if signal_id is not None:
        conn.execute(SQL["discard_signal"], {"id": signal_id})
        woken = ["transform"]
    elif change_id is not None:
        conn.execute(SQL["discard_change"], {"id": change_id})
        woken = ["transform"]
    else:
        _discard_delivery(conn, delivery_id, case_id, with_dependants=with_dependants)
    _end(conn, letter, DeadLetterState.DISCARDED, actor, note, case_id)
    return woken


def _requeue_delivery(conn: Conn, delivery_id: int) -> str:
    lane, target, head, tail, seq, _, _ = _lane_of(conn, delivery_id)
    if seq == head + 1:
        conn.execute(SQL["reopen_delivery"], {"id": delivery_id})
        conn.execute(SQL["restart_lane"], {"lane": lane})
    elif _is_overtaken(conn, delivery_id):
        conn.execute(SQL["overtake"], {"id": delivery_id})
    else:
        conn.execute(SQL["redo"], {"id": delivery_id, "seq": tail + 1})
        conn.execute(SQL["lengthen_lane"], {"lane": lane})
    return str(target)


def _is_overtaken(conn: Conn, delivery_id: int) -> bool:
    """Whether a newer value went ahead: the older one must not undo it (flows.md rule 6)."""
    row = conn.execute(SQL["operation"], {"id": delivery_id}).fetchone()
    assert row is not None
    old, newer = DECODE(bytes(row[0])), conn.execute(SQL["newer_values"], {"id": delivery_id}).fetchall()
    return any(supersedes(DECODE(bytes(operation)), old) for (operation,) in newer)


def _discard_delivery(conn: Conn, delivery_id: int, case_id: int, *, with_dependants: bool) -> None:
    lane, _, head, _, seq, _, _ = _lane_of(conn, delivery_id)
    conn.execute(SQL["discard_delivery"], {"id": delivery_id})
    if with_dependants:
        conn.execute(SQL["cancel_dependants"], {"id": delivery_id, "case": case_id})
    conn.execute(SQL["give_link_up"], {"id": delivery_id})
    if seq == head + 1:
        conn.execute(SQL["restart_lane"], {"lane": lane})


def _lane_of(conn: Conn, delivery_id: int) -> tuple[Any, ...]:
    row = conn.execute(SQL["lane_of"], {"id": delivery_id}).fetchone()
    assert row is not None
    return row


def _end(conn: Conn, letter: int, state: DeadLetterState, actor: str, note: str, case_id: int | None) -> None:
    conn.execute(SQL["end"], {"id": letter, "state": state.value, "actor": actor, "note": note})
    audit.record(conn, actor, state.value, f"dead_letter:{letter}", case_id=case_id)


def _list(conn: Conn, **params: Any) -> list[DeadLetter]:
    with conn.cursor(row_factory=class_row(DeadLetter)) as cur:
        return cur.execute(SQL["list"], params).fetchall()

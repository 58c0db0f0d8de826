"""Redriving by queue: a worker started with -Q dead.<queue> requeues what the messages name."""

from pipeline.store import dead_letters
from workers.app import app
from workers.context import hints, world


@app.task(name="casebridge.redrive")
def redrive(letter: int) -> str:
    """Requeue one dead letter; one whose row is no longer dead is a no-op."""
    with world().connection() as conn, conn.transaction():
        woken = dead_letters.requeue(conn, letter, actor="redrive", note="consumed from its dead queue")
    hints().wake(woken)
    return f"dead letter {letter}: {'requeued' if woken else 'nothing to do'}"

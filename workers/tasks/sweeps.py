"""Sweeps: idempotent, short, run by beat; they send again what Redis forgot."""

from pipeline.store import changes, dead_letters, lanes, signals
from workers.app import app
from workers.context import hints, world


@app.task(name="casebridge.sweep")
def sweep() -> str:
    """Find what is due and hint it; bells and flags keep one hint a queue."""
    with world().connection() as conn:
        woken = lanes.wake_stranded(conn)
        names = [f"ingest.{source}" for source in signals.due_sources(conn)]
        names += ["transform"] if changes.is_waiting(conn) else []
        names += [target for target in world().connectors if target in woken or lanes.is_due(conn, target)]
    hints().wake(names)
    return f"sweep: {', '.join(names) or 'nothing due'}"


@app.task(name="casebridge.rebuild_dead_queues")
def rebuild_dead_queues() -> str:
    """Dead letters are rows; a dead queue that holds fewer messages than there are rows is filled again."""
    with world().connection() as conn:
        counts = dead_letters.counts(conn)
    rebuilt = []
    for queue, count in counts.items():
        if hints().depth(f"dead.{queue}") < count:
            with world().connection() as conn:
                ids = dead_letters.ids(conn, queue)
            hints().empty(f"dead.{queue}")
            rebuilt.append(f"{queue} {hints().bury([(queue, letter) for letter in ids])}")
    return f"dead queues: {', '.join(rebuilt) or 'whole'}"

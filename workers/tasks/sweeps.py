"""Sweeps: idempotent, short, run by beat; they send again what Redis forgot."""

from pipeline.store import changes, dead_letters, lanes, signals
from pipeline.store.pool import Conn
from workers.app import app, dead_queue_names
from workers.context import hints, world


@app.task(name="casebridge.sweep")
def sweep() -> str:
    """Find what is due and hint it."""
    with world().connection() as conn:
        names = find_due(conn)
    hints().wake(names)
    return f"sweep: {', '.join(names) or 'nothing due'}"


def find_due(conn: Conn) -> list[str]:
    """Wake what a crash left asleep; what is due. To be hinted after the commit: bells keep it at one hint a queue."""
    woken = lanes.wake_stranded(conn)
    names = [f"ingest.{source}" for source in signals.due_sources(conn)]
    names += ["transform"] if changes.is_waiting(conn) else []
    names += [target for target in world().connectors if target in woken or lanes.is_due(conn, target)]
    return names


@app.task(name="casebridge.rebuild_dead_queues")
def rebuild_dead_queues() -> str:
    """Dead letters are rows; a dead queue with more or fewer messages than rows is filled anew."""
    with world().connection() as conn:
        counts = dead_letters.counts(conn)
    rebuilt = []
    for queue in (name.removeprefix("dead.") for name in dead_queue_names()):
        if hints().depth(f"dead.{queue}") != counts.get(queue, 0):
            with world().connection() as conn:
                ids = dead_letters.ids(conn, queue)
            hints().empty(f"dead.{queue}")
            rebuilt.append(f"{queue} {hints().bury([(queue, letter) for letter in ids])}")
    return f"dead queues: {', '.join(rebuilt) or 'whole'}"

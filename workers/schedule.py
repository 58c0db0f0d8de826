"""Beat's entries as data: idempotent sweeps that expire before their successors, so that two beats are harmless."""

from typing import Any


def beat_schedule(sweep_seconds: float) -> dict[str, dict[str, Any]]:
    """Entry name -> when and what; `sweep_seconds` is CASEBRIDGE_SWEEP_SECONDS."""
    return {
        "sweep": _every(sweep_seconds, "casebridge.sweep"),
        "rebuild-dead-queues": _every(max(sweep_seconds * 6, 30.0), "casebridge.rebuild_dead_queues"),
    }


def _every(seconds: float, task: str) -> dict[str, Any]:
    return {"task": task, "schedule": seconds, "options": {"queue": "sweep", "expires": seconds}}

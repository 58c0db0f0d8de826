"""The two clocks of a thread: first answer and resolution; paused while the partner has to act."""

from __future__ import annotations

from datetime import datetime, timedelta

from sandbox.trading_grid.objects import SYSTEM, Sla, Thread
from sandbox.trading_grid.state import Grid
from sandbox.trading_grid.tenant import Tenant
from sandbox.trading_grid.vocabulary import FINISHED

# Hours to the first answer and to the resolution, by priority; round the clock (there is no business calendar here).
_HOURS = {"urgent": (1, 8), "high": (4, 48), "normal": (8, 96), "low": (24, 240)}


def start(thread_type: str, priority: str, now: datetime, *, by_partner: bool) -> Sla:
    """New clocks; the hub owes a first answer only to a thread that the partner opened."""
    response, resolution = _HOURS[priority]
    return Sla(
        response_due=now + timedelta(hours=response) if by_partner else None,
        resolution_due=now + timedelta(hours=resolution),
        policy=f"{thread_type}-{priority}",
    )


def watch(grid: Grid, tenant: Tenant, thread: Thread) -> None:
    """Look at the thread again when its clocks run out."""
    for due in (thread.sla.response_due, thread.sla.resolution_due):
        if due is not None:
            grid.timers.at(due, lambda: _look(grid, tenant, thread))


def pause(thread: Thread, now: datetime) -> None:
    """Stop the resolution clock."""
    if thread.sla.paused_at is None:
        thread.sla.paused_at = now


def go_on(grid: Grid, tenant: Tenant, thread: Thread, now: datetime) -> None:
    """Let the resolution clock run again, later by the time it stood."""
    sla = thread.sla
    if sla.paused_at is None:
        return
    if sla.resolution_due is not None:
        sla.resolution_due += now - sla.paused_at
    sla.paused_at = None
    watch(grid, tenant, thread)


def restart(grid: Grid, tenant: Tenant, thread: Thread, now: datetime) -> None:
    """A reopened thread gets a fresh resolution clock."""
    _, hours = _HOURS[thread.written.get("priority", "normal")]
    thread.sla.resolution_due = now + timedelta(hours=hours)
    thread.sla.paused_at = None
    thread.sla.breached = [name for name in thread.sla.breached if name != "resolution"]
    watch(grid, tenant, thread)


def _look(grid: Grid, tenant: Tenant, thread: Thread) -> None:
    sla, now = thread.sla, grid.now()
    if thread.state in FINISHED:
        return
    due = {"response": sla.response_due, "resolution": None if sla.paused_at else sla.resolution_due}
    for name, moment in due.items():
        if moment is not None and moment <= now and name not in sla.breached:
            sla.breached.append(name)
            thread.touch(now, partner=False)
            grid.record("sla_breached", thread, "system", breach=name)
            grid.publish(tenant, "thread.sla_breached", thread, SYSTEM, partner=False, thread_id=thread.id,
                         hub_changed=["sla"], data={"breach": name})  # fmt: skip

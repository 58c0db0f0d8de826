"""Routing changes: batch after batch while there are any."""

import time

from pipeline.stages.routing import Transformed
from pipeline.stages.transform import transform
from pipeline.store import changes
from workers.app import app
from workers.context import hints, world

RUN_SECONDS = 10.0
NAME = "transform"


@app.task(name="casebridge.transform")
def transform_changes() -> str:
    """Route what waits; wake each target after its commit; leave the way free before the last look."""
    total, started = Transformed(), time.monotonic()
    bell = world().bell
    with world().connection() as conn:
        while time.monotonic() - started < RUN_SECONDS:
            bell.refresh(NAME)
            version, config = world().active
            done = transform(conn, flows=world().flows, config=config, config_version=version)
            total.ended, total.routed = total.ended + done.ended, total.routed + done.routed
            total.dead_letters += done.dead_letters
            hints().wake(done.ring)
            hints().bury([(NAME, letter) for letter in done.dead_letters])
            if done.ended or (not done.busy and bell.listen(NAME, 0.05)):
                continue
            bell.leave(NAME)
            if done.busy or not changes.is_waiting(conn):
                return str(total)
    bell.leave(NAME)
    hints().wake([NAME])
    return str(total)

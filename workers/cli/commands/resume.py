"""`casebridge resume`: let a target go on."""

import click

from pipeline.connectors import discover
from pipeline.service import targets
from workers.cli.attach import actor, attach, ledger
from workers.cli.hinting import wake
from workers.cli.output import Output, reports


@click.command()
@click.argument("target")
@reports
def command(out: Output, target: str) -> None:
    """Let a paused target go on where it stopped.

    \b
    casebridge resume zendesk
    """
    with ledger() as conn:
        changed = targets.resume(conn, target, systems=discover(), actor=actor())
    if changed:
        wake(attach(), [target.replace("-", "_")])
    out.say(f"{target} goes on." if changed else f"{target} was not paused.")
    out.data({"target": target, "paused": False, "changed": changed})

"""`casebridge pause`: hold a target."""

import click

from pipeline.connectors import discover
from pipeline.service import targets
from workers.cli.attach import actor, ledger
from workers.cli.output import Output, reports


@click.command()
@click.argument("target")
@click.option("--reason", default="", help="Why, for whoever asks `casebridge why`.")
@reports
def command(out: Output, target: str, reason: str) -> None:
    """Send nothing more to a target until it is resumed. Nothing is lost; what comes in waits in its order.

    \b
    casebridge pause zendesk --reason "maintenance until 18:00"
    """
    with ledger() as conn:
        changed = targets.pause(conn, target, systems=discover(), actor=actor(), reason=reason)
    out.say(f"{target} is paused." if changed else f"{target} was paused already.")
    out.data({"target": target, "paused": True, "changed": changed})

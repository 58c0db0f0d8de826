"""`casebridge down`: stop what runs in this home."""

import os
import sys

import click

from workers.cli.attach import home_of
from workers.cli.launch.fleet import OWN_FILES
from workers.cli.output import Output, reports
from workers.instance import purge, stop_instance


@click.command()
@click.option(
    "--purge", "with_data", is_flag=True, help="Remove all data of this home as well, embedded databases too."
)
@click.option("--yes", is_flag=True, help="Do not ask before --purge.")
@reports
def command(out: Output, *, with_data: bool, yes: bool) -> None:
    """Stop what `casebridge up` started in CASEBRIDGE_HOME; nothing else is touched.

    \b
    casebridge down
    casebridge down --purge --yes    and forget everything
    """
    home = home_of(os.environ)
    if with_data and not yes and sys.stdin.isatty():
        click.confirm(f"Remove all data of {home}?", abort=True, err=True)
    ran = stop_instance(home, out.say)
    out.say("Stopped." if ran else f"Nothing runs in {home}.")
    if with_data:
        purge(home, out.say, also=OWN_FILES)
    out.data({"home": str(home), "stopped": ran, "purged": with_data})

"""`casebridge up`: all of it on one machine, in the foreground."""

import os

import click

from workers.cli.attach import home_of
from workers.cli.launch.start import Wish, up
from workers.cli.output import Output, reports


@click.command()
@click.option("--sandbox", is_flag=True, help="Against three small stand-ins, which are started too.")
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Port of the web process; else PORT, 8000, or the next free."
)
@click.option("--no-broker", is_flag=True, help="Without Redis and Celery: web, and one process for all stages.")
@reports
def command(out: Output, port: int | None, *, sandbox: bool, no_broker: bool) -> None:
    """Run everything until Ctrl-C, SIGTERM or `casebridge down`; what ends is restarted.

    Servers that DATABASE_URL and REDIS_URL do not name are run here, below CASEBRIDGE_HOME.

    \b
    casebridge up                the configured systems
    casebridge up --sandbox      to try it out: nothing else is needed
    """
    wish = Wish(sandbox=sandbox, port=port, broker=not no_broker)
    up(home_of(os.environ), os.environ, wish, out.say)
    out.data({"stopped": True})

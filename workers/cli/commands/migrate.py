"""`casebridge migrate`: the ledger's schema."""

import os
from collections.abc import Callable

import click

from pipeline.service import ledger
from workers.cli.attach import Attached, attach
from workers.cli.output import Output, reports
from workers.cli.refusal import FAILED
from workers.embedded import open_services

NO_REDIS = "redis://not-needed.invalid"  # keeps the embedded Redis from being started for a migration


@click.command()
@click.option("--check", "only_check", is_flag=True, help="Apply nothing; exit code 1 when something is pending.")
@reports
def command(out: Output, *, only_check: bool) -> None:
    """Bring the ledger up to date; harmless when it is. Starts the embedded PostgreSQL for itself where none runs.

    \b
    casebridge migrate            before a new version starts
    casebridge migrate --check    in a deployment's gate
    """
    attached = attach()
    found = _with_database(attached, out, ledger.check if only_check else ledger.run)
    names = found.pending if only_check else found.applied
    words = "pending" if only_check else "applied"
    out.say(f"{words}: {', '.join(names)}" if names else "The ledger is up to date.")
    out.data({"pending": list(found.pending), "applied": list(found.applied)})
    if only_check and names:
        click.get_current_context().exit(FAILED)


def _with_database(attached: Attached, out: Output, work: Callable[[str], ledger.Migrated]) -> ledger.Migrated:
    if attached.database_url is not None:
        return work(attached.database_url)
    given = {**os.environ, "REDIS_URL": NO_REDIS}
    with open_services(attached.home, given, out.say) as services:
        return work(services.database_url)

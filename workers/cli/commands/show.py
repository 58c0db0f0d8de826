"""`casebridge show`: everything that is kept of one thing."""

import click
import msgspec

from pipeline.connectors import discover
from pipeline.service.show import show
from workers.cli.attach import ledger
from workers.cli.output import Output, reports


@click.command()
@click.argument("id_", metavar="ID")
@reports
def command(out: Output, id_: str) -> None:
    """Raw bytes, the canonical change, the operation, every attempt; secrets masked.

    \b
    casebridge show signal:4       headers and body as they came
    casebridge show delivery:17    what was to be done, what was sent, what came back
    casebridge show dead:3         a dead letter with what died
    """
    with ledger() as conn:
        found = show(conn, id_, discover())
    out.data(found, lambda: msgspec.json.format(msgspec.json.encode(found, enc_hook=str), indent=2).decode())

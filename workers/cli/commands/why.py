"""`casebridge why`: one reason for each end of a story."""

from collections.abc import Iterator

import click

from pipeline.connectors import discover
from pipeline.service.standing import Standing
from pipeline.service.why import ChangeStep, DeliveryStep, Story, why
from pipeline.service.why_json import as_json
from workers.cli.attach import ledger
from workers.cli.output import Output, reports


@click.command()
@click.argument("id_", metavar="ID")
@reports
def command(out: Output, id_: str) -> None:
    """Why something arrived, waits, or did not arrive: one reason each.

    \b
    casebridge why evt_01HZX              an event as its source calls it
    casebridge why comment:77             a change as its source calls it
    casebridge why zendesk:ticket:35      an object: what came from it, what goes to it
    casebridge why delivery:17            also signal:N, change:N, dead:N
    """
    with ledger() as conn:
        story = why(conn, id_, discover())
    out.data(as_json(story), lambda: "\n".join(_lines(story)))


def _lines(story: Story) -> Iterator[str]:
    for link in story.links:
        yield f"bound to case {link['case_id']} ({link['state']})"
    for row, standing in story.signals:
        yield f"signal:{row.id}  {row.source} {row.object}  {row.received_at:%Y-%m-%d %H:%M:%S} UTC  {row.state}"
        yield from _reason(standing, "  ")
    for change in story.changes:
        yield from _change(change)
    for step in story.loose:
        yield from _delivery(step, "")


def _change(step: ChangeStep) -> Iterator[str]:
    row = step.row
    yield f"change:{row.id}  {row.source} {row.object}  {row.kind} {row.external_id}  {row.state}"
    yield from _reason(step.standing, "  ")
    for delivery in step.deliveries:
        yield from _delivery(delivery, "  ")


def _delivery(step: DeliveryStep, indent: str) -> Iterator[str]:
    row = step.row
    yield f"{indent}delivery:{row.id}  -> {row.target}  {row.name} ({row.kind})"
    yield from _reason(step.standing, indent + "  ")


def _reason(standing: Standing | None, indent: str) -> Iterator[str]:
    if standing is None:
        return
    detail = f" ({standing.detail})" if standing.detail else ""
    yield f"{indent}{standing.reason.value}: {standing.sentence}{detail}"
    if standing.advice != "Nothing to do.":
        yield f"{indent}next: {standing.advice}"

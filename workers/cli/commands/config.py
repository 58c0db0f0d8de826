"""`casebridge config`: versions of casebridge.yaml."""

from pathlib import Path

import click

from pipeline.connectors import discover
from pipeline.service import configuration
from pipeline.service.check import read_file
from workers.cli.attach import actor, ledger
from workers.cli.output import Output, print_table, reports


@click.group()
def command() -> None:
    """The active configuration and its versions.

    \b
    casebridge config apply casebridge.yaml    check it, store it, make it the active one
    casebridge config show                     the active one
    casebridge config schema > casebridge.schema.json
    """


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
@reports
def apply(out: Output, file: Path) -> None:
    """Make a file the active configuration; all processes work by it within a second. The same text changes nothing."""
    text = read_file(file)
    with ledger() as conn:
        version, changed = configuration.apply(conn, text, file=str(file), connectors=discover(), actor=actor())
    out.say(f"Version {version} is active." if changed else f"Version {version} was active already.")
    out.data({"version": version, "changed": changed})


@command.command()
@click.option("--version", type=click.IntRange(1), help="An older one.")
@click.option("--versions", "all_", is_flag=True, help="List the versions instead.")
@reports
def show(out: Output, version: int | None, *, all_: bool) -> None:
    """Print a version as it was applied, the active one by default."""
    with ledger() as conn:
        if all_:
            _list(out, configuration.versions(conn))
            return
        found = configuration.show(conn, version)
    state = "active" if found.active else "not active"
    out.say(f"Version {found.version}, {state}, applied {found.applied_at:%Y-%m-%d %H:%M} UTC by {found.applied_by}.")
    out.data(found, found.text)


@command.command()
@reports
def schema(out: Output) -> None:
    """The JSON Schema of casebridge.yaml, for editors."""
    Output(as_json=True).data(configuration.schema(discover()))
    del out  # the schema is JSON either way


def _list(out: Output, rows: list[dict[str, object]]) -> None:
    if out.as_json:
        out.data(rows)
        return
    shown = [(it["version"], "active" if it["active"] else "", it["applied_at"], it["applied_by"]) for it in rows]
    print_table(("version", "", "applied", "by"), shown)

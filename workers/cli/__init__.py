"""The command line: every module of `commands` is one command, found by being there and loaded when it is used."""

import pkgutil
from importlib import import_module

import click

from workers.cli.refusal import refusing

FOLDER = "workers.cli.commands"


class Commands(click.Group):
    """Commands by file name: `commands/migrate.py` holds `command`, which is `casebridge migrate`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        """The names, in alphabetical order."""
        return sorted(name.replace("_", "-") for _, name, _ in pkgutil.iter_modules(import_module(FOLDER).__path__))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name; None when there is no such file."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command = import_module(f"{FOLDER}.{cmd_name.replace('-', '_')}").command
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run it; what it refuses becomes words, a next step, and exit code 1 or 2."""
        with refusing():
            return super().invoke(ctx)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Exit codes: 0 done, 1 failed, 2 wrong use. Words go to standard error, data to standard output.",
)
def cli() -> None:
    """Keep one partner case in step across Trading Grid, Gemini and Zendesk.

    \b
    casebridge up --sandbox          everything on this machine, against three small stand-ins
    casebridge status --watch        what flows, what waits, what is dead
    casebridge why evt_123           why something arrived, waits, or did not arrive
    casebridge dead list             what needs a person
    """

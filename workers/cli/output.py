"""Where things go: data to standard output, as text or JSON; words and progress to standard error."""

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

JSON_ASKED = "casebridge.json"
P = ParamSpec("P")


def write_json(value: Any) -> None:
    """One indented JSON document on standard output; times as RFC 3339."""
    click.echo(msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2).decode())


@dataclass(frozen=True)
class Output:
    """What a command speaks through. rich leaves colours out for NO_COLOR and where nobody sees them."""

    as_json: bool

    def data(self, value: Any, text: str | Callable[[], str] = "") -> None:
        """The answer: `value` as JSON, or the text."""
        if self.as_json:
            write_json(value)
            return
        shown = text if isinstance(text, str) else text()
        if shown:
            click.echo(shown)

    def table(self, value: Any, columns: Sequence[str], rows: Sequence[Sequence[object]], *, title: str = "") -> None:
        """The answer as JSON, or as a table on standard output."""
        if self.as_json:
            write_json(value)
        else:
            print_table(columns, rows, title=title)

    def say(self, words: str) -> None:
        """Words for the person."""
        click.echo(words, err=True)

    @contextlib.contextmanager
    def progress(self, label: str) -> Iterator[Callable[[int, int], None]]:
        """A bar on a terminal, silence elsewhere; call it with (done, of how many)."""
        if not sys.stderr.isatty():
            yield lambda _done, _total: None
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(label)
            yield lambda done, total: bar.update(task, completed=done, total=total)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, title: str = "") -> None:
    """A table as wide as the terminal; piped, wide enough that nothing is cut."""
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 200)
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    console.print(table, markup=False)


def reports(function: Callable[Concatenate[Output, P], None]) -> Callable[P, None]:
    """Give a command `--json` and its Output as first argument."""

    @click.option("--json", "as_json", is_flag=True, help="The answer as one JSON document.")
    @functools.wraps(function)
    def command(*args: P.args, **kwargs: P.kwargs) -> None:
        as_json = bool(kwargs.pop("as_json", False))
        click.get_current_context().find_root().meta[JSON_ASKED] = as_json
        function(Output(as_json), *args, **kwargs)

    return command


def age(seconds: float | None) -> str:
    """A duration for people: `4 s`, `12 min`, `3.5 h`, `2.1 d`; empty for none."""
    if seconds is None:
        return ""
    for limit, size, unit in ((90, 1, "s"), (5_400, 60, "min"), (172_800, 3_600, "h")):
        if seconds < limit:
            return f"{seconds / size:.1f} {unit}" if unit == "h" else f"{seconds / size:.0f} {unit}"
    return f"{seconds / 86_400:.1f} d"

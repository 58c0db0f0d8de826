"""`casebridge dead`: what needs a person."""

import functools
import sys
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

import click

from pipeline.connectors import discover
from pipeline.service import dead
from pipeline.service.dead import Done, Selection
from pipeline.service.errors import WrongUseError
from pipeline.service.reasons import BY_VALUE, explained
from pipeline.service.show import show as show_one
from pipeline.store.dead_letters import DeadLetter
from workers.cli.attach import actor, attach, ledger
from workers.cli.hinting import wake
from workers.cli.output import Output, reports
from workers.cli.refusal import FAILED

F = TypeVar("F", bound=Callable[..., Any])
P = ParamSpec("P")
SHOWN = 1000


@click.group()
def command() -> None:
    """Dead letters: look, mend the cause, requeue; or discard with a reason.

    \b
    casebridge dead list --target gemini
    casebridge dead requeue --reason unmapped_status --yes
    casebridge dead discard 17 --note "answered by phone" --keep-dependants
    """


FILTERS = (
    click.option("--partner", help="Only those of one partner."),
    click.option("--reason", type=click.Choice(list(BY_VALUE)), metavar="REASON", help="Only those dead for this."),
    click.option("--target", "--queue", "target", help="A target's name, ingest, or transform."),
)


def filters(function: F) -> F:
    """The options that narrow the letters down."""
    for option in FILTERS:
        function = option(function)
    return function


def selects(function: Callable[Concatenate[Output, Selection, P], None]) -> Callable[P, None]:
    """The ids and options that say which letters are meant, handed over as one Selection."""

    @click.argument("ids", nargs=-1, metavar="[ID]...")
    @click.option("--all", "everything", is_flag=True, help="All that wait.")
    @filters
    @reports
    @functools.wraps(function)
    def command_(out: Output, /, *args: P.args, **kwargs: P.kwargs) -> None:
        chosen: dict[str, Any] = {
            name: kwargs.pop(name) for name in ("ids", "target", "reason", "partner", "everything")
        }
        wanted = Selection(**chosen | {"target": _queue(chosen["target"])})
        if not (wanted.ids or wanted.filters or wanted.everything):
            raise WrongUseError("Nothing was named.", "Give ids, or --target, --reason, --partner, or --all.")
        function(out, wanted, *args, **kwargs)

    return command_


@command.command(name="list")
@filters
@reports
def list_(out: Output, target: str | None, reason: str | None, partner: str | None) -> None:
    """The letters that wait, oldest first."""
    with ledger() as conn:
        letters = dead.select(conn, Selection((), _queue(target), reason, partner), limit=SHOWN)
    rows = [(it.id, it.died_at.strftime("%Y-%m-%d %H:%M"), it.queue, it.kind, it.reason, it.partner, it.detail)
            for it in letters]  # fmt: skip
    out.table([_plain(it) for it in letters], ("id", "died", "queue", "kind", "reason", "partner", "detail"), rows)
    if not letters:
        out.say("No dead letters.")
    elif len(letters) == SHOWN:
        out.say(f"These are the oldest {SHOWN}; narrow them down with --target, --reason or --partner.")
    elif not out.as_json:
        out.say("`casebridge dead show ID` shows one in full.")


@command.command()
@click.argument("id_", metavar="ID")
@reports
def show(out: Output, id_: str) -> None:
    """One letter in full: what died, all attempts, how many wait for it, what to do next."""
    with ledger() as conn:
        letter = dead.one(conn, id_)
        found = show_one(conn, f"dead:{letter.id}", discover())
    words = explained(letter.reason)
    out.say(f"{words['reason']}: {words['sentence']}\nnext: {words['next_step']}")
    Output(as_json=True).data(found | words)


@command.command()
@click.option("--note", default="", help="Why, for the audit trail.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@selects
def requeue(out: Output, wanted: Selection, /, note: str, *, yes: bool) -> None:
    """Give letters another turn, once their cause is mended. Doing it twice does nothing the second time."""
    with ledger() as conn:
        letters = dead.select(conn, wanted)
        _agree(letters, "requeue", asks=not wanted.ids and not yes)
        with out.progress("requeueing") as progress:
            done = dead.requeue(conn, letters, actor=actor(), note=note, progress=progress)
    _finish(out, done, "requeued")


@command.command()
@click.option("--note", required=True, help="Why; stands in the audit trail for ever.")
@click.option(
    "--with-dependants/--keep-dependants", default=None, help="Cancel what waits for it, or let it go on without it."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@selects
def discard(out: Output, wanted: Selection, /, note: str, *, with_dependants: bool | None, yes: bool) -> None:
    """Give letters up for good; their cases go on without them."""
    if not note.strip():
        raise WrongUseError("The note is empty.", "Say in --note why this is given up.")
    with ledger() as conn:
        letters = dead.select(conn, wanted)
        waiting = dead.dependants(conn, letters)
        if waiting and with_dependants is None:
            raise WrongUseError(
                f"{waiting} deliveries wait for what would be discarded.",
                "Add --with-dependants to cancel them, or --keep-dependants to let them go on without it.",
            )
        _agree(letters, "discard", asks=not wanted.ids and not yes)
        with out.progress("discarding") as progress:
            done = dead.discard(
                conn, letters, actor=actor(), note=note, with_dependants=bool(with_dependants), progress=progress
            )
    _finish(out, done, "discarded")


def _queue(name: str | None) -> str | None:
    return name.replace("-", "_") if name else None


def _agree(letters: list[DeadLetter], verb: str, *, asks: bool) -> None:
    """Show how many it would be and ask; without a terminal the answer has to be given beforehand."""
    if not asks or not letters:
        return
    count = f"{len(letters)} dead letter{'s' if len(letters) > 1 else ''}"
    if not sys.stdin.isatty():
        raise WrongUseError(f"This would {verb} {count}.", "Add --yes to do it.")
    click.confirm(f"{verb.capitalize()} {count}?", abort=True, err=True)


def _finish(out: Output, done: Done, word: str) -> None:
    wake(attach(), done.hints)
    out.say(
        f"{len(done.changed)} {word}." + (f" {len(done.unchanged)} were not dead any more." if done.unchanged else "")
    )
    if done.stuck:
        numbers = ", ".join(map(str, done.stuck))
        out.say(f"Cannot be taken up again, since it names no object: {numbers}. Look at it, then discard it.")
    out.data({word: done.changed, "unchanged": done.unchanged, "stuck": done.stuck})
    if done.stuck:
        click.get_current_context().exit(FAILED)


def _plain(letter: DeadLetter) -> dict[str, Any]:
    return {
        "id": letter.id, "queue": letter.queue, "subject": letter.subject, "kind": letter.kind,
        **explained(letter.reason), "detail": letter.detail,
        "died_at": letter.died_at, "case_id": letter.case_id, "partner": letter.partner,
    }  # fmt: skip

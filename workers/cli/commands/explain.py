"""`casebridge explain`: the exact requests that an event will cause, before anything is sent."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from pipeline.connectors import discover
from pipeline.environment import read
from pipeline.service.errors import WrongUseError
from pipeline.service.explain import (
    Explained,
    Explanation,
    ShownDelivery,
    ShownRequest,
    explain_change,
    explain_object,
    explain_record,
)
from pipeline.service.subject import Own, parse
from schemas.change import ObjectRef
from workers.bootstrap import World
from workers.cli.attach import attach, database_of
from workers.cli.output import Output, reports

FORMS = "Name a file with a change record, change:N, or an object such as trading_grid:thread:thr_1."


@click.command()
@click.argument("what", metavar="EVENT|FILE")
@click.option("--offline", is_flag=True, help="Stored snapshots alone: nothing is asked anywhere.")
@reports
def command(out: Output, what: str, *, offline: bool) -> None:
    """Show reads, writes and open slots of everything that an event will cause; nothing is sent or stored.

    \b
    casebridge explain trading_grid:thread:thr_01HZX   what a thread's news would cause
    casebridge explain change:17 --offline             a stored change, by its stored snapshot
    casebridge explain record.json                     a change record from `casebridge show change:17 --json`
    """
    with _world() as world:
        explanation = _explain(world, what, offline=offline)
    out.data(explanation, lambda: "\n".join(_lines(explanation)))


def _explain(world: World, what: str, *, offline: bool) -> Explanation:
    if Path(what).is_file():
        return explain_record(world, Path(what).read_bytes(), offline=offline)
    subject = parse(what, world.connectors)
    if isinstance(subject, Own) and subject.kind == "change":
        return explain_change(world, subject.number, offline=offline)
    if isinstance(subject, ObjectRef):
        return explain_object(world, subject.system, f"{subject.kind}:{subject.external_id}", offline=offline)
    raise WrongUseError(f"{what!r} cannot be explained.", FORMS)


@contextlib.contextmanager
def _world() -> Iterator[World]:
    attached = attach()
    env = {**attached.env, "DATABASE_URL": database_of(attached)}
    made = World(read(env, discover()), broker=False, pool_size=2)
    try:
        yield made
    finally:
        made.close()


def _lines(explanation: Explanation) -> Iterator[str]:
    if not explanation.changes:
        yield f"{explanation.looked_at}: nothing new"
    for one in explanation.changes:
        yield from _change(one)


def _change(one: Explained) -> Iterator[str]:
    because = f" ({one.reason}{': ' + one.detail if one.detail else ''})" if one.reason else ""
    yield f"{one.kind}  {one.change}  -> {one.outcome}{because}"
    for delivery in one.deliveries:
        yield from _delivery(delivery)


def _delivery(one: ShownDelivery) -> Iterator[str]:
    after = f"  after {', '.join(one.needs)}" if one.needs else ""
    yield f"\n  {one.name} -> {one.target}{after}"
    if one.nothing:
        yield f"    nothing is sent: {one.nothing}"
    for request in one.reads:
        yield from _request("reads ", request)
    for request in one.writes:
        yield from _request("writes", request)


def _request(verb: str, one: ShownRequest) -> Iterator[str]:
    yield f"    {verb} {one.method} {one.url}"
    for name in ("idempotency-key", "if-match"):
        if name in one.headers:
            yield f"           {name}: {one.headers[name]}"
    if one.body:
        yield f"           {_pretty(one.body)}"


def _pretty(body: str) -> str:
    try:
        shown = msgspec.json.format(body.encode(), indent=2).decode()
    except msgspec.DecodeError:
        return body
    return shown.replace("\n", "\n           ")

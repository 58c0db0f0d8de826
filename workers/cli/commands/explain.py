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
    explain_body,
    explain_change,
    explain_object,
    explain_record,
)
from pipeline.service.foretell import ShownDelivery, ShownRequest
from pipeline.service.subject import Own, parse
from schemas.change import ObjectRef
from workers.bootstrap import World
from workers.cli.attach import attach, database_of
from workers.cli.output import Output, reports

FORMS = (
    "Name a file with a change record, a file with a webhook's body and its --source, change:N,"
    " or an object such as trading_grid:thread:thr_1."
)


@click.command()
@click.argument("what", metavar="EVENT|FILE")
@click.option("--source", metavar="SYSTEM", help="FILE holds a webhook's body of this system, e.g. zendesk.")
@click.option("--offline", is_flag=True, help="Stored snapshots alone: nothing is asked anywhere.")
@reports
def command(out: Output, what: str, source: str | None, *, offline: bool) -> None:
    """Show reads, writes and open slots of everything that an event will cause; nothing is sent or stored.

    A change that is routed already is shown by its deliveries: as they will be sent, or as they were.

    \b
    casebridge explain trading_grid:thread:thr_01HZX   what a thread's news would cause
    casebridge explain change:17 --offline             a stored change, by its stored snapshot
    casebridge explain record.json                     a change record from `casebridge show change:17 --json`
    casebridge explain body.json --source zendesk      the object that a webhook's body names, read now
    """
    with _world() as world:
        explanation = _explain(world, what, source, offline=offline)
    out.data(explanation, lambda: "\n".join(_lines(explanation)))


def _explain(world: World, what: str, source: str | None, *, offline: bool) -> Explanation:
    if source is not None:
        name = source.replace("-", "_")
        if name not in world.connectors or not Path(what).is_file():
            raise WrongUseError(f"{what!r} is no file, or {source!r} no system.", FORMS)
        return explain_body(world, name, Path(what).read_bytes(), offline=offline)
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
    stands = f"  ({one.state})" if one.state else ""
    yield f"\n  {one.name} -> {one.target}{after}{stands}"
    if one.nothing:
        yield f"    nothing {'was' if one.sent else 'is'} sent: {one.nothing}"
    for request in one.reads:
        yield from _request("read  " if one.sent else "reads ", request)
    if one.assumed:
        yield "    and, as far as can be told before these reads are made:"
    for request in one.writes:
        yield from _request("wrote " if one.sent else "writes", request)


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

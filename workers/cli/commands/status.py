"""`casebridge status`: what flows, what waits, what is dead."""

import time
from typing import Any

import click

from pipeline.connectors import discover
from pipeline.service import status
from pipeline.service.ledger import open_ledger
from pipeline.service.status import Status
from workers.cli.attach import Attached, attach, database_of, depths
from workers.cli.output import Output, age, print_table, reports

WATCH_SECONDS = 2.0


@click.command()
@click.option("--watch", is_flag=True, help="Again every two seconds, until Ctrl-C.")
@reports
def command(out: Output, *, watch: bool) -> None:
    """Targets, queues (the dead ones too), sources, processes and addresses.

    \b
    casebridge status
    casebridge status --watch
    casebridge status --json
    """
    _once(out)
    while watch:
        time.sleep(WATCH_SECONDS)
        if not out.as_json:
            click.clear()
        _once(out)


def _once(out: Output) -> None:
    attached = attach()
    with open_ledger(database_of(attached)) as conn:
        found = status.status(conn, depths(attached, status.queue_names(discover())), systems=discover())
    here = _here(attached)
    if out.as_json:
        out.data({**status.as_json(found), **here})
        return
    _print(out, found, here)
    if attached.redis_url is None:
        out.say("No Redis is used.")
    elif not found.redis_answers:
        out.say("Redis does not answer; what waits is in PostgreSQL, the sweep goes on when Redis is back.")


def _here(attached: Attached) -> dict[str, Any]:
    """What instance.json knows of this machine."""
    record = attached.record
    if record is None:
        return {"home": str(attached.home), "running": False, "processes": {}, "addresses": {}}
    servers = {name: it.process for name, it in record.servers.items() if it.process}
    processes = {**record.processes, **servers}
    return {
        "home": str(attached.home),
        "running": attached.running,
        "processes": {name: {"pid": it.pid, "alive": it.alive} for name, it in processes.items()},
        "addresses": dict(record.addresses) if attached.running else {},
    }


def _print(out: Output, found: Status, here: dict[str, Any]) -> None:
    rows = [(it.name, it.state, it.reason, it.waiting, age(it.oldest_seconds), it.dead) for it in found.targets]
    print_table(("target", "state", "reason", "waiting", "oldest", "dead"), rows)
    click.echo()
    print_table(
        ("source", "cursor moved", "next poll", "to read", "reason"),
        [(it.source, f"{age(it.moved)} ago" if it.moved is not None else "never",
          "now" if it.polling or not it.due else f"in {age(it.due)}", it.unread, it.reason)
         for it in found.sources],
    )  # fmt: skip
    click.echo()
    print_table(("queue", "messages", "rows"), [(it.name, it.depth, it.rows) for it in found.queues])
    _print_here(out, here)
    if any(it.dead for it in found.targets):
        out.say("Dead letters wait for a person: `casebridge dead list`.")


def _print_here(out: Output, here: dict[str, Any]) -> None:
    if not here["processes"]:
        out.say(f"No process of this machine runs in {here['home']}.")
        return
    click.echo()
    state = {True: "running", False: "restarting"}
    rows = [(name, it["pid"], state[it["alive"]]) for name, it in sorted(here["processes"].items())]
    print_table(("process", "pid", "state"), rows)
    click.echo()
    print_table(("address", ""), sorted(here["addresses"].items()))

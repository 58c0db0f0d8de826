"""`casebridge connect`: register our webhook at a system."""

import os
from pathlib import Path

import click

from pipeline.configuration import load
from pipeline.connectors import discover
from pipeline.environment import read
from pipeline.service.check import read_file
from pipeline.service.connect import Connected, connect, system_named
from pipeline.service.errors import WrongUseError
from workers.cli.attach import Attached, attach
from workers.cli.output import Output, reports


@click.command()
@click.argument("system")
@click.option("--public-url", help="The address others reach us at; default CASEBRIDGE_PUBLIC_URL.")
@click.option("--secret-to", type=click.Path(path_type=Path), help="Write the secret to this file instead of printing.")
@reports
def command(out: Output, system: str, public_url: str | None, secret_to: Path | None) -> None:
    """Have a system call us: registers our webhook once, and says where its secret goes. Repeating it does nothing.

    \b
    casebridge connect trading-grid --public-url https://cases.example.com
    casebridge connect gemini      says what an administrator enters by hand
    """
    connector = system_named(system, discover())
    attached = attach()
    environment = read(attached.env, discover())
    config = load(read_file(environment.config), discover(), file=str(environment.config))
    done = connect(connector, environment, config, _public_url(attached, public_url or environment.public_url))
    _report(out, done, secret_to)


def _public_url(attached: Attached, given: str | None) -> str:
    address = given or (attached.record.addresses.get("web") if attached.running and attached.record else None)
    if address is None:
        raise WrongUseError("Nobody said where we are reached.", "Give --public-url or set CASEBRIDGE_PUBLIC_URL.")
    return address


def _report(out: Output, done: Connected, secret_to: Path | None) -> None:
    if done.registered:
        out.say(f"Registered {done.address}.")
    elif done.existing:
        out.say(f"A webhook of ours is there already, for {done.address} or by our name; nothing was changed.")
    if done.by_hand:
        out.say(done.by_hand)
    if done.secret and secret_to is not None:
        with os.fdopen(os.open(secret_to, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(done.secret + "\n")
        out.say(f"The secret is in {secret_to}: set {done.variable}_FILE to it.")
    elif done.secret:
        out.say("The system shows this secret once; put it into the environment, then restart:")
    shown = f"{done.variable}={done.secret}" if done.secret and secret_to is None else ""
    value = {"address": done.address, "registered": done.registered, "existing": done.existing,
             "by_hand": done.by_hand, "variable": done.variable}  # fmt: skip
    out.data(value | ({"secret": done.secret} if shown else {}), shown)

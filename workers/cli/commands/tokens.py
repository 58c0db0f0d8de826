"""`casebridge tokens`: who may call the API."""

import click

from pipeline.service import access
from pipeline.store.tokens import Role
from workers.cli.attach import actor, ledger
from workers.cli.output import Output, reports


@click.group()
def command() -> None:
    """Bearer tokens of the API.

    \b
    casebridge tokens create --role viewer --name dashboard
    casebridge tokens revoke 3
    """


@command.command()
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]), help="What it may do.")
@click.option("--name", default="", help="What it is for.")
@reports
def create(out: Output, role: str, name: str) -> None:
    """Make a token. It is printed once and never stored: keep it now."""
    with ledger() as conn:
        number, token = access.create(conn, name=name or role, role=role, actor=actor())
    out.say(f"Token {number} ({role}); it is shown this once. Send it as `Authorization: Bearer ...`.")
    out.data({"id": number, "token": token, "role": role, "name": name or role}, token)


@command.command(name="list")
@reports
def list_(out: Output) -> None:
    """All tokens, never their values."""
    with ledger() as conn:
        found = access.listed(conn)
    rows = [(it.id, it.name, it.role, it.created_at, it.last_used_at, it.revoked_at) for it in found]
    out.table(found, ("id", "name", "role", "created", "last used", "revoked"), rows)


@command.command()
@click.argument("number", type=click.IntRange(1))
@reports
def revoke(out: Output, number: int) -> None:
    """End a token at once."""
    with ledger() as conn:
        changed = access.revoke(conn, number, actor=actor())
    out.say(f"Token {number} is revoked." if changed else f"Token {number} was revoked already.")
    out.data({"id": number, "revoked": True, "changed": changed})

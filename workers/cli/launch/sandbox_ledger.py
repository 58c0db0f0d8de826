"""The stand-ins' own ledger: they begin anew with every start, so what is remembered of them must too."""

from urllib.parse import urlsplit

from psycopg import sql

from pipeline.store.pool import connect

DATABASE = "casebridge_sandbox"


def beside(database_url: str) -> str:
    """The address of the sandbox's database on the same server."""
    return urlsplit(database_url)._replace(path=f"/{DATABASE}").geturl()


def begin(database_url: str) -> str:
    """Make it, empty; returns its address. Only for a server that we run ourselves: nobody else's data is dropped."""
    with connect(database_url, name="casebridge sandbox") as conn:
        conn.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(DATABASE)))
        conn.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))
    return beside(database_url)

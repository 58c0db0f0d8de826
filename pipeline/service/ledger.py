"""The ledger's schema: what is pending, and bringing it up to date."""

from dataclasses import dataclass

import psycopg

from pipeline.service.errors import RefusedError
from pipeline.store import migrate
from pipeline.store.pool import Conn, connect


@dataclass(frozen=True)
class Migrated:
    """Names of migrations: those that a check found pending, or those that a run applied."""

    pending: tuple[str, ...] = ()
    applied: tuple[str, ...] = ()


def check(url: str) -> Migrated:
    """What `run` would apply. Raises RefusedError without a database, MigrationError for an edited migration."""
    with open_ledger(url, migrated=False) as conn:
        return Migrated(pending=tuple(one.name for one in migrate.pending(conn)))


def run(url: str) -> Migrated:
    """Apply what is pending; doing it twice does nothing the second time."""
    with open_ledger(url, migrated=False) as conn:
        return Migrated(applied=tuple(migrate.migrate(conn)))


def open_ledger(url: str, *, migrated: bool = True) -> Conn:
    """A connection. Raises RefusedError when nobody answers, or when the schema is not the one of this version."""
    try:
        conn = connect(url, name="casebridge operator")
    except psycopg.OperationalError as error:
        sentence = f"PostgreSQL does not answer: {str(error).strip().splitlines()[0]}."
        raise RefusedError(sentence, "Start it, or correct DATABASE_URL; `casebridge check` shows it.") from error
    pending = migrate.pending(conn) if migrated else []
    if pending:
        conn.close()
        raise RefusedError(f"The database lacks {pending[0].name}.", "Run `casebridge migrate`.")
    return conn

"""Numbered migrations, forward only: one runner at a time, checksums compared, locks given up after five seconds."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import CasebridgeError
from pipeline.store.pool import SCHEMA, Conn

FOLDER = Path(__file__).parent / "migrations"
LOCK = 0x63617365  # 'case': one migration run a database


class MigrationError(CasebridgeError):
    """An applied migration was edited, is missing from this version, or the database is older than PostgreSQL 14."""


@dataclass(frozen=True)
class Migration:
    """One file of the migrations folder; `name` orders them."""

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def available() -> list[Migration]:
    """The migrations that this version ships, in order."""
    return [Migration(path.stem, path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("[0-9]*.sql"))]


def pending(conn: Conn) -> list[Migration]:
    """Migrations not applied yet. Raises MigrationError when the applied ones are not those of this version."""
    applied = _applied(conn)
    known = {migration.name: migration for migration in available()}
    for name, checksum in applied.items():
        if name in known and known[name].checksum != checksum:
            raise MigrationError(
                f"migration {name} was applied with checksum {checksum[:12]}, this version ships"
                f" {known[name].checksum[:12]}: restore the file, migrations are never edited"
            )
    return [migration for migration in known.values() if migration.name not in applied]


def migrate(conn: Conn) -> list[str]:
    """Apply what is pending, each in its own transaction; returns the names applied."""
    if conn.info.server_version < 140000:
        raise MigrationError(f"found PostgreSQL {conn.info.server_version // 10000}, expected 14 or newer")
    conn.execute("select pg_advisory_lock(%s)", (LOCK,))
    try:
        conn.execute(f"create schema if not exists {SCHEMA}")
        conn.execute(
            "create table if not exists schema_migration (name text primary key, checksum text not null,"
            " applied_at timestamptz not null default clock_timestamp())"
        )
        return [_apply(conn, migration) for migration in pending(conn)]
    finally:
        conn.execute("select pg_advisory_unlock(%s)", (LOCK,))


def _apply(conn: Conn, migration: Migration) -> str:
    with conn.transaction():
        conn.execute("set local lock_timeout = '5s'")
        conn.execute("set local statement_timeout = 0")
        conn.execute(migration.sql.encode())
        conn.execute(
            "insert into schema_migration (name, checksum) values (%s, %s)", (migration.name, migration.checksum)
        )
    return migration.name


def _applied(conn: Conn) -> dict[str, str]:
    row = conn.execute("select to_regclass(%s)", (f"{SCHEMA}.schema_migration",)).fetchone()
    if row is None or row[0] is None:
        return {}
    return dict(conn.execute("select name, checksum from schema_migration order by name").fetchall())

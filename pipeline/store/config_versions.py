"""Versions of casebridge.yaml: every process works by the active one in the database, whole or not at all (D17)."""

import hashlib
from datetime import datetime

from pipeline.store import audit, sql
from pipeline.store.pool import Conn

SQL = sql.load("config_versions")


def apply(conn: Conn, text: str, *, actor: str) -> tuple[int, bool]:
    """Store the text as a version (the same text is the same version) and make it the active one.

    Returns (version, whether that changed anything). The caller has validated the text.
    """
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    with conn.transaction():
        row = conn.execute(SQL["add"], {"sha256": sha256, "text": text, "actor": actor}).fetchone()
        assert row is not None
        version = int(row[0])
        changed = conn.execute(SQL["activate"], {"version": version}).fetchone() is not None
        if changed:
            audit.record(conn, actor, "config_applied", f"config:{version}", hash=sha256)
    return version, changed


def active(conn: Conn) -> tuple[int, str] | None:
    """(version, sha256) of the active configuration."""
    return conn.execute(SQL["active"]).fetchone()


def text(conn: Conn, version: int | None = None) -> tuple[int, str, datetime, str] | None:
    """(version, text, applied at, applied by); the active one when no version is given."""
    return conn.execute(SQL["text"], {"version": version}).fetchone()


def versions(conn: Conn) -> list[tuple[int, str, datetime, str, bool]]:
    """(version, sha256, applied at, applied by, active) of the newest fifty."""
    return conn.execute(SQL["versions"]).fetchall()

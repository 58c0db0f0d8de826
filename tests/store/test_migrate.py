"""Migrations: forward only, once, by one runner, with files that nobody edits afterwards."""

import threading
from pathlib import Path

import pytest

from pipeline.store import migrate as module
from pipeline.store.migrate import MigrationError, available, migrate, pending
from pipeline.store.pool import connect


def test_a_migrated_database_has_nothing_pending(database_url: str) -> None:
    """Running again applies nothing."""
    with connect(database_url) as conn:
        assert pending(conn) == []
        assert migrate(conn) == []


def test_an_edited_migration_is_refused(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A changed file stops the runner with its name and both checksums."""
    for one in available():
        (tmp_path / f"{one.name}.sql").write_text(one.sql + "\n-- edited", encoding="utf-8")
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    with connect(database_url) as conn, pytest.raises(MigrationError, match=r"0001_ledger was applied with checksum"):
        pending(conn)


def test_a_new_migration_is_applied_in_order(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two new files run after the old ones, in the order of their numbers."""
    for one in available():
        (tmp_path / f"{one.name}.sql").write_text(one.sql, encoding="utf-8")
    (tmp_path / "9002_second.sql").write_text("alter table extra add column more int;", encoding="utf-8")
    (tmp_path / "9001_first.sql").write_text("create table extra (id int);", encoding="utf-8")
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    with connect(database_url) as conn:
        assert [one.name for one in pending(conn)] == ["9001_first", "9002_second"]
        assert migrate(conn) == ["9001_first", "9002_second"]
        assert pending(conn) == []


def test_a_failing_migration_leaves_nothing_behind(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of a file is never applied."""
    for one in available():
        (tmp_path / f"{one.name}.sql").write_text(one.sql, encoding="utf-8")
    (tmp_path / "9001_broken.sql").write_text("create table half (id int); select 1/0;", encoding="utf-8")
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    with connect(database_url) as conn:
        with pytest.raises(Exception, match="division by zero"):
            migrate(conn)
        assert conn.execute("select to_regclass('casebridge.half')").fetchone() == (None,)
        assert [one.name for one in pending(conn)] == ["9001_broken"]


def test_two_runners_at_once_apply_each_migration_once(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The advisory lock lets the second runner find nothing left to do."""
    for one in available():
        (tmp_path / f"{one.name}.sql").write_text(one.sql, encoding="utf-8")
    (tmp_path / "9001_slow.sql").write_text("select pg_sleep(0.2); create table slow (id int);", encoding="utf-8")
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    applied: list[list[str]] = []

    def run() -> None:
        with connect(database_url) as conn:
            applied.append(migrate(conn))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(applied) == [[], ["9001_slow"]]

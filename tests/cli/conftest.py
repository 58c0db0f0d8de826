"""The command line over a fresh ledger, or over nothing at all."""

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from psycopg import conninfo, sql

from pipeline.store.pool import Conn, connect
from tests.service.scenes import open_case
from workers.cli import cli
from workers.embedded import Services

GIVEN = ("DATABASE_URL", "REDIS_URL", "CASEBRIDGE_CONFIG", "CASEBRIDGE_SECRET_KEY", "CASEBRIDGE_REDIS_PREFIX", "PORT")


@dataclass(frozen=True)
class Ran:
    """How a command ended: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ran]


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """`casebridge ...` where nothing is given and nothing runs."""
    for name in GIVEN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CASEBRIDGE_HOME", str(tmp_path / "home"))

    def run(*words: str) -> Ran:
        result = CliRunner().invoke(cli, words, prog_name="casebridge")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def run(bare: Run, monkeypatch: pytest.MonkeyPatch, database_url: str, redis_url: str) -> Run:
    """`casebridge ...` against a fresh ledger and the run's Redis."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("CASEBRIDGE_REDIS_PREFIX", f"{database_url.partition('dbname=')[2].partition(' ')[0]}:")
    return bare


@pytest.fixture
def conn(database_url: str) -> Iterator[Conn]:
    """The same ledger, with one case of acme."""
    with connect(database_url) as opened:
        open_case(opened)
        yield opened


@pytest.fixture
def empty_database_url(services: Services) -> Iterator[str]:
    """A fresh database without our schema."""
    name = sql.Identifier(f"empty_{uuid.uuid4().hex[:12]}")
    with psycopg.connect(services.database_url, autocommit=True) as admin:
        admin.execute(sql.SQL("create database {}").format(name))
        yield conninfo.make_conninfo(services.database_url, dbname=name.as_string().strip('"'))
        admin.execute(sql.SQL("drop database {} with (force)").format(name))

"""Procfile and docker-compose.yml start what is there: process names, modules, queues."""

import importlib.util
import re
import shlex
from pathlib import Path

import click
import pytest
import yaml

from pipeline.connectors import discover
from workers.app import queue_names
from workers.cli import cli

ROOT = Path(__file__).parents[2]
SERVERS = {"redis", "postgres"}
COMMON = {"release", "web", "ingest", "transform", "dispatch", "beat", "flower"}


def procfile() -> dict[str, str]:
    """Process -> command line, as Heroku reads it."""
    text = (ROOT / "Procfile").read_text(encoding="utf-8")
    return dict(re.findall(r"^([A-Za-z0-9_-]+):\s*(.+)$", text, re.MULTILINE))


def compose() -> dict[str, str]:
    """Service of ours -> command line."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    return {name: service["command"] for name, service in services.items() if name not in SERVERS}


EVERY = [pytest.param(file, name, id=f"{file.__name__}-{name}") for file in (procfile, compose) for name in file()]


def queues(command: str) -> list[str]:
    """The queues that a worker is told to consume."""
    words = shlex.split(command)
    return words[words.index("-Q") + 1].split(",") if "-Q" in words else []


def test_the_process_names_are_the_agreed_ones() -> None:
    """Given the two lists, then they have the same names; the Procfile has one for each target besides."""
    assert set(procfile()) == COMMON | {f"dispatch-{one.slug}" for one in discover().values()}
    assert set(compose()) == COMMON


@pytest.mark.parametrize("file", [procfile, compose])
def test_every_queue_is_consumed_and_no_dead_one(file: object) -> None:
    """Given all workers of a list, then together they consume every queue once, and never a dead one."""
    assert callable(file)
    taken = [queue for name, command in file().items() if not name.startswith("dispatch-") for queue in queues(command)]
    assert sorted(taken) == sorted(queue_names())


def test_a_target_may_have_workers_of_its_own() -> None:
    """Given a process named after a target, then it consumes that target's queue alone."""
    for one in discover().values():
        assert queues(procfile()[f"dispatch-{one.slug}"]) == [f"dispatch.{one.name}"]


@pytest.mark.parametrize(("file", "name"), EVERY)
def test_a_command_starts_something_that_exists(file: object, name: str) -> None:
    """Given a process, then its program, module and subcommand are there."""
    assert callable(file)
    program, *words = shlex.split(file()[name].replace("${PORT:-8000}", "8000"))
    if program == "casebridge":
        _parses(words)
    else:
        assert program == "celery"
        assert importlib.util.find_spec(words[words.index("-A") + 1])
        assert {"worker", "beat", "flower"} & set(words)


@pytest.mark.parametrize("name", sorted(COMMON - {"web", "flower"}))
def test_both_lists_start_the_same(name: str) -> None:
    """Given a process that listens nowhere, then Procfile and compose start it with the same words."""
    assert shlex.split(procfile()[name]) == shlex.split(compose()[name])


def test_services_of_ours_wait_for_the_migration() -> None:
    """Given compose, then everything but the migration starts after it has ended well."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    for name in COMMON - {"release"}:
        assert services[name]["depends_on"]["release"] == {"condition": "service_completed_successfully"}
    assert set(services["web"]) <= {"image", "build", "env_file", "environment", "volumes", "depends_on", "restart",
                                    "stop_grace_period", "command", "ports", "healthcheck"}  # fmt: skip


def test_the_image_holds_what_the_package_needs() -> None:
    """Given the Dockerfile, then every file that it copies is there, and every package of the wheel is copied."""
    text = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    copied = [word for line in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE) for word in line.split()]
    assert all((ROOT / path).exists() for path in copied)
    assert {"pipeline", "schemas", "workers", "sandbox", "pyproject.toml", "requirements.lock"} <= set(copied)


def _parses(words: list[str]) -> None:
    """Fails for words that the command line would refuse."""
    command: click.Command = cli
    context = click.Context(cli, info_name="casebridge")
    while isinstance(command, click.Group):
        found = command.get_command(context, words[0])
        assert found is not None, words
        command, context, words = found, click.Context(found, parent=context, info_name=words[0]), words[1:]
    command.make_context(context.info_name, words, parent=context.parent)

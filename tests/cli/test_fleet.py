"""The processes: every queue has a worker, no dead queue has one, and the Procfile says the same."""

import re
import socket
from pathlib import Path

import pytest

from pipeline.connectors import discover
from pipeline.service.errors import RefusedError
from tests.town import ROOT
from workers.app import dead_queue_names, queue_names
from workers.cli.launch import fleet, ports
from workers.watched import Child

PROCFILE = dict(
    line.split(": ", 1)
    for line in (ROOT / "Procfile").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
)


def children(home: Path) -> dict[str, Child]:
    made = fleet.with_broker({}, home, web=8000, flower=5555, targets=discover())
    return {child.name: child for child in made}


def queues_of(words: list[str]) -> set[str]:
    return set(words[words.index("-Q") + 1].split(",")) if "-Q" in words else set()


def test_every_queue_is_consumed_and_no_dead_one(tmp_path: Path) -> None:
    """A queue that nobody reads would be a case that nobody sends."""
    consumed = set[str]().union(*(queues_of(list(child.argv)) for child in children(tmp_path).values()))
    assert consumed == set(queue_names())
    assert not consumed & set(dead_queue_names())


def test_a_drain_has_a_thread_of_its_own_for_each_target(tmp_path: Path) -> None:
    """One target that hangs must not hold up another."""
    argv = list(children(tmp_path)["dispatch"].argv)
    assert argv[argv.index("-c") + 1] == str(len(discover()))


@pytest.mark.parametrize("name", ["ingest", "transform", "dispatch", "flower"])
def test_the_procfile_starts_what_up_starts(tmp_path: Path, name: str) -> None:
    """The same command, but for the interpreter in front."""
    assert list(children(tmp_path)[name].argv)[2:] == PROCFILE[name].split()


def test_the_procfile_has_a_process_for_each_target() -> None:
    """Names with hyphens (decisions D20), queues with underscores."""
    for name, connector in discover().items():
        assert queues_of(PROCFILE[f"dispatch-{connector.slug}"].split()) == {f"dispatch.{name}"}
    assert all(re.fullmatch(r"[a-z-]+", name) for name in PROCFILE)


def test_web_outlives_the_workers_when_all_is_stopped(tmp_path: Path) -> None:
    """Webhooks are stored until the last moment."""
    made = children(tmp_path)
    assert made["web"].stop_order > max(made[name].stop_order for name in ("ingest", "transform", "dispatch"))


def test_without_a_broker_there_is_no_celery() -> None:
    """Two processes: web, and one for all stages."""
    made = fleet.without_broker({}, web=8000)
    assert [child.name for child in made] == ["web", "stages"]
    assert not any("celery" in word for child in made for word in child.argv)


def test_a_taken_port_that_was_asked_for_is_refused_and_a_usual_one_is_passed_over() -> None:
    """Who asked for a port is told; who did not gets the next."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert ports.wanted_or_free(None, port) > port
        with pytest.raises(RefusedError, match=f"Port {port} is taken"):
            ports.wanted_or_free(port, ports.WEB)

"""Flower as `casebridge up` starts it: shows what the drains did in one line each, and lets nobody act."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from tests.acceptance.deployment import Deployment, deployed, free_port, wait_for
from workers.cli.launch import fleet
from workers.supervisor import Supervisor

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(180)]
SECRET_WORDS = "Two of twelve pallets are missing."
NEWEST_FIRST = urlencode({
    "draw": 1, "start": 0, "length": 1000, "search[value]": "", "order[0][column]": 0, "order[0][dir]": "desc",
    "columns[0][data]": "received",
})  # fmt: skip


class Flower:
    """What a browser on this machine sees of it."""

    def __init__(self, port: int, lines: list[str]) -> None:
        self.base, self.lines = f"http://127.0.0.1:{port}", lines

    def ask(self, path: str, body: bytes | None = None) -> tuple[int, str]:
        """Status and text; 0 while nobody answers."""
        try:
            with urllib.request.urlopen(self.base + path, body, timeout=5) as answer:  # noqa: S310 -- our own Flower
                return int(answer.status), answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    def tasks(self) -> list[dict[str, Any]]:
        """Rows of its table of tasks."""
        status, text = self.ask(f"/tasks/datatable?{NEWEST_FIRST}")
        return list(json.loads(text)["data"]) if status == 200 else []

    def drains(self) -> dict[str, str]:
        """Name -> result of the drains that delivered something."""
        ended = [task for task in self.tasks() if task["state"] == "SUCCESS" and "drain" in task["name"]]
        return {task["name"]: task["result"] for task in ended if " 0 delivered" not in task["result"]}

    def workers(self) -> dict[str, bool]:
        """Name -> whether it lives."""
        status, text = self.ask("/workers?json=1")
        return {one["hostname"]: one["status"] for one in json.loads(text)["data"]} if status == 200 else {}


@pytest.fixture
def town(tmp_path: Path, database_url: str, redis_url: str) -> Iterator[Deployment]:
    """Everything running."""
    with deployed(tmp_path, database_url, redis_url) as running:
        yield running


@pytest.fixture
def flower(town: Deployment) -> Iterator[Flower]:
    """Beside it Flower. Its API is opened, so that nothing but `read_only` stands between a caller and the workers."""
    port, lines = free_port(), list[str]()
    child = fleet.monitor(port, {**town.env, "FLOWER_UNAUTHENTICATED_API": "true"})
    supervisor = Supervisor([child], say=lines.append, record=lambda _name, _process: None)
    supervisor.start()
    made = Flower(port, lines)
    try:
        wait_for(lambda: len(made.workers()) == 3, seconds=60, why=lambda: f"{made.workers()} {lines[-10:]}")
        yield made
    finally:
        supervisor.stop()


def test_flower_shows_drains_and_lets_nobody_act(town: Deployment, flower: Flower) -> None:
    """Given a running casebridge, when a thread comes, then each drain has its line, no payload, and no one can act."""
    town.people.open_thread("acme", "Short shipment", SECRET_WORDS, po_number="4711")
    wanted = {"casebridge.drain_gemini", "casebridge.drain_trading_grid"}
    wait_for(lambda: wanted <= set(flower.drains()), seconds=30, why=lambda: f"{flower.drains()} {town.unfinished()}")

    assert "gemini: 2 delivered, 0 to retry, 0 dead in " in flower.drains()["casebridge.drain_gemini"]
    tasks = flower.tasks()
    assert {(task["args"], task["kwargs"]) for task in tasks} == {("()", "{}")}
    assert SECRET_WORDS not in json.dumps(tasks)
    assert "4711" not in "".join(task["result"] or "" for task in tasks)

    for name in flower.workers():
        for act in (f"worker/shutdown/{quote(name)}", f"worker/pool/restart/{quote(name)}"):
            assert flower.ask(f"/api/{act}", b"")[0] == 403, act
    assert flower.ask("/api/task/async-apply/casebridge.drain_gemini", b"{}")[0] == 403
    assert set(flower.workers().values()) == {True}

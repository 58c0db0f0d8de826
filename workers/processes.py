"""The processes of one deployment, named as everywhere else: one list for `up`, the acceptance run and the benches."""

import sys
from collections.abc import Mapping
from pathlib import Path

from pipeline.connectors import discover
from workers.supervisor import Child

POOL = ("-P", "threads", "--without-gossip", "--without-mingle")
WEB_STOPS_LATER = 1


def children(env: Mapping[str, str], *, home: Path, web_port: int, flower_port: int | None) -> list[Child]:
    """Web, ingest, transform, dispatch, beat and (with a port) Flower, on this machine."""
    python = (sys.executable, "-m")
    dispatch = ",".join(f"dispatch.{name}" for name in discover())
    found = [
        Child(
            "web",
            [*python, "workers.web", "--host", "127.0.0.1", "--port", str(web_port)],
            env,
            stop_order=WEB_STOPS_LATER,
        ),
        # Readers do their own threads (8 a source); the sweep is short and shares the process.
        Child("ingest", worker("ingest", "ingest,sweep", len(discover()) + 1), env),
        Child("transform", worker("transform", "transform", 1), env),
        # One drain a target at a time: the senders are the engine's own.
        Child("dispatch", worker("dispatch", dispatch, len(discover()) + 1), env),
        Child("beat", [*python, "celery", "-A", "workers.app", "beat", "--schedule", str(home / "beat.db")], env),
    ]
    if flower_port is not None:
        found.append(Child("flower", flower(flower_port), env, grace_seconds=3))
    return found


def worker(name: str, queues: str, concurrency: int) -> list[str]:
    """A Celery worker on these queues."""
    celery = [sys.executable, "-m", "celery", "-A", "workers.app", "worker"]
    return [*celery, "-Q", queues, "-n", f"{name}@%h", "-c", str(concurrency), *POOL, "--loglevel", "WARNING"]


def flower(port: int) -> list[str]:
    """Flower, read-only: writing goes through our own audited commands."""
    celery = [sys.executable, "-m", "celery", "-A", "workers.app", "flower"]
    return [*celery, "--address=127.0.0.1", f"--port={port}", "--read_only=True"]

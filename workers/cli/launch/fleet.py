"""The processes of one running casebridge, as a list; Procfile, compose and Kubernetes use the same commands."""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from workers.watched import Child

WEB_ORDER = 1  # ends after the workers, so that webhooks are stored until the last moment
FLOWER_GRACE_SECONDS = 3.0  # without its broker it does not stop by itself (toolbox 1.5)
READERS = 4  # threads of the ingest worker: each source may be slow by itself, and a sweep still runs
OWN_FILES = ("beat", "documents")  # what the processes keep in the home, beside the servers' data

Env = Mapping[str, str]


def with_broker(env: Env, home: Path, *, web: int, flower: int, targets: Iterable[str]) -> list[Child]:
    """Web, the three workers, beat and Flower."""
    queues = [f"dispatch.{name}" for name in targets]
    workers = [
        worker("ingest", ["ingest", "sweep"], READERS, env),
        worker("transform", ["transform"], 1, env),
        worker("dispatch", queues, len(queues), env),  # a drain keeps its thread; its senders are the engine's
    ]
    others = [beat(home, env), monitor(flower, env)]
    watched = [child.name for child in (*workers, others[0])]
    return [web_process(web, env, watched), *workers, *others]


def without_broker(env: Env, *, web: int) -> list[Child]:
    """Web, and one process that runs all stages."""
    stages = Child("stages", [*_ourselves(), "process", "stages"], env)
    return [web_process(web, env, ["stages"], broker=False), stages]


def web_process(port: int, env: Env, watched: Iterable[str], *, broker: bool = True) -> Child:
    """Receivers, API and page; `watched` are the processes whose restart makes it not ready (decisions D14)."""
    flags = [flag for name in watched for flag in ("--watches", name)]
    argv = [*_ourselves(), "process", "web", "--port", str(port), *flags, *([] if broker else ["--no-broker"])]
    return Child("web", argv, env, stop_order=WEB_ORDER)


def worker(name: str, queues: Iterable[str], threads: int, env: Env) -> Child:
    """A Celery worker; threads, because its work waits for sockets, and no gossip, because nobody elects anybody."""
    argv = [
        *_celery(), "worker", "-Q", ",".join(queues), "-P", "threads", "-c", str(threads), "-n", f"{name}@%h",
        "--without-gossip", "--without-mingle", "-l", "INFO",
    ]  # fmt: skip
    return Child(name, argv, env)


def beat(home: Path, env: Env) -> Child:
    """The clock behind the sweeps; its schedule's file lies in the home."""
    folder = home / OWN_FILES[0]
    folder.mkdir(mode=0o700, exist_ok=True)
    # an empty pid file name: celery writes none, so that a killed one leaves nothing that stops the next
    return Child("beat", [*_celery(), "beat", "-s", str(folder / "schedule"), "--pidfile=", "-l", "WARNING"], env)


def monitor(port: int, env: Env) -> Child:
    """Flower, to look at only: whoever acts does it through the audited commands."""
    argv = [
        *_celery("workers.cli.launch.monitor"),
        "flower",
        "--read_only=True",
        "--address=127.0.0.1",
        f"--port={port}",
        "--logging=warning",
    ]
    return Child("flower", argv, env, grace_seconds=FLOWER_GRACE_SECONDS)


def sandbox(ports: Mapping[str, int], hooks_to: str, env: Env) -> Child:
    """The three stand-ins in one process, on fixed ports so that a restart keeps their addresses."""
    flags = [word for name, port in ports.items() for word in (f"--{name.replace('_', '-')}-port", str(port))]
    argv = [sys.executable, "-m", "sandbox", *flags, "--hooks-to", hooks_to, "--die-with-parent"]
    return Child("sandbox", argv, env, grace_seconds=3.0)


def _ourselves() -> list[str]:
    return [sys.executable, "-m", "workers"]


def _celery(app: str = "workers.app") -> list[str]:
    return [sys.executable, "-m", "celery", "-q", "-A", app]

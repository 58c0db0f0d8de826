"""Opens the two servers: given by address, else attached to, else adopted, else started."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from workers.embedded.binaries import find_postgres, find_valkey, unprivileged_user
from workers.embedded.errors import ServicesError
from workers.embedded.postgres import Postgres, make_system_folder
from workers.embedded.valkey import Valkey
from workers.instance import STOP_SECONDS, Instance, Say
from workers.process import Process, stop, this_process, wait_until
from workers.record import Server
from workers.supervisor import Child, State, Supervisor

READY_SECONDS = 60.0  # recovery after a power cut replays the log first
DEATH_SECONDS = 2.0  # servers of a killed owner are ending already, by the parent-death signal
LOG_LIMIT = 10_000_000  # bytes


@dataclass(frozen=True)
class Services:
    """The two addresses; `embedded` names the servers that this home runs itself."""

    database_url: str
    redis_url: str
    embedded: tuple[str, ...] = ()
    attached: tuple[str, ...] = ()
    """those of them that another process runs and will stop"""
    state: Callable[[], dict[str, State]] = dict
    """what the servers run by *this* process are doing, for readiness"""


class EmbeddedServer(Protocol):
    """What PostgreSQL and Valkey have in common here."""

    name: str
    url: str
    log: Path

    def prepare(self) -> None: ...
    def child(self) -> Child: ...
    def ready(self) -> bool: ...


@contextlib.contextmanager
def open_services(home: Path, env: Mapping[str, str], say: Say) -> Iterator[Services]:
    """The two servers for the length of the block; those started here are watched, restarted, and stopped at its end.

    `DATABASE_URL` and `REDIS_URL` in `env` are used as they are (`postgres://` becomes `postgresql://`). Raises
    ServicesError when a server is neither given nor to be had, and InstanceError for a damaged home.
    """
    given = {"postgresql": normalised(env.get("DATABASE_URL", "")), "redis": env.get("REDIS_URL", "")}
    missing = [name for name, url in given.items() if not url]
    if not missing:
        yield Services(given["postgresql"], given["redis"])
        return
    with _embedded(Instance(home), missing, say) as opened:
        urls = {**given, **opened.urls}
        yield Services(urls["postgresql"], urls["redis"], tuple(missing), opened.attached, opened.state)


def normalised(database_url: str) -> str:
    """The address in the spelling that libpq and SQL tools agree on (Heroku gives `postgres://`)."""
    scheme, separator, rest = database_url.partition("://")
    return f"postgresql://{rest}" if separator and scheme == "postgres" else database_url


@dataclass(frozen=True)
class _Opened:
    urls: Mapping[str, str]
    attached: tuple[str, ...]
    state: Callable[[], dict[str, State]]


@contextlib.contextmanager
def _embedded(instance: Instance, names: Sequence[str], say: Say) -> Iterator[_Opened]:
    """Attach to what a living owner runs, take charge of the rest until the block ends."""
    with contextlib.ExitStack() as stack:
        with instance.lock("servers"):  # two starts at once: the second waits here, then attaches
            attached = _attachable(instance, names)
            own = [name for name in names if name not in attached]
            servers = [_server(name, instance, say) for name in own]
            supervisor = stack.enter_context(_running(instance, servers, say))
        urls = attached | {it.name: it.url for it in servers}
        yield _Opened(urls, tuple(attached), supervisor.state)


def _attachable(instance: Instance, names: Sequence[str]) -> dict[str, str]:
    """Addresses of the servers among `names` whose owner lives."""
    recorded = instance.read().servers
    return {name: it.url for name, it in recorded.items() if name in names and it.owner and it.owner.alive}


@contextlib.contextmanager
def _running(instance: Instance, servers: Sequence[EmbeddedServer], say: Say) -> Iterator[Supervisor]:
    """Start or adopt these servers, watch them, and stop them at the end of the block."""
    adopted = _leftovers(instance, servers, say)
    for server in servers:
        if server.name not in adopted:
            _prepare(server)
    _record(instance, servers, adopted)
    supervisor = Supervisor([it.child() for it in servers], say=say, record=instance.record_server)
    try:
        supervisor.start(adopted)
        _await_ready(servers, supervisor)
        supervisor.watch()
        yield supervisor
    finally:
        supervisor.stop()
        _disown(instance, servers)


def _server(name: str, instance: Instance, say: Say) -> EmbeddedServer:
    if name == "redis":
        return Valkey(instance, find_valkey())
    user = unprivileged_user()
    if user:
        make_system_folder(instance, say)
    return Postgres(instance, find_postgres(say), user)


def _leftovers(instance: Instance, servers: Sequence[EmbeddedServer], say: Say) -> dict[str, Process]:
    """Servers of a killed owner that go on running (where there is no parent-death signal), by name."""
    recorded = instance.read().servers
    left = {name: it.process for name, it in recorded.items() if it.process and not (it.owner and it.owner.alive)}
    wait_until(lambda: not any(it.alive for it in left.values()), DEATH_SECONDS)
    found = {}
    for server in servers:
        process = left.get(server.name)
        if process and process.alive and server.ready():
            say(f"adopting {server.name} (process {process.pid}), left by a run that was killed")
            found[server.name] = process
        elif process and process.alive:
            say(f"stopping {server.name} (process {process.pid}), left by a run that was killed and not answering")
            stop(process, server.child().stop_signal, seconds=STOP_SECONDS)
    return found


def _prepare(server: EmbeddedServer) -> None:
    server.log.parent.mkdir(mode=0o700, exist_ok=True)
    if server.log.exists() and server.log.stat().st_size > LOG_LIMIT:
        server.log.replace(server.log.with_suffix(".log.1"))
    server.prepare()


def _record(instance: Instance, servers: Sequence[EmbeddedServer], adopted: Mapping[str, Process]) -> None:
    with instance.edit() as record:
        for it in servers:
            signal_number = int(it.child().stop_signal)
            record.servers[it.name] = Server(it.url, signal_number, adopted.get(it.name), this_process())


def _disown(instance: Instance, servers: Sequence[EmbeddedServer]) -> None:
    with instance.edit() as record:
        for it in servers:
            record.servers[it.name].owner = None


def _await_ready(servers: Sequence[EmbeddedServer], supervisor: Supervisor) -> None:
    """Wait until all take connections; ServicesError with the log's end when one ends instead."""

    def decided() -> bool:
        states = supervisor.state()
        return all(it.ready() for it in servers) or any(state != "running" for state in states.values())

    wait_until(decided, READY_SECONDS)
    for server in servers:
        if supervisor.state()[server.name] != "running" or not server.ready():
            raise ServicesError(f"{server.name} did not start; {server.log} ends with:\n{_tail(server.log)}")


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-10:])

"""Opens the two servers: given by address, else attached to, else adopted, else started."""

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from workers.embedded.binaries import find_postgres, find_valkey, unprivileged_user
from workers.embedded.errors import ServicesError
from workers.embedded.postgres import Postgres
from workers.embedded.valkey import Valkey
from workers.instance import STOP_SECONDS, SYSTEM_FOLDER, Instance, Say, Server
from workers.process import Process, stop, this_process, wait_until
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
    attached: bool = False
    """another process runs them and will stop them"""
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
    attached: bool
    state: Callable[[], dict[str, State]]


@contextlib.contextmanager
def _embedded(instance: Instance, names: Sequence[str], say: Say) -> Iterator[_Opened]:
    with contextlib.ExitStack() as stack:
        with instance.lock("servers"):  # two starts at once: the second waits here, then attaches
            opened = _attach(instance, names)
            if opened is None:
                opened = stack.enter_context(_own(instance, names, say))
        yield opened


def _attach(instance: Instance, names: Sequence[str]) -> _Opened | None:
    """Use the servers of a living owner; None without one."""
    record = instance.read()
    if not (record.owner and record.owner.alive and set(names) <= set(record.servers)):
        return None
    return _Opened({name: record.servers[name].url for name in names}, attached=True, state=dict)


@contextlib.contextmanager
def _own(instance: Instance, names: Sequence[str], say: Say) -> Iterator[_Opened]:
    """Start or adopt the servers and take charge of them until the block ends."""
    _make_folders(instance, say)
    servers = [_server(name, instance, say) for name in names]
    adopted = _leftovers(instance, servers, say)
    for server in servers:
        if server.name not in adopted:
            _prepare(server, instance)
    supervisor = Supervisor([it.child() for it in servers], say=say, record=instance.record_server)
    try:
        supervisor.start(adopted)
        _await_ready(servers, supervisor)
        _set_owner(instance, this_process())
        supervisor.watch()
        yield _Opened({it.name: it.url for it in servers}, attached=False, state=supervisor.state)
    finally:
        supervisor.stop()
        _set_owner(instance, None)


def _make_folders(instance: Instance, say: Say) -> None:
    (instance.home / "log").mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() != 0 or instance.data_folder.exists():
        return
    instance.data_folder.mkdir(parents=True)
    for folder in (SYSTEM_FOLDER, instance.data_folder):
        folder.chmod(0o755)  # whatever the umask: the server's user must get through
    say(f"PostgreSQL refuses to run as root: its data lie in {instance.data_folder}, owned by another user")


def _server(name: str, instance: Instance, say: Say) -> EmbeddedServer:
    if name == "redis":
        return Valkey(instance, find_valkey())
    return Postgres(instance, find_postgres(say), unprivileged_user())


def _leftovers(instance: Instance, servers: Sequence[EmbeddedServer], say: Say) -> dict[str, Process]:
    """Servers of a killed owner that go on running (where there is no parent-death signal), by name."""
    found = {}
    for server in servers:
        process = _left_running(instance.read().servers.get(server.name))
        if process and server.ready():
            say(f"adopting {server.name} (process {process.pid}), left by a run that was killed")
            found[server.name] = process
        elif process:
            say(f"stopping {server.name} (process {process.pid}), left by a run that was killed and not answering")
            stop(process, server.child().stop_signal, seconds=STOP_SECONDS)
    return found


def _left_running(known: Server | None) -> Process | None:
    """The recorded process, if it does not end within the time that the parent-death signal takes."""
    process = known.process if known else None
    if process is None or wait_until(lambda: not process.alive, DEATH_SECONDS):
        return None
    return process


def _prepare(server: EmbeddedServer, instance: Instance) -> None:
    if server.log.exists() and server.log.stat().st_size > LOG_LIMIT:
        server.log.replace(server.log.with_suffix(".log.1"))
    server.prepare()
    with instance.edit() as record:
        record.servers[server.name] = Server(server.url, int(server.child().stop_signal))


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


def _set_owner(instance: Instance, owner: Process | None) -> None:
    with instance.edit() as record:
        record.owner = owner

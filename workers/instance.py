"""One installation on one machine: `instance.json` in its home, the lock that keeps runs apart, stop and purge."""

import contextlib
import fcntl
import os
import secrets
import shutil
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from workers.process import Process, stop, this_process
from workers.record import Record

SYSTEM_FOLDER = Path("/var/lib/casebridge")  # data of homes run by root (decisions.md D14)
RUNTIME_FOLDER = Path("/tmp")  # noqa: S108 -- short socket paths; the folder below it is made 0700 and its owner checked
# The record goes last but for the locks: a purge that was cut short can be repeated.
HOME_CONTENTS = ("postgresql", "valkey", "log", "instance.json", "instance.lock", "servers.lock", "run.lock")
STOP_SECONDS = 30.0

Say = Callable[[str], None]


class InstanceError(Exception):
    """This home cannot be used now; the sentence says why and what to do."""


class AlreadyRunningError(InstanceError):
    """Another run holds this home."""


class Instance:
    """The home of one installation; every change to its record is one locked, atomic rewrite of `instance.json`."""

    def __init__(self, home: Path) -> None:
        """Open a home, making it (0700) and its record with a fresh random id when there is none.

        Raises InstanceError for a folder that cannot be used, such as another user's.
        """
        self.home = home.absolute()
        self.path = self.home / "instance.json"
        self._mutex = threading.RLock()
        try:
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._locked():
                if not self.path.exists():
                    self._write(Record(id=secrets.token_hex(6)))
                self.path.read_bytes()
        except OSError as error:
            raise InstanceError(
                f"{self.home} cannot be used: {error}. Set CASEBRIDGE_HOME to another folder."
            ) from error
        self.id = self.read().id

    @property
    def data_folder(self) -> Path:
        """Where PostgreSQL's data lie: the home, or a system folder for root, as whom PostgreSQL refuses to run."""
        return SYSTEM_FOLDER / self.id if os.geteuid() == 0 else self.home

    @property
    def runtime_folder(self) -> Path:
        """A short folder for sockets where the data folder's path is too long for one."""
        return RUNTIME_FOLDER / f"casebridge-{self.id}"

    def read(self) -> Record:
        """The record as it is now; InstanceError when the file was damaged."""
        try:
            return Record.from_json(self.path.read_text(encoding="utf-8"))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InstanceError(
                f"{self.path} is damaged ({type(error).__name__}: {error}). "
                f"Put back a good copy, or remove the folder to begin afresh."
            ) from error

    @contextlib.contextmanager
    def edit(self) -> Iterator[Record]:
        """Change the record; written when the block ends without an error."""
        with self._locked():
            record = self.read()
            yield record
            self._write(record)

    def record_process(self, name: str, process: Process | None) -> None:
        """Remember a supervised process, or forget one that ended."""
        with self.edit() as record:
            record.processes.pop(name, None)
            if process:
                record.processes[name] = process

    def record_server(self, name: str, process: Process | None) -> None:
        """Remember the present process of an embedded server."""
        with self.edit() as record:
            record.servers[name].process = process

    @contextlib.contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold the file lock `<name>.lock`, waiting for it."""
        with (self.home / f"{name}.lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with self._mutex, self.lock("instance"):
            yield

    def _write(self, record: Record) -> None:
        fresh = self.path.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(record.to_json())
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)


@contextlib.contextmanager
def claim(home: Path, say: Say) -> Iterator[Instance]:
    """Hold a home for one `up`; workers that a killed run left behind are stopped first, and that is said.

    Raises AlreadyRunningError with the pid of the run that holds it and what to do.
    """
    instance = Instance(home)
    with (instance.home / "run.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunningError(_held(instance)) from None
        stop_leftovers(instance, say)
        with instance.edit() as record:
            record.run = this_process()
        try:
            yield instance
        finally:
            with instance.edit() as record:
                record.run = None


def _held(instance: Instance) -> str:
    run = instance.read().run
    who = f"by process {run.pid}" if run else "by another process"
    advice = "Stop it with `casebridge down`, or set CASEBRIDGE_HOME to another folder."
    return f"{instance.home} is already run {who}. {advice}"


def stop_leftovers(instance: Instance, say: Say, *, seconds: float = STOP_SECONDS) -> int:
    """Stop supervised processes recorded by a run that is gone; returns how many still ran."""
    left = {name: it for name, it in instance.read().processes.items() if it.alive}
    for process in left.values():
        process.signal(signal.SIGTERM)
    for name, process in left.items():
        say(f"stopping {name} (process {process.pid}), left by a run that was killed")
        stop(process, seconds=seconds)
    with instance.edit() as record:
        record.processes.clear()
    return len(left)


def stop_instance(home: Path, say: Say = print, *, seconds: float = STOP_SECONDS) -> bool:
    """Stop what runs in a home: SIGTERM, up to `seconds` of waiting, SIGKILL; True when something ran.

    Only processes whose pid *and* start time are those in `instance.json` are signalled.
    """
    if not (home / "instance.json").exists():
        return False
    instance = Instance(home)
    ran = _stop_leaders(instance, say, seconds)
    ran |= stop_leftovers(instance, say, seconds=seconds) > 0
    for name, server in instance.read().servers.items():
        if server.process and server.process.alive:
            say(f"stopping {name} (process {server.process.pid})")
            stop(server.process, server.stop_signal, seconds=seconds)
            ran = True
    return ran


def _stop_leaders(instance: Instance, say: Say, seconds: float) -> bool:
    """Stop the run and the owners of servers (usually one process); they stop their own children."""
    record = instance.read()
    candidates = {record.run, *(server.owner for server in record.servers.values())} - {None, this_process()}
    leaders = [it for it in candidates if it and it.alive]
    for process in leaders:
        say(f"stopping casebridge (process {process.pid})")
        if not stop(process, seconds=seconds):
            say(f"process {process.pid} did not end within {seconds:.0f} s and was killed")
    return bool(leaders)


def purge(home: Path, say: Say = print, *, also: Iterable[str] = ()) -> None:
    """Remove all data of a home: its own files, `also` (further names in it), root's data folder, the socket folder.

    Anything else that lies in the folder stays. Raises InstanceError while something of it runs.
    """
    if not (home / "instance.json").exists():
        return
    instance = Instance(home)
    running = next((it for it in instance.read().everything if it.alive), None)
    if running:
        raise InstanceError(f"{home} is in use by process {running.pid}. Stop it with `casebridge down` first.")
    outside = [SYSTEM_FOLDER / instance.id, instance.runtime_folder]
    for path in [*outside, *(home / name for name in (*also, *HOME_CONTENTS))]:
        _remove(path, say)
    with contextlib.suppress(OSError):  # not empty: somebody else's files stay
        home.rmdir()


def _remove(path: Path, say: Say) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
        say(f"removed {path}")
    else:
        path.unlink(missing_ok=True)

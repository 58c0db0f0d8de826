"""Embedded PostgreSQL: a cluster made once, a unix socket only its owner can reach, durable settings left on."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
from pathlib import Path
from urllib.parse import quote

from workers.embedded.binaries import PostgresBinaries
from workers.embedded.errors import ServicesError
from workers.instance import SYSTEM_FOLDER, Instance, Say
from workers.process import with_parent
from workers.supervisor import Child

DATABASE = "casebridge"
SUPERUSER = "casebridge"
STOP_SIGNAL = signal.SIGINT  # "fast shutdown": ends sessions, writes a checkpoint (postgresql.org, server shutdown)
SOCKET_PATH_LIMIT = 100  # bytes; sockaddr_un holds 108 on Linux and 104 on macOS
SOCKET_NAME = ".s.PGSQL.5432"
# Nothing of the caller's environment: PGDATA and its like would mislead the server.
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


class Postgres:
    """The PostgreSQL server of one home."""

    name = "postgresql"

    def __init__(self, instance: Instance, binaries: PostgresBinaries, user: str) -> None:
        """`user` is the system user to run as, "" for the present one."""
        self._binaries, self._user = binaries, user
        self._folder = instance.data_folder / "postgresql"
        self._data = self._folder / "data"
        self._sockets = socket_folder(instance)
        self.log = instance.home / "log" / "postgresql.log"
        self.url = f"postgresql://{SUPERUSER}@/{DATABASE}?host={quote(str(self._sockets), safe='/')}"

    def prepare(self) -> None:
        """Make folders and, the first time, the cluster; ServicesError for data of another major version."""
        for folder in (self._folder, self._sockets):
            make_private(folder, self._user)
        if self._data.exists():
            self._refuse_other_version()
        else:
            self._make_cluster()

    def child(self) -> Child:
        """The server as a process to supervise."""
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": '"' + str(self._sockets).replace('"', '""') + '"',
            "unix_socket_permissions": "0700",
            "max_connections": "100",
            "log_timezone": "UTC",
            "timezone": "UTC",
        }
        flags = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        argv = [str(self._binaries.postgres), "-D", str(self._data), *flags]
        return Child(
            self.name, argv, ENVIRONMENT, stop_signal=STOP_SIGNAL, grace_seconds=5, user=self._user, log=self.log
        )

    def ready(self) -> bool:
        """Whether the server says that it takes connections; the last line of its pid file, as `pg_ctl` reads it."""
        try:
            lines = (self._data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready"

    def _make_cluster(self) -> None:
        """Make cluster and database aside and rename, so that a killed start leaves nothing half-made."""
        fresh = self._folder / "data.new"
        if fresh.exists():
            shutil.rmtree(fresh)
        flags = ["--username", SUPERUSER, "--auth=trust", "--encoding=UTF8", "--data-checksums", *self._locale()]
        self._run([str(self._binaries.initdb), "-D", str(fresh), *flags])
        self._run(
            [str(self._binaries.postgres), "--single", "-D", str(fresh), "template1"],
            given=f"CREATE DATABASE {DATABASE}\n",
        )
        fresh.rename(self._data)

    def _locale(self) -> list[str]:
        """Code point order and full Unicode case rules, the same on every machine where the version offers it (17+)."""
        if self._binaries.major >= 17:
            return ["--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        return ["--locale=C.UTF-8"]

    def _run(self, command: list[str], given: str = "") -> None:
        done = subprocess.run(  # noqa: S603 -- our own command
            with_parent(command, signal.SIGTERM, self._user),
            input=given, capture_output=True, text=True, check=False, env=ENVIRONMENT, cwd="/",
        )  # fmt: skip
        if done.returncode != 0:
            raise ServicesError(f"PostgreSQL's data could not be made in {self._folder}:\n{done.stdout}{done.stderr}")

    def _refuse_other_version(self) -> None:
        found = int((self._data / "PG_VERSION").read_text(encoding="ascii"))
        if found != self._binaries.major:
            raise ServicesError(
                f"The data in {self._data} were made by PostgreSQL {found}, the server found is {self._binaries.major} "
                f"({self._binaries.postgres}). Install version {found} again, save them with "
                f"`pg_dumpall -U {SUPERUSER} -h {self._sockets} > casebridge.sql` while it runs, then move that folder "
                f"away, start with version {self._binaries.major} and load them with `psql -f casebridge.sql`."
            )


def socket_folder(instance: Instance) -> Path:
    """Beside the data, or in a short runtime folder where that path is too long for a socket."""
    beside = instance.data_folder / "postgresql" / "run"
    fits = len(os.fsencode(beside / SOCKET_NAME)) <= SOCKET_PATH_LIMIT
    return beside if fits else instance.runtime_folder


def make_private(folder: Path, user: str) -> None:
    """Make a folder that only `user` ("" is the present one) enters; ServicesError when it is somebody else's."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = pwd.getpwnam(user).pw_uid if user else os.geteuid()
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (owner, os.geteuid()):
        raise ServicesError(f"{folder} belongs to another user. Remove it, or set CASEBRIDGE_HOME to another folder.")
    if user:
        os.chown(folder, owner, -1)
    folder.chmod(0o700)


def make_system_folder(instance: Instance, say: Say) -> None:
    """Make root's data folder of a home; ServicesError for a home in which an ordinary user keeps data."""
    if (instance.home / "postgresql").exists():
        raise ServicesError(
            f"The data in {instance.home} belong to an ordinary user, so that root would begin with an empty database. "
            f"Run as that user, or set CASEBRIDGE_HOME to another folder."
        )
    if instance.data_folder.exists():
        return
    instance.data_folder.mkdir(parents=True)
    for folder in (SYSTEM_FOLDER, instance.data_folder):
        folder.chmod(0o755)  # whatever the umask: the server's user must get through
    say(f"PostgreSQL refuses to run as root: its data lie in {instance.data_folder}, owned by another user")

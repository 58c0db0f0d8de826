"""Embedded Valkey (or Redis): loopback only, behind a password, append-only file, nothing ever evicted."""

import os
import secrets
import signal
import socket
from pathlib import Path
from urllib.parse import urlsplit

from workers.instance import Instance
from workers.supervisor import Child

NAME = "redis"
STOP_SIGNAL = signal.SIGTERM


class Valkey:
    """The Valkey server of one home; port and password are kept, so that its address outlives a restart."""

    name = NAME

    def __init__(self, instance: Instance, program: Path) -> None:
        """Take the recorded address, or make one."""
        self._program = program
        self._folder = instance.home / "valkey"
        self.log = instance.home / "log" / "valkey.log"
        known = instance.read().servers.get(NAME)
        self.url = known.url if known else fresh_url()

    def prepare(self) -> None:
        """Write the configuration, which holds the password and therefore is private; take a free port."""
        if not port_is_free(_port(self.url)):
            self.url = fresh_url()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings = {
            "bind": "127.0.0.1",
            "port": str(_port(self.url)),
            "requirepass": urlsplit(self.url).password or "",  # else every local user could call any task
            "dir": quoted(self._folder),
            "appendonly": "yes",
            "save": '""',  # the append-only file is enough; snapshots that fail would block writes (MISCONF)
            "maxmemory-policy": "noeviction",
            "tcp-backlog": "128",
            "daemonize": "no",
        }
        text = "".join(f"{name} {value}\n" for name, value in settings.items())
        descriptor = os.open(self._configuration, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)

    def child(self) -> Child:
        """The server as a process to supervise."""
        argv = [str(self._program), str(self._configuration)]
        return Child(self.name, argv, {"LC_ALL": "C"}, stop_signal=STOP_SIGNAL, grace_seconds=5, log=self.log)

    def ready(self) -> bool:
        """Whether the server answers PING."""
        return answers(self.url)

    @property
    def _configuration(self) -> Path:
        return self._folder / "valkey.conf"


def answers(url: str) -> bool:
    """Whether a Redis at this address takes our password and answers PING within a second."""
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname, parts.port), timeout=1) as connection:
            connection.sendall(f"AUTH {parts.password}\r\nPING\r\n".encode())
            with connection.makefile("rb") as lines:
                return [lines.readline(), lines.readline()] == [b"+OK\r\n", b"+PONG\r\n"]
    except OSError:
        return False


def fresh_url() -> str:
    """An address on this machine: a port the system says is free, a password of 192 bits."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return f"redis://:{secrets.token_hex(24)}@127.0.0.1:{port}/0"


def port_is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does; TIME_WAIT does not matter
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def quoted(path: Path) -> str:
    """A path as the configuration file wants it."""
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _port(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None  # we wrote it
    return port

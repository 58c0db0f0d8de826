"""What `instance.json` holds: identities and addresses of one installation on one machine."""

import json
import re
from dataclasses import asdict, dataclass, field
from typing import Any

from workers.process import Process

ID_PATTERN = re.compile(r"[0-9a-f]{12}")


@dataclass
class Server:
    """An embedded server: its address with credentials, how it is stopped, its process (None while it is down)."""

    url: str
    stop_signal: int
    process: Process | None = None
    owner: Process | None = None
    """who started or adopted it, and stops it"""


@dataclass
class Record:
    """The present state of one home."""

    id: str
    run: Process | None = None
    """the `up` in charge of this home"""
    servers: dict[str, Server] = field(default_factory=dict)
    processes: dict[str, Process] = field(default_factory=dict)
    """supervised processes by name"""
    ports: dict[str, int] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)

    @property
    def everything(self) -> list[Process]:
        """Every process named here, alive or not."""
        servers = [process for it in self.servers.values() for process in (it.process, it.owner)]
        return [it for it in (self.run, *servers, *self.processes.values()) if it]

    def to_json(self) -> str:
        """The text of `instance.json`."""
        return json.dumps(asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> "Record":
        """Read a record; KeyError, TypeError or ValueError when it is not one."""
        raw: dict[str, Any] = json.loads(text)
        if not ID_PATTERN.fullmatch(raw["id"]):  # it names a folder that purge removes
            raise ValueError(f"id {raw['id']!r} is not 12 hexadecimal digits")
        return cls(
            id=raw["id"],
            run=_process(raw["run"]),
            servers={name: _server(it) for name, it in raw["servers"].items()},
            processes={name: Process(**it) for name, it in raw["processes"].items()},
            ports=dict(raw["ports"]),
            addresses=dict(raw["addresses"]),
        )


def _server(raw: dict[str, Any]) -> Server:
    return Server(raw["url"], raw["stop_signal"], _process(raw["process"]), _process(raw["owner"]))


def _process(raw: dict[str, Any] | None) -> Process | None:
    return Process(**raw) if raw else None

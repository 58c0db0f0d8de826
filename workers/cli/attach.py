"""Which installation a command speaks to: DATABASE_URL and REDIS_URL where given, else what runs in CASEBRIDGE_HOME."""

import contextlib
import os
import pwd
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.connectors import discover
from pipeline.environment import read, redis_options
from pipeline.errors import ConfigurationError
from pipeline.limits import RedisError, open_redis
from pipeline.service.errors import RefusedError
from pipeline.service.ledger import open_ledger
from pipeline.store.pool import Conn
from workers.cli.launch.sandbox_ledger import beside
from workers.demo.environment import sandbox_config, sandbox_environment
from workers.embedded.services import normalised
from workers.instance import Instance
from workers.record import Record

SANDBOX = "sandbox."  # addresses of the stand-ins stand under this prefix in instance.json


@dataclass(frozen=True)
class Attached:
    """The installation found. `env` is the environment that its processes would see, as far as known here."""

    env: Mapping[str, str]
    home: Path
    record: Record | None

    @property
    def database_url(self) -> str | None:
        return self.env.get("DATABASE_URL") or None

    @property
    def redis_url(self) -> str | None:
        return self.env.get("REDIS_URL") or None

    @property
    def prefix(self) -> str:
        return self.env.get("CASEBRIDGE_REDIS_PREFIX", "")

    @property
    def running(self) -> bool:
        """Whether an `up` holds this home."""
        return bool(self.record and self.record.run and self.record.run.alive)


def home_of(env: Mapping[str, str]) -> Path:
    """The home, absolute."""
    return Path(env.get("CASEBRIDGE_HOME") or ".casebridge").absolute()


def attach(env: Mapping[str, str] | None = None) -> Attached:
    """Look what is given and what runs; nothing is started or made."""
    given = {name: value for name, value in (os.environ if env is None else env).items() if value}
    home = home_of(given)
    record = Instance(home).read() if (home / "instance.json").exists() else None
    found = _of_servers(record) | given
    if "DATABASE_URL" in found:
        found["DATABASE_URL"] = normalised(found["DATABASE_URL"])
    stand_ins = _stand_ins_of(record)
    return Attached(against_stand_ins(found, stand_ins) if stand_ins else found, home, record)


def against_stand_ins(env: Mapping[str, str], urls: Mapping[str, str]) -> dict[str, str]:
    """The environment with the sandbox in the place of all systems, at these addresses by name.

    Every variable of a connector is replaced: no real secret goes to the sandbox, nothing is written to a real system.
    """
    own = {variable.name for connector in discover().values() for variable in connector.variables}
    kept = {name: value for name, value in env.items() if name.removesuffix("_FILE") not in own}
    return {"CASEBRIDGE_CONFIG": str(sandbox_config()), **sandbox_environment(urls), **kept}


@contextlib.contextmanager
def ledger() -> Iterator[Conn]:
    """A connection to the ledger. Raises RefusedError with the next step where there is none."""
    with contextlib.closing(open_ledger(database_of(attach()))) as conn:
        yield conn


def database_of(attached: Attached) -> str:
    """The database's address. Raises RefusedError."""
    if attached.database_url is None:
        raise RefusedError(
            f"Nothing runs in {attached.home}, and DATABASE_URL is not set.",
            "Start it with `casebridge up`, or set DATABASE_URL, or CASEBRIDGE_HOME to the home of a running one.",
        )
    return attached.database_url


def depths(attached: Attached, names: list[str]) -> dict[str, int] | None:
    """Queue -> messages; None when there is no Redis, or it does not answer.

    kombu keeps a queue of one priority as a list of the queue's own name, behind the prefix.
    """
    if attached.redis_url is None:
        return None
    try:
        with (
            open_redis(attached.redis_url, **tls(attached)["client"]) as client,
            client.pipeline(transaction=False) as pipe,
        ):
            for name in names:
                pipe.llen(f"{attached.prefix}{name}")
            return dict(zip(names, pipe.execute(), strict=True))
    except RedisError:
        return None


def tls(attached: Attached) -> dict[str, dict[str, Any]]:
    """TLS options for Redis: `client` and `celery`, as pipeline.environment makes them; none where it cannot say."""
    try:
        return redis_options(read(attached.env, {}))
    except ConfigurationError:  # an operator's shell may lack what the processes need; Redis then answers or not
        return {"client": {}, "celery": {}}


def actor() -> str:
    """Who types, for the audit trail: `cli:anna`."""
    try:
        return f"cli:{pwd.getpwuid(os.geteuid()).pw_name}"
    except KeyError:  # a container's user without a name
        return f"cli:{os.geteuid()}"


def _of_servers(record: Record | None) -> dict[str, str]:
    """Addresses of embedded servers that a living process owns; a run with stand-ins has a ledger of its own."""
    names = {"postgresql": "DATABASE_URL", "redis": "REDIS_URL"}
    servers = record.servers.items() if record else ()
    found = {names[name]: it.url for name, it in servers if name in names and it.owner and it.owner.alive}
    if "DATABASE_URL" in found and _stand_ins_of(record):
        found["DATABASE_URL"] = beside(found["DATABASE_URL"])
    return found


def _stand_ins_of(record: Record | None) -> dict[str, str]:
    """The stand-ins' addresses by system, while a run with `--sandbox` holds the home."""
    addresses = record.addresses if record and record.run and record.run.alive else {}
    return {name.removeprefix(SANDBOX): url for name, url in addresses.items() if name.startswith(SANDBOX)}

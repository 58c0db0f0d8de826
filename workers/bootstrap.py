"""The composition root: settings, pool, connectors, executors, couriers, readers; once a process."""

import logging
import os
import socket
import threading
import time
from contextlib import AbstractContextManager
from datetime import timedelta

from redis import Redis

from pipeline.bell import RedisBell, SilentBell
from pipeline.config import Config
from pipeline.configuration import load
from pipeline.connector import Account, Connector, Source, Target
from pipeline.connectors import discover
from pipeline.documents import Copier, Documents
from pipeline.documents.copying import LARGE_AT_ONCE
from pipeline.domain.retry import RetryPolicy
from pipeline.environment import Environment, redis_options
from pipeline.errors import CasebridgeError, ConfigurationError, Problem
from pipeline.flow import Flow
from pipeline.flows import all_flows
from pipeline.http import Executor
from pipeline.limits import Limiter, open_redis
from pipeline.stages.courier import Courier
from pipeline.stages.drain import Drain, Sizes
from pipeline.stages.ingest import Reader
from pipeline.store import config_versions, signals, targets
from pipeline.store.pool import AWAY, Conn, open_pool
from pipeline.tokens import Tokens

log = logging.getLogger(__name__)
CONFIG_LOOKED_AT_SECONDS = 1.0
POOL_SECONDS = 10.0  # a thread that holds a connection waits much less for a second one: many do at once


class World:
    """Everything one process works with. Connectors are rebuilt when another configuration becomes the active one."""

    def __init__(self, environment: Environment, *, broker: bool = True, pool_size: int = 12) -> None:
        _require_urls(environment, broker=broker)
        self.environment, self.env = environment, environment.systems
        self.connectors: dict[str, Connector] = discover()
        self.flows: tuple[Flow, ...] = all_flows()
        self.pool = open_pool(environment.database_url or "", size=pool_size)
        tls = redis_options(environment)["client"]
        self.redis: Redis | None = open_redis(environment.redis_url or "", **tls) if broker else None
        prefix = environment.redis_prefix
        self.bell = RedisBell(self.redis, prefix=prefix) if self.redis is not None else SilentBell()
        self.tokens = Tokens(self.redis, environment.secret_key)
        self.limiter = Limiter(self.redis, prefix=prefix)
        self.policy = RetryPolicy(scale=environment.retry_scale)
        self.documents = Documents.at(environment.documents_url, environment.home / "documents")
        self.large_copies = threading.Semaphore(LARGE_AT_ONCE)
        self.owner = f"{socket.gethostname()}:{os.getpid()}"
        self.stop = threading.Event()
        self._lock = threading.Lock()
        self._active: _Active | None = None
        self._looked_at = 0.0
        self.trouble: str | None = None  # why the newest version is not in force, when it could not be read

    @property
    def config(self) -> Config:
        """The active configuration."""
        return self._current().config

    @property
    def config_version(self) -> int:
        return self._current().version

    @property
    def active(self) -> tuple[int, Config]:
        """Version and configuration of one look: two looks may fall on either side of a change."""
        active = self._current()
        return active.version, active.config

    @property
    def reading_lease_seconds(self) -> float:
        """How long a silent reader keeps an object."""
        return max(self.environment.lease_seconds * 2, 10.0)

    def connection(self) -> AbstractContextManager[Conn]:
        """A pooled connection for a moment."""
        return self.pool.connection()

    def reader(self, name: str) -> Reader:
        """Everything that reading one source takes."""
        active = self._current()
        return Reader(
            name,
            active.sources[name],
            active.readers[name],
            active.pollers[name],
            self.connection,
            self.owner,
            lease=timedelta(seconds=self.reading_lease_seconds),
            poll_seconds=self.environment.poll_seconds,
            policy=self.policy,
            copier=active.copiers[name],
        )

    def courier(self, name: str) -> Courier:
        """Everything that sending to one target takes."""
        active = self._current()
        others = {source: (active.sources[source], active.readers[source]) for source in active.sources}
        return Courier(
            self.connectors[name],
            self.connectors[name].target(self.env, active.config),
            active.writers[name],
            active.config,
            others,
            self.policy,
        )

    def drain(self, conn: Conn, name: str) -> Drain:
        """One run over a target's due lanes."""
        sizes = Sizes(senders=self.environment.senders, lease_seconds=self.environment.lease_seconds)
        return Drain(
            conn,
            name,
            prepare=self.courier(name).prepare,
            bell=self.bell,
            owner=self.owner,
            sizes=sizes,
            stop=self.stop,
            per_object=self.account(name).per_object,
        )

    def target(self, name: str) -> Target:
        """The pure writer of a target."""
        return self.connectors[name].target(self.env, self.config)

    def account(self, name: str) -> Account:
        """How to reach a system."""
        return self.connectors[name].account(self.env, self.config)

    def source(self, name: str) -> Source:
        """The receiving half of a connector."""
        return self._current().sources[name]

    def executor(self, name: str) -> Executor:
        """The executor that readers and checks use."""
        return self._current().readers[name]

    def first_start(self) -> None:
        """Make rows that everything else expects: targets, polls, and the configuration file as a first version."""
        with self.connection() as conn:
            targets.ensure(conn, self.connectors)
            for name in self.connectors:
                signals.ensure_poll(conn, name)
            if config_versions.active(conn) is None:
                self.limiter.begin()
                text = read_config_file(self.environment)
                load(text, self.connectors, file=str(self.environment.config))
                config_versions.apply(conn, text, actor="first start")

    def look_again(self) -> None:
        """Look at the active configuration at the next use, not within the second."""
        self._looked_at = 0.0

    def close(self) -> None:
        """End what this process opened."""
        self.stop.set()
        if self._active is not None:
            self._active.close()
        self.pool.close()
        if self.redis is not None:
            self.redis.close()

    def _current(self) -> "_Active":
        """What is active, looked at once a second; while one thread looks the others go on with what is known."""
        known = self._active
        if known is not None and time.monotonic() - self._looked_at <= CONFIG_LOOKED_AT_SECONDS:
            return known
        if not self._lock.acquire(blocking=known is None):
            assert known is not None
            return known
        try:
            self._look()
            assert self._active is not None
            return self._active
        finally:
            self._lock.release()

    def _look(self) -> None:
        """A database that is away, an empty pool or an unusable version leave what is known in force."""
        self._looked_at = time.monotonic()
        try:
            self._refresh()
        except (*AWAY, CasebridgeError) as error:
            if self._active is None:
                raise
            if self.trouble is None:  # once, not once a second
                log.warning("active configuration not read", extra={"error": str(error)})
            self.trouble = str(error)
        else:
            self.trouble = None

    def _refresh(self) -> None:
        with self.pool.connection(timeout=POOL_SECONDS if self._active is None else 1.0) as conn:
            active = config_versions.active(conn)
            if self._active is not None and active is not None and active[0] == self._active.version:
                return
            row = config_versions.text(conn)
        if row is None:
            raise ConfigurationError(
                [Problem("database", None, "no active configuration", "one: run `casebridge config apply FILE`")]
            )
        config = load(row[1], self.connectors, file=str(self.environment.config))
        self._active = _Active(self, row[0], config)


class _Active:
    """What depends on the active configuration."""

    def __init__(self, world: World, version: int, config: Config) -> None:
        self.version, self.config = version, config
        env, tokens, limiter = world.env, world.tokens, world.limiter
        self.sources: dict[str, Source] = {}
        self.writers: dict[str, Executor] = {}
        self.readers: dict[str, Executor] = {}
        self.pollers: dict[str, Executor] = {}
        self.copiers: dict[str, Copier] = {}
        for name, connector in world.connectors.items():
            account = connector.account(env, config)
            self.sources[name] = connector.source(env, config)
            self.writers[name] = Executor(
                account,
                tokens=tokens,
                limiter=limiter,
                store=world.documents,
                pool_size=world.environment.senders,
                share="write",
            )
            reader = Executor(account, tokens=tokens, limiter=limiter, mode="read", share="read")
            renew_seconds = world.reading_lease_seconds / 4
            self.readers[name] = reader
            self.copiers[name] = Copier(world.documents, reader, world.large_copies, renew_seconds=renew_seconds)
            self.pollers[name] = Executor(account, tokens=tokens, limiter=limiter, mode="read", share="poll")

    def close(self) -> None:
        for executor in (*self.writers.values(), *self.readers.values(), *self.pollers.values()):
            executor.close()


def read_config_file(environment: Environment) -> str:
    """The text of CASEBRIDGE_CONFIG. Raises ConfigurationError when it cannot be read."""
    try:
        return environment.config.read_text(encoding="utf-8")
    except OSError as error:
        expected = "a readable configuration file: set CASEBRIDGE_CONFIG, or start from casebridge.example.yaml"
        raise ConfigurationError([Problem(str(environment.config), None, str(error.strerror), expected)]) from error


def _require_urls(environment: Environment, *, broker: bool) -> None:
    """A worker gets its servers from whoever starts it (`casebridge up` fills these in)."""
    needed = {"DATABASE_URL": environment.database_url, **({"REDIS_URL": environment.redis_url} if broker else {})}
    expected = "an address; `casebridge up` starts embedded servers and sets it"
    missing = [Problem("environment", None, f"no {name}", expected) for name, value in needed.items() if not value]
    if missing:
        raise ConfigurationError(missing)

"""Rate limits of the systems that we call (decisions D11): moving windows in Redis, shared fairly; the door to Redis.

Of each limit 60 % belong to writes, 30 % to reads and 10 % to polls. A share that is used up borrows from another
one, unless that other was itself turned away within the window. After Redis lost its data nobody knows what was used:
windows count as used up and free themselves bit by bit.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any, Literal, Protocol

from limits import RateLimitItem
from limits.limits import Granularity
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis import Redis, RedisError

from pipeline.connector import Account, Limit
from pipeline.plan import Request

__all__ = ["SHARES", "Limiter", "RedisError", "Share", "limits_for", "open_redis"]

Share = Literal["write", "read", "poll"]

SHARES: Mapping[Share, int] = MappingProxyType({"write": 60, "read": 30, "poll": 10})  # per cent
_SMALLEST_SHARED = 10  # below, a share would be less than one call: first come, first served
_UNSHARED = "all"
_SHORTEST_WAIT_SECONDS = 0.05
_EPOCH_CHECK_SECONDS = 1.0
_REDIS_PAUSE_SECONDS = 5.0  # Redis does not answer: count alone for a while instead of waiting for it each time
_FOR_EVER = float("-inf")


def open_redis(url: str, **tls: Any) -> Redis:
    """A client whose calls end within a second: what it keeps is worth waiting for, but not for long."""
    client: Redis = Redis.from_url(url, socket_timeout=1.0, socket_connect_timeout=1.0, **tls)
    return client


class Limiter:
    """Counts calls against the limits of their accounts; one a process, shared by its threads.

    Without Redis, or while it does not answer, each process counts alone with 1/`processes` of every limit.
    """

    def __init__(self, redis: Redis | None, *, prefix: str = "", processes: int = 1) -> None:
        self._shared = None if redis is None else _RedisLedger(redis, prefix)
        self._redis_windows = None if self._shared is None else _Windows(self._shared, processes=1)
        self._own_ledger = _MemoryLedger()
        self._own_windows = _Windows(self._own_ledger, processes=max(processes, 1))
        self._redis_paused_until = _FOR_EVER
        self._alone = False

    def begin(self) -> None:
        """Nothing has been called yet, so nothing is used up: said once, before the very first call of a ledger."""
        if self._shared is not None:
            with suppress(RedisError):
                self._shared.begin()

    def acquire(self, account: Account, request: Request, share: Share) -> float:
        """0.0: go, the call is counted. Else the seconds after which it is worth asking again."""
        limits = limits_for(account, request)
        if not limits:
            return 0.0
        if self._redis_windows is not None and time.time() >= self._redis_paused_until:
            try:
                wait = self._redis_windows.acquire(account, limits, share)
            except RedisError:
                self._count_alone(time.time())
            else:
                self._alone = False
                return wait
        return self._own_windows.acquire(account, limits, share)

    def _count_alone(self, now: float) -> None:
        self._redis_paused_until = now + _REDIS_PAUSE_SECONDS
        if not self._alone:  # what was used until now is known to Redis alone
            self._own_ledger.lose(now)
        self._alone = True


def limits_for(account: Account, request: Request) -> tuple[Limit, ...]:
    """The limits that count this request, the narrowest first: it refuses before a wider one has counted."""
    found = [
        it for it in account.limits if it.method in ("", request.method) and request.path.startswith(it.path_prefix)
    ]
    return tuple(sorted(found, key=lambda it: (len(it.path_prefix), it.method), reverse=True))


class _Window(RateLimitItem):
    """One share of one limit. Its key leaves the amount out, which changes while a lost window frees itself."""

    GRANULARITY = Granularity(1, "moving")

    def key_for(self, *identifiers: bytes | str | float) -> str:
        return "/".join(str(part) for part in identifiers)


class _Ledger(Protocol):
    """Where windows are kept: the entries of a moving window, since when, and who was turned away."""

    strategy: MovingWindowRateLimiter

    def epoch(self) -> float:
        """Since when all calls are counted; -inf: always."""
        ...

    def is_wanting(self, key: str) -> bool: ...

    def set_wanting(self, key: str, seconds: int) -> None: ...


class _Windows:
    """Decides by the windows of one ledger."""

    def __init__(self, ledger: _Ledger, *, processes: int) -> None:
        self._ledger, self._processes = ledger, processes

    def acquire(self, account: Account, limits: tuple[Limit, ...], share: Share) -> float:
        """As `Limiter.acquire`. In the usual case one call of the ledger for each limit."""
        for limit in limits:
            name = f"limit/{account.system}/{account.root_url}/{limit.name}"
            if not any(self._hit(name, limit, part) for part in self._parts(name, limit, share)):
                return self._seconds_to_wait(name, limit, share)
        return 0.0

    def _hit(self, name: str, limit: Limit, part: str) -> bool:
        window = _Window(self._amount(limit, part), limit.seconds)
        return self._ledger.strategy.hit(window, f"{name}/{part}")

    def _parts(self, name: str, limit: Limit, share: Share) -> Iterator[str]:
        """Whose windows to try: its own, then those of others that do not want them."""
        own = self._own_part(limit, share)
        yield own
        for other in SHARES:
            if own not in (_UNSHARED, other) and not self._ledger.is_wanting(f"{name}/{other}"):
                yield other

    def _amount(self, limit: Limit, part: str) -> int:
        """Calls that the window takes now: at least one, fewer than its share while it frees itself after a loss."""
        full = self._full_amount(limit, part)
        age = time.time() - self._ledger.epoch()
        return max(full if age >= limit.seconds else int(full * max(age, 0.0) / limit.seconds), 1)

    def _seconds_to_wait(self, name: str, limit: Limit, share: Share) -> float:
        part = self._own_part(limit, share)
        key = f"{name}/{part}"
        self._ledger.set_wanting(key, limit.seconds)
        amount = self._amount(limit, part)
        free_at = self._ledger.strategy.get_window_stats(_Window(amount, limit.seconds), key).reset_time
        wait = free_at - time.time()
        full = self._full_amount(limit, part)
        if amount < full:  # it is freeing itself: one more call after each part of the window
            wait = min(wait, limit.seconds / full)
        return max(wait, _SHORTEST_WAIT_SECONDS)

    def _own_part(self, limit: Limit, share: Share) -> str:
        return share if limit.amount // self._processes >= _SMALLEST_SHARED else _UNSHARED

    def _full_amount(self, limit: Limit, part: str) -> int:
        """A part of what this ledger has of a limit. Writes get what rounding leaves, so that the sum is the whole."""
        whole = max(limit.amount // self._processes, 1)
        parts: dict[str, int] = {share: whole * percent // 100 for share, percent in SHARES.items()}
        parts["write"] = whole - parts["read"] - parts["poll"]
        return parts.get(part, whole)


class _MemoryLedger:
    """The windows of this process alone."""

    def __init__(self) -> None:
        self.strategy = MovingWindowRateLimiter(MemoryStorage())
        self._epoch = _FOR_EVER
        self._wanting: dict[str, float] = {}

    def lose(self, at: float) -> None:
        """What was counted until then is not known here."""
        self._epoch = at

    def epoch(self) -> float:
        return self._epoch

    def is_wanting(self, key: str) -> bool:
        return time.time() < self._wanting.get(key, _FOR_EVER)

    def set_wanting(self, key: str, seconds: int) -> None:
        self._wanting[key] = time.time() + seconds


class _RedisLedger:
    """The windows that all processes share. The epoch key never expires: when it is gone, so are the windows."""

    def __init__(self, redis: Redis, prefix: str) -> None:
        storage = RedisStorage("redis://", connection_pool=redis.connection_pool, key_prefix=f"{prefix}limits")
        self.strategy = MovingWindowRateLimiter(storage)
        self._redis, self._prefix = redis, f"{prefix}limits"
        self._epoch, self._checked_at = _FOR_EVER, _FOR_EVER

    def epoch(self) -> float:
        """Looked up once a second: a loss is noticed late by at most that, not at the price of a call a request."""
        if time.time() - self._checked_at >= _EPOCH_CHECK_SECONDS:
            key = f"{self._prefix}:epoch"
            known = self._redis.get(key)
            if known is None:
                self._redis.set(key, repr(time.time()), nx=True)  # of several processes the first one counts
                known = self._redis.get(key)
            self._epoch, self._checked_at = _as_float(known), time.time()
        return self._epoch

    def begin(self) -> None:
        """An epoch long past: every window is whole. An epoch that is known stays."""
        self._redis.set(f"{self._prefix}:epoch", repr(_FOR_EVER), nx=True)

    def is_wanting(self, key: str) -> bool:
        return bool(self._redis.exists(f"{self._prefix}:wanting/{key}"))

    def set_wanting(self, key: str, seconds: int) -> None:
        self._redis.set(f"{self._prefix}:wanting/{key}", b"1", ex=seconds)


def _as_float(value: object) -> float:
    """The epoch as we wrote it; what cannot be read counts as lost just now."""
    try:
        return float(value if isinstance(value, str | bytes) else b"")
    except ValueError:
        return time.time()

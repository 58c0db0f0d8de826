"""Hints in Redis: a way flag and a bell for each queue, so that many events cost one Celery message (engine.md 4).

Keys (each with the prefix of CASEBRIDGE_REDIS_PREFIX):
    way:<queue>    somebody drains the queue or is on the way; 3 s to live, refreshed by the drain
    bell:<queue>   a list with at most one element: "there is new work", heard by the drain that holds the way
    help:<queue>   an overloaded drain asked for a second one less than a second ago

Everything in here may be lost at any time: the sweep finds what is due in PostgreSQL.
"""

import time
from contextlib import suppress

from redis import Redis
from redis.exceptions import RedisError

WAY_MS = 3000
HELP_MS = 1000
REFRESH_SECONDS = 1.0

_RING = """
if redis.call('set', KEYS[1], '1', 'NX', 'PX', ARGV[1]) then return 1 end
if redis.call('llen', KEYS[2]) == 0 then redis.call('rpush', KEYS[2], '1') redis.call('pexpire', KEYS[2], 60000) end
return 0
"""


class RedisBell:
    """The bell of all queues; every failure of Redis counts as silence."""

    def __init__(self, redis: Redis, *, prefix: str = "") -> None:
        self._redis, self._prefix = redis, prefix
        self._ring = redis.register_script(_RING)
        self._refreshed: dict[str, float] = {}

    def ring(self, name: str) -> bool:
        """Tell a queue's drain of new work; True when nobody is on the way, so that a hint must be published."""
        try:
            return bool(self._ring(keys=[self._key("way", name), self._key("bell", name)], args=[WAY_MS]))
        except RedisError:
            return False

    def listen(self, name: str, seconds: float) -> bool:
        """Wait for the bell; False when it stays silent (or Redis is gone)."""
        try:
            return self._redis.blpop([self._key("bell", name)], timeout=seconds) is not None
        except RedisError:
            return False

    def refresh(self, name: str) -> None:
        """Keep the way for three more seconds; asked for in every turn, done once a second."""
        now = time.monotonic()
        if now - self._refreshed.get(name, 0.0) >= REFRESH_SECONDS:
            self._refreshed[name] = now
            with suppress(RedisError):
                self._redis.set(self._key("way", name), "1", px=WAY_MS)

    def leave(self, name: str) -> None:
        """Give the way free before the last look: who commits after it sends a hint."""
        self._refreshed.pop(name, None)
        with suppress(RedisError):
            self._redis.delete(self._key("way", name))

    def help(self, name: str) -> bool:
        """Whether a second drain may be called right now."""
        try:
            return bool(self._redis.set(self._key("help", name), "1", nx=True, px=HELP_MS))
        except RedisError:
            return False

    def _key(self, kind: str, name: str) -> str:
        return f"{self._prefix}{kind}:{name}"


class SilentBell:
    """No Redis: nobody rings, nobody waits (`--no-broker`)."""

    def ring(self, name: str) -> bool:  # noqa: ARG002 -- the bell's signature
        return False

    def listen(self, name: str, seconds: float) -> bool:  # noqa: ARG002 -- the bell's signature
        return False

    def refresh(self, name: str) -> None:
        """Nobody to tell."""

    def leave(self, name: str) -> None:
        """Nobody to tell."""

    def help(self, name: str) -> bool:  # noqa: ARG002 -- the bell's signature
        return False

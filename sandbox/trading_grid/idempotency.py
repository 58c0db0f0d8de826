"""Answers kept under their Idempotency-Key for 7 days, by the sandbox's clock and bound to the principal."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.trading_grid.problems import Problem
from sandbox.trading_grid.vocabulary import IDEMPOTENCY_DAYS

ReplayKey = tuple[str, str, str, str]
"""Principal, method, path, Idempotency-Key."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A 2xx answer and the fingerprint of the body that led to it."""

    fingerprint: bytes
    expires: datetime
    status: int
    headers: dict[str, str]
    body: bytes


class Replays:
    """Only 2xx answers are kept: a refused request is judged anew when it comes again."""

    def __init__(self) -> None:
        self._kept: dict[ReplayKey, Kept] = {}
        self._order: deque[tuple[datetime, ReplayKey]] = deque()

    def find(self, key: ReplayKey, fingerprint: bytes, now: datetime) -> Kept | None:
        """The answer to replay, if any; raises Problem idempotency_key_reused when the body differs."""
        kept = self._kept.get(key)
        if kept is None or kept.expires <= now:
            return None
        if kept.fingerprint != fingerprint:
            raise Problem("idempotency_key_reused")
        return kept

    def keep(
        self, key: ReplayKey, fingerprint: bytes, now: datetime, status: int, headers: dict[str, str], body: bytes
    ) -> None:
        """Keep a 2xx answer and let go of expired ones."""
        expires = now + timedelta(days=IDEMPOTENCY_DAYS)
        self._kept[key] = Kept(fingerprint, expires, status, dict(headers), body)
        self._order.append((expires, key))
        while self._order and self._order[0][0] <= now:
            _, old = self._order.popleft()
            if old in self._kept and self._kept[old].expires <= now:
                del self._kept[old]

"""The database's time between two questions: nothing else is asked what time it is (decisions D15)."""

import time
from datetime import datetime, timedelta

from pipeline.store.pool import Conn

ASK_SECONDS = 10.0


class DatabaseClock:
    """Adds this machine's monotonic clock to what the database said last; read by one thread, set by another."""

    def __init__(self) -> None:
        self._sample: tuple[datetime, float] | None = None

    def sample(self, conn: Conn) -> None:
        """Ask, unless that was done less than ten seconds ago."""
        before = time.monotonic()
        if self._sample is not None and before - self._sample[1] < ASK_SECONDS:
            return
        row = conn.execute("select casebridge.now()").fetchone()
        assert row is not None
        self._sample = row[0], (before + time.monotonic()) / 2

    def now(self) -> datetime | None:
        """Aware; None before the first answer."""
        if self._sample is None:
            return None
        at, asked = self._sample
        return at + timedelta(seconds=time.monotonic() - asked)

"""The sandbox's own time, which a test can move, stop or speed up."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Aware UTC time: `base + offset + rate * (real time since it was set)`."""

    def __init__(self) -> None:
        self._base: datetime | None = None
        self._offset = 0.0
        self._rate = 1.0
        self._set_at = time.monotonic()

    def now(self) -> datetime:
        """The sandbox's current time, aware, in UTC."""
        offset = timedelta(seconds=self._offset)
        if self._base is None:
            return datetime.now(UTC) + offset
        return self._base + offset + timedelta(seconds=(time.monotonic() - self._set_at) * self._rate)

    def set(self, base: datetime | None = None, offset_seconds: float = 0.0, rate: float = 1.0) -> None:
        """Start anew from `base` (None: real time, unless the rate differs from 1), shifted and paced."""
        if base is None and rate != 1.0:
            base = datetime.now(UTC)
        self._base = None if base is None else base.astimezone(UTC)
        self._offset = offset_seconds
        self._rate = rate
        self._set_at = time.monotonic()

    def reading(self) -> dict[str, object]:
        """The settings and the time as JSON-ready values."""
        base = None if self._base is None else self._base.isoformat()
        return {"now": self.now().isoformat(), "base": base, "offset_seconds": self._offset, "rate": self._rate}

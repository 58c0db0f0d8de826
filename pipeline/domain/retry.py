"""Retry as arithmetic: seconds until the next attempt, or that there is none (reliability.md 3.4)."""

from dataclasses import dataclass

SCHEDULE = (5.0, 30.0, 120.0, 600.0, 1800.0, 3600.0, 7200.0)
THEN_EVERY = 14_400.0
GIVE_UP_AFTER = 72 * 3600.0
CAP = 6 * 3600.0
JITTER = 0.2


@dataclass(frozen=True)
class RetryPolicy:
    """`first` seconds, growing; `scale` shortens the whole schedule where time runs faster (sandbox, tests)."""

    scale: float = 1.0
    give_up_after_seconds: float = GIVE_UP_AFTER

    def wait(self, tries: int, *, jitter: float, retry_after: float | None = None) -> float | None:
        """Seconds until attempt `tries` + 1; None when all attempts are used up. `jitter` in [-1, 1].

        What the target asked for counts where it is longer, up to six hours.
        """
        if self.elapsed(tries) > self.give_up_after_seconds:
            return None
        base = SCHEDULE[tries - 1] if tries <= len(SCHEDULE) else THEN_EVERY
        planned = base * self.scale * (1 + JITTER * jitter)
        return max(planned, min(retry_after, CAP)) if retry_after is not None else planned

    @staticmethod
    def elapsed(tries: int) -> float:
        """Seconds that the schedule has used up by attempt `tries`, jitter left aside."""
        early = SCHEDULE[: max(tries - 1, 0)]
        return sum(early) + THEN_EVERY * max(tries - 1 - len(SCHEDULE), 0)

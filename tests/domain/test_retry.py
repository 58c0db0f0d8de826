"""Retry as arithmetic: it grows, it is bounded, it gives up after 72 hours, and jitter spreads it by a fifth."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.retry import CAP, GIVE_UP_AFTER, JITTER, SCHEDULE, THEN_EVERY, RetryPolicy

POLICY = RetryPolicy()
TRIES = st.integers(1, 30)
JITTERS = st.floats(-1, 1)


def test_the_schedule_is_the_documented_one() -> None:
    """5 s, 30 s, 2 min, 10 min, 30 min, 1 h, 2 h, then every four hours (reliability.md 3.4)."""
    waits = [POLICY.wait(tries, jitter=0) for tries in range(1, 10)]
    assert waits == [5, 30, 120, 600, 1800, 3600, 7200, 14_400, 14_400]


@given(TRIES)
def test_waits_never_get_shorter(tries: int) -> None:
    """Each attempt waits at least as long as the one before it, until there is none."""
    now, then = POLICY.wait(tries, jitter=0), POLICY.wait(tries + 1, jitter=0)
    assert then is None or (now is not None and now <= then)


@given(TRIES, JITTERS)
def test_jitter_moves_a_wait_by_a_fifth_at_most(tries: int, jitter: float) -> None:
    """So that what failed together does not come back together, and nothing comes back at once."""
    plain, moved = POLICY.wait(tries, jitter=0), POLICY.wait(tries, jitter=jitter)
    assert (plain is None) is (moved is None)
    assert plain is None or moved is None or abs(moved - plain) <= plain * JITTER + 1e-9


@given(TRIES, JITTERS, st.floats(0, 1e9))
def test_what_the_target_asks_for_is_kept_up_to_six_hours(tries: int, jitter: float, asked: float) -> None:
    """Never shorter than asked (or six hours), never longer than the schedule's own or that."""
    plain = POLICY.wait(tries, jitter=jitter)
    wait = POLICY.wait(tries, jitter=jitter, retry_after=asked)
    assert (plain is None) is (wait is None)
    assert plain is None or wait == max(plain, min(asked, CAP))


def test_it_gives_up_after_72_hours() -> None:
    """Whatever the last steps are, the time that the schedule takes in all is the bound."""
    last = max(tries for tries in range(1, 100) if POLICY.wait(tries, jitter=0) is not None)
    assert RetryPolicy.elapsed(last) <= GIVE_UP_AFTER < RetryPolicy.elapsed(last) + THEN_EVERY
    assert POLICY.wait(last + 1, jitter=0) is None


@given(TRIES, st.floats(0.001, 1))
def test_a_scaled_schedule_gives_up_at_the_same_attempt(tries: int, scale: float) -> None:
    """The sandbox's shorter waits change no decision."""
    scaled, plain = RetryPolicy(scale).wait(tries, jitter=0), POLICY.wait(tries, jitter=0)
    assert (scaled is None) is (plain is None)
    assert scaled is None or plain is None or abs(scaled - plain * scale) < 1e-6
    assert len(SCHEDULE) == 7

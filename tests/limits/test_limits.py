"""Rate limits: shares, borrowing, several processes, and what happens when Redis forgets or falls silent."""

from datetime import UTC, datetime

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from pipeline.connector import Account, Limit
from pipeline.limits import SHARES, Limiter, Share, limits_for, open_redis
from pipeline.plan import Request

START = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
WRITE = Request("comment", "POST", "/comments")


def an_account(*limits: Limit) -> Account:
    return Account("desk", "https://desk.example", "/api", limits=limits or (Limit("all", 100, 60),))


def taken(limiter: Limiter, share: Share, tries: int = 300, account: Account | None = None) -> int:
    """How many of so many tries get through right now."""
    return sum(limiter.acquire(account or an_account(), WRITE, share) == 0.0 for _ in range(tries))


def settled(redis: Redis | None, clock: time_machine.Traveller) -> Limiter:
    """A limiter whose first window is over, so that the whole limit is there."""
    limiter = Limiter(redis)
    limiter.acquire(an_account(), WRITE, "write")
    clock.shift(3600)
    return limiter


def test_without_limits_everything_goes() -> None:
    """An account without limits is never asked to wait, and nothing is counted for it."""
    assert Limiter(None).acquire(Account("desk", "https://desk.example", ""), WRITE, "write") == 0.0


@time_machine.travel(START, tick=False)
def test_a_lone_share_takes_the_whole_limit() -> None:
    """Unused shares may be taken: writes alone get all hundred calls, and not one more."""
    assert taken(Limiter(None), "write") == 100


def test_a_window_moves() -> None:
    """Given a limit that is used up, when its oldest calls are a window old, then as many are free again."""
    with time_machine.travel(START, tick=False) as clock:
        limiter = Limiter(None)
        assert taken(limiter, "write", 40) == 40
        clock.shift(30)
        assert taken(limiter, "write") == 60
        clock.shift(31)
        assert taken(limiter, "write") == 40


def test_a_share_that_was_turned_away_is_kept_free() -> None:
    """Given writes that took everything, when a poll was turned away, then its part is nobody else's afterwards."""
    with time_machine.travel(START, tick=False) as clock:
        limiter = Limiter(None)
        assert taken(limiter, "write") == 100
        clock.shift(59)
        assert limiter.acquire(an_account(), WRITE, "poll") > 0
        clock.shift(2)
        assert taken(limiter, "write") == 90
        assert taken(limiter, "poll") == 10


@time_machine.travel(START, tick=False)
def test_the_wait_is_until_something_is_free() -> None:
    """The seconds that are told are those after which the share's oldest call leaves the window."""
    limiter = Limiter(None)
    taken(limiter, "write")
    assert limiter.acquire(an_account(), WRITE, "write") == pytest.approx(60.0, abs=1.0)


@time_machine.travel(START, tick=False)
def test_a_small_limit_is_not_shared() -> None:
    """Of two calls a minute no share can be made: first come, first served."""
    limiter, account = Limiter(None), an_account(Limit("few", 2, 60))
    assert [taken(limiter, share, 1, account) for share in ("poll", "write", "read")] == [1, 1, 0]


@time_machine.travel(START, tick=False)
def test_without_redis_each_process_takes_its_part() -> None:
    """Of four processes each takes a quarter."""
    assert taken(Limiter(None, processes=4), "write") == 25


def test_limits_meet_the_requests_that_they_name() -> None:
    """By method and the beginning of the path, the narrowest first."""
    every, posts, search = Limit("all", 9, 1), Limit("posts", 9, 1, "POST"), Limit("search", 9, 1, "", "/search")
    account = an_account(every, posts, search)
    assert limits_for(account, Request("a", "POST", "/search/x")) == (search, posts, every)
    assert limits_for(account, Request("a", "GET", "/tickets")) == (every,)


@time_machine.travel(START, tick=False)
def test_a_narrow_limit_refuses_before_a_wide_one_counts() -> None:
    """What a narrow limit holds back does not use up the wide one."""
    limiter = Limiter(None)
    account = an_account(Limit("all", 100, 60), Limit("comments", 1, 60, "POST", "/comments"))
    taken(limiter, "write", 50, account)
    other = Request("get", "GET", "/tickets")
    assert sum(limiter.acquire(account, other, "write") == 0.0 for _ in range(200)) == 99


def test_processes_share_the_windows_in_redis(redis: Redis) -> None:
    """Two limiters on one Redis let a hundred calls through between them; another prefix is another world."""
    with time_machine.travel(START, tick=False) as clock:
        first, second = settled(redis, clock), Limiter(redis)
        assert taken(first, "write", 50) == 50
        assert taken(second, "write") == 50
        assert taken(first, "write") == 0
        assert taken(Limiter(redis, prefix="other:"), "write", 1) == 1


def test_a_share_turned_away_elsewhere_is_kept_free(redis: Redis) -> None:
    """Given a poll that another process turned away, then this one does not borrow its part."""
    with time_machine.travel(START, tick=False) as clock:
        first, second = settled(redis, clock), Limiter(redis)
        taken(first, "write")
        clock.shift(61)
        redis.set("limits:wanting/limit/desk/https://desk.example/all/poll", b"1", ex=60)
        assert taken(second, "write") == 90


def test_after_a_loss_a_window_frees_itself_bit_by_bit(redis: Redis) -> None:
    """Given a Redis that lost its data, then nothing is believed to be free, and a half after half the window."""
    with time_machine.travel(START, tick=False) as clock:
        limiter = settled(redis, clock)
        assert taken(limiter, "write") == 100
        redis.flushdb()
        clock.shift(2)
        assert taken(limiter, "write") <= len(SHARES)
        clock.shift(30)
        assert 40 <= taken(limiter, "write") <= 53
        clock.shift(3600)
        assert taken(limiter, "write") == 100


def test_the_wait_after_a_loss_is_short(redis: Redis) -> None:
    """While a window frees itself the next call is soon free, not after a whole window."""
    with time_machine.travel(START, tick=False):
        limiter = Limiter(redis)
        taken(limiter, "write")
        assert limiter.acquire(an_account(), WRITE, "write") <= 2.0


def test_without_an_answer_of_redis_each_counts_alone() -> None:
    """Given a Redis that is gone, then calls go on, carefully: at first a few, later this process's part."""
    with time_machine.travel(START, tick=False) as clock:
        limiter = Limiter(open_redis("redis://127.0.0.1:1/0"), processes=2)
        assert taken(limiter, "write", 50) <= len(SHARES)
        clock.shift(65)
        assert taken(limiter, "write", 60) == 50


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["write", "read", "poll"]), st.floats(0, 20)), max_size=80),
    st.integers(1, 30),
)
def test_a_limit_is_never_broken(calls: list[tuple[Share, float]], amount: int) -> None:
    """Whoever calls and whenever: in no window do more calls go through than the limit says."""
    account = an_account(Limit("all", amount, 60))
    passed: list[float] = []
    with time_machine.travel(START, tick=False) as clock:
        limiter, at = Limiter(None), 0.0
        for share, pause in calls:
            clock.shift(pause)
            at += pause
            if limiter.acquire(account, WRITE, share) == 0.0:
                passed.append(at)
    assert all(sum(start <= it < start + 59.9 for it in passed) <= amount for start in passed)

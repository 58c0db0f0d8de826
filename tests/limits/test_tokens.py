"""Access tokens: fetched once, kept secret, renewed in time, and never a reason to stop when Redis is gone."""

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from pipeline.connector import Account
from pipeline.errors import AuthError, TransientError
from pipeline.limits import open_redis
from pipeline.plan import Answer, Request
from pipeline.tokens import Tokens

LOG_IN = Request("token", "POST", "/oauth/token", root=True, body={"client_secret": "first"})
ACCOUNT = Account("grid", "https://grid.example", "/api", headers={"x-tenant": "t"}, token=LOG_IN)
KEY = "a key of the environment"


class LogIn:
    """A log-in endpoint that numbers its tokens."""

    def __init__(self, expires_in: float = 3600) -> None:
        self.count, self.expires_in = 0, expires_in

    def __call__(self) -> Answer:
        self.count += 1
        body = f'{{"access_token":"token-{self.count}","expires_in":{self.expires_in}}}'
        return Answer(200, {"content-type": "application/json"}, body.encode())


class Clock:
    """Seconds that pass when somebody sleeps or the test says so."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0
        self.on_sleep: Callable[[], None] = lambda: None

    def __call__(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.on_sleep()


def tokens(redis: Redis | None, clock: Clock | None = None, key: str = KEY, prefix: str = "") -> Tokens:
    clock = clock or Clock()
    return Tokens(redis, key, now=clock, sleep=clock.sleep, prefix=prefix)


def lock_of(name: bytes | str) -> str:
    return f"{name.decode() if isinstance(name, bytes) else name}:lock"


def void(_: object) -> None:
    """For a lambda that must give nothing back."""


def bearer(number: int) -> dict[str, str]:
    return {"x-tenant": "t", "authorization": f"Bearer token-{number}"}


def test_an_account_without_tokens_needs_none() -> None:
    """Static headers go through as they are, and nothing is fetched."""
    log_in = LogIn()
    account = Account("desk", "https://desk.example", "", headers={"authorization": "Basic x"})
    assert tokens(None).authorize(account, log_in) == {"authorization": "Basic x"}
    assert log_in.count == 0


def test_a_token_is_renewed_a_minute_early() -> None:
    """Given a token of an hour, then it serves for 59 minutes and is fetched anew after that."""
    clock, log_in = Clock(), LogIn()
    ours = tokens(None, clock)
    assert ours.authorize(ACCOUNT, log_in) == bearer(1)
    clock.seconds += 3539
    assert ours.authorize(ACCOUNT, log_in) == bearer(1)
    clock.seconds += 1
    assert ours.authorize(ACCOUNT, log_in) == bearer(2)


def test_a_short_token_serves_for_half_its_life() -> None:
    """A minute early would be never for a token of a minute."""
    clock, log_in = Clock(), LogIn(expires_in=60)
    ours = tokens(None, clock)
    ours.authorize(ACCOUNT, log_in)
    clock.seconds += 29
    assert ours.authorize(ACCOUNT, log_in) == bearer(1)


def test_eight_threads_fetch_once() -> None:
    """Given eight threads that need a token at once, then one fetches and all get it."""
    barrier, together, counted = threading.Barrier(8), threading.Barrier(2), LogIn()
    ours = Tokens(None, KEY)

    def fetch() -> Answer:
        with contextlib.suppress(threading.BrokenBarrierError):
            together.wait(0.2)  # gives a second fetch the time to come, if there is one
        return counted()

    def authorize(_: int) -> object:
        barrier.wait()
        return ours.authorize(ACCOUNT, fetch)

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(authorize, range(8))) == [bearer(1)] * 8
    assert counted.count == 1


def test_eight_refusals_of_one_token_renew_it_once() -> None:
    """Given a 401 for each of eight threads, then the token that the first one fetched is not thrown away again."""
    ours, log_in = tokens(None), LogIn()
    refused = ours.authorize(ACCOUNT, log_in)
    for _ in range(8):
        ours.drop(ACCOUNT, refused)
        assert ours.authorize(ACCOUNT, log_in) == bearer(2)


def test_processes_share_a_token(redis: Redis) -> None:
    """What one process fetched, the next one finds; under another prefix or key it fetches for itself."""
    log_in = LogIn()
    assert tokens(redis).authorize(ACCOUNT, log_in) == bearer(1)
    assert tokens(redis).authorize(ACCOUNT, log_in) == bearer(1)
    assert tokens(redis, prefix="other:").authorize(ACCOUNT, log_in) == bearer(2)
    assert tokens(redis, key="another key").authorize(ACCOUNT, log_in) == bearer(3)


def test_redis_holds_no_readable_token(redis: Redis) -> None:
    """Neither the token nor the client's secret can be read out of Redis."""
    tokens(redis).authorize(ACCOUNT, LogIn())
    kept = repr([(name, redis.get(name)) for name in redis.keys("*")])
    assert "token:grid:" in kept
    assert "token-1" not in kept
    assert "first" not in kept


def test_a_forged_entry_is_not_believed(redis: Redis) -> None:
    """Whoever can write to Redis cannot make us log in with what he likes."""
    log_in = LogIn()
    tokens(redis).authorize(ACCOUNT, log_in)
    (name,) = redis.keys("token:*")
    for forged in (b"x", b"x" * 80, b""):
        redis.set(name, forged)
        assert tokens(redis).authorize(ACCOUNT, log_in)["authorization"] == f"Bearer token-{log_in.count}"
    assert log_in.count == 4


def test_new_credentials_take_no_old_token(redis: Redis) -> None:
    """After a rotation of the secret the token of the old one is not used."""
    log_in = LogIn()
    tokens(redis).authorize(ACCOUNT, log_in)
    rotated = Request("token", "POST", "/oauth/token", root=True, body={"client_secret": "second"})
    account = Account("grid", "https://grid.example", "/api", headers={"x-tenant": "t"}, token=rotated)
    assert tokens(redis).authorize(account, log_in) == bearer(2)


def test_a_refused_token_is_not_taken_from_redis_again(redis: Redis) -> None:
    """Given a token that a 401 came back for, then the copy in Redis is not believed; a newer one there is."""
    log_in = LogIn()
    first, second = tokens(redis), tokens(redis)
    refused = first.authorize(ACCOUNT, log_in)
    assert second.authorize(ACCOUNT, log_in) == refused
    first.drop(ACCOUNT, refused)
    assert first.authorize(ACCOUNT, log_in) == bearer(2)
    second.drop(ACCOUNT, refused)
    assert second.authorize(ACCOUNT, log_in) == bearer(2)


def test_the_others_wait_for_the_one_who_renews(redis: Redis) -> None:
    """Given a lock that another process holds, when its token comes within two seconds, then it is taken."""
    clock, log_in = Clock(), LogIn()
    ours = tokens(redis, clock)
    tokens(redis, clock).authorize(ACCOUNT, log_in)
    (name,) = redis.keys("token:*")
    redis.rename(name, "put aside")
    redis.set(lock_of(name), b"1")
    clock.on_sleep = lambda: void(redis.rename("put aside", name))
    assert ours.authorize(ACCOUNT, log_in) == bearer(1)
    assert log_in.count == 1


def test_nobody_waits_for_ever(redis: Redis) -> None:
    """Given a holder that died, then after two seconds the token is fetched all the same."""
    clock, log_in = Clock(), LogIn()
    ours = tokens(redis, clock)
    ours.authorize(ACCOUNT, log_in)
    (name,) = redis.keys("token:*")
    redis.delete(name)
    redis.set(lock_of(name), b"1")
    before = clock.seconds
    assert tokens(redis, clock).authorize(ACCOUNT, log_in) == bearer(2)
    assert 2.0 <= clock.seconds - before < 3.0


def test_the_lock_is_given_back(redis: Redis) -> None:
    """Also after a fetch that failed."""
    with pytest.raises(AuthError):
        tokens(redis).authorize(ACCOUNT, lambda: Answer(401, {}, b""))
    assert redis.keys("*:lock") == []


def test_without_redis_a_token_is_fetched() -> None:
    """A Redis that is gone costs a fetch and nothing else."""
    gone = open_redis("redis://127.0.0.1:1/0")
    assert tokens(gone).authorize(ACCOUNT, LogIn()) == bearer(1)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(400, {}, b'{"error":"invalid_client"}'), AuthError),
        (Answer(401, {}, b""), AuthError),
        (Answer(403, {}, b""), AuthError),
        (Answer(503, {"retry-after": "9"}, b""), TransientError),
        (Answer(200, {}, b"<html>"), TransientError),
        (Answer(200, {}, b"[]"), TransientError),
        (Answer(200, {}, b"{}"), TransientError),
    ],
)
def test_a_log_in_that_fails_says_how(answer: Answer, error: type[Exception]) -> None:
    """A refusal is for a person, all else for later; neither quotes the answer, which may hold secrets."""
    with pytest.raises(error) as raised:
        tokens(None).authorize(ACCOUNT, lambda: answer)
    assert type(raised.value) is error
    assert "invalid_client" not in str(raised.value)

"""Tasks: ten lines around a stage each; they hint after the commit, to one queue, and never wait for Redis."""

import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from celery import Celery
from kombu import Connection
from psycopg_pool import ConnectionPool

from pipeline.bell import RedisBell
from pipeline.config import Config
from pipeline.connectors import discover
from pipeline.limits import open_redis
from pipeline.stages.drain import Drained
from pipeline.stages.ingest import Ingested
from pipeline.store.pool import Conn, open_pool
from schemas.change import ChangeKind
from tests.service.scenes import append as append_to_lanes
from tests.service.scenes import create, make, open_case
from tests.stages.routes import change, flow, read
from workers import sweeper
from workers.app import dead_queue_names, deselect_dead_queues, make_app, queue_names
from workers.hints import Hints, route
from workers.tasks import dispatch, ingest, sweeps, transform


@dataclass
class Recorder:
    """Stands for Hints: what was hinted, and what `look` saw at that moment."""

    look: Callable[[], Any] = lambda: None
    woken: list[str] = field(default_factory=list)
    published: list[str] = field(default_factory=list)
    buried: list[tuple[str, int]] = field(default_factory=list)
    seen: list[Any] = field(default_factory=list)

    def wake(self, names: Iterable[str]) -> None:
        names = sorted(names)
        if names:
            self.seen.append(self.look())
        self.woken += names

    def publish(self, name: str) -> None:
        self.published.append(name)

    def bury(self, letters: Iterable[tuple[str, int]]) -> int:
        self.buried += letters
        return 0


@dataclass
class World:
    """The process's world with a real ledger; stages are scripted by the tests."""

    pool: ConnectionPool[Conn]
    bell: Any
    drained: Drained = field(default_factory=lambda: Drained("gemini"))
    connectors: tuple[str, ...] = ("gemini", "trading_grid", "zendesk")

    @property
    def flows(self) -> Any:
        return [flow()]

    @property
    def active(self) -> tuple[int | None, Config]:
        return None, Config()

    def connection(self) -> AbstractContextManager[Conn]:
        return self.pool.connection()

    def drain(self, _conn: Conn, _target: str) -> Any:
        return SimpleNamespace(run=lambda: self.drained)

    def reader(self, name: str) -> str:
        return name


class Bell:
    """Remembers calls; silent."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []

    def __getattr__(self, call: str) -> Callable[..., bool]:
        def remember(name: str, *_: Any) -> bool:
            self.calls.append((call, name))
            return False

        return remember


@pytest.fixture
def world(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A world for all task modules."""
    with open_pool(database_url, size=4) as pool:
        made = World(pool, Bell())
        with pool.connection() as conn:
            open_case(conn)
        for module in (dispatch, ingest, sweeps, transform, sweeper):
            monkeypatch.setattr(module, "world", lambda: made)
        yield made


@pytest.fixture
def hinted(world: World, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """What the tasks hint."""
    recorder = Recorder()
    for module in (dispatch, ingest, sweeps, transform, sweeper):
        monkeypatch.setattr(module, "hints", lambda: recorder)
    return recorder


def count(world: World, statement: str) -> Callable[[], int]:
    """What another connection sees: only what is committed."""

    def look() -> int:
        with world.connection() as conn:
            row = conn.execute(statement.encode()).fetchone()
            assert row is not None
            return int(row[0])

    return look


def test_a_drains_task_hints_whom_its_settles_concern(world: World, hinted: Recorder) -> None:
    """Targets with new work, its dead letters, and itself where it was not done."""
    world.drained = Drained("gemini", 48, 2, 1, 1.9, unfinished=True, ring={"zendesk"}, dead_letters=[7])
    assert dispatch.drain("gemini") == "gemini: 48 delivered, 2 to retry, 1 dead in 1.9 s"
    assert hinted.woken == ["zendesk", "gemini"]
    assert hinted.buried == [("gemini", 7)]


def test_an_overloaded_drain_calls_a_second_one(world: World, hinted: Recorder) -> None:
    """By a hint past the bell: the way is its own."""
    world.drained = Drained("gemini", wants_help=True)
    dispatch.drain("gemini")
    assert hinted.published == ["gemini"]


def test_a_readers_task_hints_transform_and_itself(world: World, hinted: Recorder, monkeypatch: Any) -> None:
    """Changes wake transform; what was left unread wakes the reader; the way is free before it looks."""
    monkeypatch.setattr(ingest, "ingest", lambda _: Ingested("zendesk", 2, 3, again=True, dead_letters=[4]))
    ingest.read("zendesk")
    assert hinted.woken == ["transform", "ingest.zendesk"]
    assert hinted.buried == [("ingest", 4)]
    assert world.bell.calls[0] == ("leave", "ingest.zendesk")


def test_a_reader_that_found_nothing_hints_nobody(world: World, hinted: Recorder, monkeypatch: Any) -> None:
    """Ten thousand empty readings cost no message."""
    monkeypatch.setattr(ingest, "ingest", lambda _: Ingested("zendesk", 2))
    ingest.read("zendesk")
    assert hinted.woken == []


def test_targets_are_hinted_after_the_commit(world: World, hinted: Recorder) -> None:
    """A drain that starts at once finds the deliveries."""
    hinted.look = count(world, "select count(*) from delivery")
    with world.connection() as conn:
        read(conn, change("c0", ChangeKind.OPENED))
    transform.transform_changes()
    assert hinted.woken == ["gemini", "trading_grid"]
    assert hinted.seen == [2]


def test_transform_leaves_its_way_before_it_asks_for_a_successor(
    world: World, hinted: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else nobody would publish the hint, and what is left would wait for a sweep."""
    monkeypatch.setattr(transform, "RUN_SECONDS", 0.0)
    transform.transform_changes()
    assert hinted.woken == ["transform"]
    assert world.bell.calls[-1] == ("leave", "transform")


def test_a_sweep_hints_what_is_due_everywhere(world: World, hinted: Recorder) -> None:
    """Objects to read, changes to route, lanes to drain, and lanes that a crash left asleep."""
    need = create()
    with world.connection() as conn:
        read(conn, change("c0"))
        conn.execute("insert into source_object (source, object, due) values ('zendesk', 'ticket:1', casebridge.now())")
        append_to_lanes(conn, need, make("dependant", target="zendesk", needs=(need,)))
        conn.execute("update lane set head = tail, intent = tail, due = null where target = 'gemini'")
    assert sweeps.sweep() == "sweep: ingest.zendesk, transform, zendesk"
    assert hinted.woken == ["ingest.zendesk", "transform", "zendesk"]


def test_the_sweeper_hints_after_its_commit(world: World, hinted: Recorder) -> None:
    """A drain that is hinted before the commit would find the woken lane still asleep."""
    need = create()
    hinted.look = count(world, "select count(*) from lane where target = 'zendesk' and due is not null")
    with world.connection() as conn:
        append_to_lanes(conn, need, make("dependant", target="zendesk", needs=(need,)))
        conn.execute("update lane set head = tail, intent = tail, due = null where target = 'gemini'")
    sweeper.sweep_once()
    assert hinted.woken == ["zendesk"]
    assert hinted.seen == [1]


def test_two_sweepers_are_one(world: World, hinted: Recorder) -> None:
    """While one sweeps the other does nothing: as many workers as one likes, one sweep at a time."""
    with world.connection() as conn, conn.transaction():
        read(conn, change("c0"))
        conn.execute("select pg_advisory_xact_lock(%s)", [sweeper.LOCK])
        sweeper.sweep_once()
    assert hinted.woken == []


SETTINGS = {  # reliability.md 2.1
    "result_backend": None,
    "task_ignore_result": True,
    "task_serializer": "json",
    "accept_content": ["json"],
    "task_acks_late": True,
    "task_acks_on_failure": True,
    "task_acks_on_timeout": True,
    "task_reject_on_worker_lost": False,
    "worker_prefetch_multiplier": 1,
    "worker_eta_task_limit": 50,
    "task_soft_time_limit": 45,
    "task_time_limit": 60,
    "task_create_missing_queues": False,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "broker_pool_acquire_timeout": 5,
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "worker_soft_shutdown_timeout": 20,
    "worker_max_tasks_per_child": 2000,
    "worker_max_memory_per_child": 200_000,
    "worker_deduplicate_successful_tasks": False,
    "task_send_sent_event": False,
    "enable_utc": True,
    "timezone": "UTC",
}
TRANSPORT = {
    "visibility_timeout": 300,
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 3,
    "socket_timeout": 10,
    "socket_connect_timeout": 3,
    "socket_keepalive": True,
    "health_check_interval": 15,
    "retry_on_timeout": False,
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.2,
    "queue_order_strategy": "round_robin",
    "priority_steps": [0],
}


@pytest.mark.parametrize(("name", "value"), SETTINGS.items())
def test_celery_is_set_as_chosen(name: str, value: object) -> None:
    """Each of these has its reason in reliability.md 2; a changed default must not slip in."""
    assert make_app("redis://127.0.0.1:1/0").conf[name] == value


def test_the_transport_is_set_as_chosen() -> None:
    """One visibility time-out in all processes, bounded waits, no replayed writes."""
    options = make_app("redis://127.0.0.1:1/0", prefix="pipe:").conf.broker_transport_options
    assert {name: options[name] for name in TRANSPORT} == TRANSPORT
    assert options["global_keyprefix"] == "pipe:"


def test_beat_entries_expire_before_their_successors() -> None:
    """Two beats, or one that was away, pile nothing up."""
    for entry in make_app("redis://127.0.0.1:1/0", sweep_seconds=5).conf.beat_schedule.values():
        assert entry["options"] == {"queue": "sweep", "expires": entry["schedule"]}


@pytest.mark.parametrize(
    ("name", "queue"),
    [("transform", "transform"), ("ingest.gemini", "ingest"), ("zendesk", "dispatch.zendesk")],
)
def test_a_hint_reaches_exactly_one_queue(redis_url: str, name: str, queue: str) -> None:
    """Declared with an exchange and key of its own: with the default ones a message reaches every queue."""
    app = make_app(redis_url, prefix=f"test-{name}-{queue}:")
    hints = Hints(app, RedisBell(open_redis(redis_url), prefix="test"))
    hints.publish(name)
    depths = {one: hints.depth(one) for one in (*queue_names(), *dead_queue_names())}
    hints.empty(queue)
    app.close()
    assert {one: depth for one, depth in depths.items() if depth} == {queue: 1}
    assert route(name)[0] in {"casebridge.transform", "casebridge.read_gemini", "casebridge.drain_zendesk"}


def test_a_name_that_nobody_serves_is_refused() -> None:
    """A typo fails loudly instead of filling a queue that nobody consumes."""
    with pytest.raises(ValueError, match="expected transform"):
        route("zendsek")


def test_a_worker_without_queues_of_its_own_consumes_no_dead_one() -> None:
    """Dead queues are consumed by whoever asks for them by name alone."""
    app = make_app("memory://")
    deselect_dead_queues(SimpleNamespace(app=app), {})
    assert set(app.amqp.queues.consume_from) == set(queue_names())
    asked = make_app("memory://")
    deselect_dead_queues(SimpleNamespace(app=asked), {"queues": "dead.zendesk"})
    assert set(dead_queue_names()) <= set(asked.amqp.queues.consume_from)
    assert {f"dead.{name}" for name in discover()} <= set(dead_queue_names())


@pytest.fixture
def nobody() -> str:
    """The address of a Redis that is not there."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"redis://127.0.0.1:{taken.getsockname()[1]}/0"


def test_hints_to_a_redis_that_is_away_are_left_to_the_sweep(nobody: str) -> None:
    """No hint, no letter, no depth: never an error, so that no drain ends by one."""
    app: Celery = make_app(nobody)
    hints = Hints(app, RedisBell(open_redis(nobody)))
    hints.wake(["transform", "zendesk"])
    hints.publish("transform")
    assert hints.bury([("zendesk", 1)]) == 0
    assert hints.depth("dead.zendesk") == 0
    hints.empty("dead.zendesk")
    assert isinstance(app.connection_for_write(), Connection)
    app.close()

"""The Celery application: settings with their reasons (reliability.md 2.1), queues as fixed in decisions D13."""

import os
import socket
from collections.abc import Iterable
from typing import Any

from celery import Celery, signals
from kombu import Exchange, Queue

from pipeline.connectors import discover
from pipeline.environment import read, redis_options
from workers.schedule import beat_schedule

STAGES = ("ingest", "transform")
DEAD = "dead"


def queue_names() -> tuple[str, ...]:
    """The queues that workers consume: stages, one a target, sweeps."""
    return (*STAGES, *(f"dispatch.{name}" for name in discover()), "sweep")


def dead_queue_names() -> tuple[str, ...]:
    """The queues that nobody consumes in normal running; `LLEN` and `casebridge status` show their depth."""
    return tuple(f"{DEAD}.{name}" for name in (*STAGES, *discover()))


def declared(names: Iterable[str]) -> tuple[Queue, ...]:
    """Each queue with an exchange and key of its own: a bare Queue shares the default key with all the others."""
    return tuple(Queue(name, Exchange(name), routing_key=name) for name in names)


def make_app(
    redis_url: str, *, prefix: str = "", sweep_seconds: float = 5.0, tls: dict[str, Any] | None = None
) -> Celery:
    """A configured application; nothing is connected yet."""
    app = Celery(
        "casebridge",
        broker=redis_url or "memory://",
        set_as_current=True,
        include=["workers.tasks", "workers.sweeper", "workers.log"],
    )
    app.conf.update(
        # Truth is in PostgreSQL: results in Redis would be written and expired for nothing.
        result_backend=None,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        event_serializer="json",
        # A hint is acknowledged when its drain has ended; losing or repeating it does nothing.
        task_acks_late=True,
        task_acks_on_failure=True,
        task_acks_on_timeout=True,
        task_reject_on_worker_lost=False,  # True: a task that kills its worker loops for ever (celery #9082)
        worker_prefetch_multiplier=1,
        worker_eta_task_limit=50,  # a fuse: nothing here uses ETA or countdown
        task_soft_time_limit=45,
        task_time_limit=60,
        task_create_missing_queues=False,  # a typo fails loudly
        task_publish_retry=True,
        task_publish_retry_policy={"max_retries": 1, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.2},
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,  # never give up
        broker_pool_limit=4,
        broker_pool_acquire_timeout=5,  # the default waits for ever
        worker_cancel_long_running_tasks_on_connection_loss=False,  # let it settle; its hint comes again as a no-op
        worker_soft_shutdown_timeout=20,
        worker_enable_soft_shutdown_on_idle=True,
        worker_max_tasks_per_child=2000,
        worker_max_memory_per_child=200_000,  # kB
        worker_deduplicate_successful_tasks=False,
        # Tasks are few (one a drain, not one an event), so Flower may see them.
        worker_send_task_events=True,
        task_send_sent_event=False,
        worker_hijack_root_logger=False,
        enable_utc=True,
        timezone="UTC",
        task_queues=declared([*queue_names(), *dead_queue_names()]),
        task_default_queue="sweep",
        beat_schedule=beat_schedule(sweep_seconds),
        broker_transport_options=_transport_options(prefix),
    )
    if tls:
        app.conf.broker_use_ssl = tls
    return app


def _transport_options(prefix: str) -> dict[str, Any]:
    return {
        "visibility_timeout": 300,  # one value in every process: the keys are shared by all queues
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 3,
        "socket_timeout": 10,  # without it a publish hangs for ever on a half-open socket
        "socket_connect_timeout": 3,
        "socket_keepalive": True,
        "health_check_interval": 15,
        "retry_on_timeout": False,  # would replay writes
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0.2,
        "global_keyprefix": prefix,
        "queue_order_strategy": "round_robin",
        "priority_steps": [0],
        "client_name": f"casebridge@{socket.gethostname()}",
    }


@signals.celeryd_init.connect
def deselect_dead_queues(instance: Any = None, options: dict[str, Any] | None = None, **_: Any) -> None:
    """A worker without -Q consumes every queue but the dead ones (decisions D13)."""
    if instance is not None and not (options or {}).get("queues"):
        instance.app.amqp.queues.select([*queue_names()])


def _tls() -> dict[str, Any]:
    """broker_use_ssl for a `rediss://` address; nothing else of the environment is read here."""
    if not os.environ.get("REDIS_URL", "").startswith("rediss://"):
        return {}
    options: dict[str, Any] = redis_options(read(os.environ, discover()))["celery"]["broker_use_ssl"]
    return options


app = make_app(
    os.environ.get("REDIS_URL", ""),
    tls=_tls(),
    prefix=os.environ.get("CASEBRIDGE_REDIS_PREFIX", ""),
    sweep_seconds=float(os.environ.get("CASEBRIDGE_SWEEP_SECONDS", "5")),
)

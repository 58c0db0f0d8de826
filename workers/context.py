"""The world of this worker process: made when the worker starts, or by the first task of a forked child."""

import os
import sys
import threading

import psycopg
from celery import signals
from psycopg_pool import PoolTimeout

from pipeline.bell import RedisBell
from pipeline.connectors import discover
from pipeline.environment import read
from pipeline.errors import CasebridgeError
from workers.app import app
from workers.bootstrap import World
from workers.hints import Hints

_lock = threading.Lock()
_made: dict[int, World] = {}  # by process id: a forked child must not use its parent's connections


def world() -> World:
    """The process's World."""
    with _lock:
        if os.getpid() not in _made:
            made = World(read(os.environ, discover()))
            made.first_start()
            _made[os.getpid()] = made
        return _made[os.getpid()]


def made_world() -> World | None:
    """The process's World if there is one already."""
    return _made.get(os.getpid())


def hints() -> Hints:
    """The process's way to ring and to publish."""
    bell = world().bell
    assert isinstance(bell, RedisBell)
    return Hints(app, bell)


@signals.worker_init.connect
def start(**_: object) -> None:
    """A wrong configuration or an unreachable database stops a worker at its start, with one clear message."""
    try:
        world()
    except CasebridgeError as error:
        _refuse(str(error))
    except (psycopg.Error, PoolTimeout) as error:
        _refuse(f"the database cannot be reached: {error}\nLook at DATABASE_URL, then run `casebridge check`.")


def _refuse(message: str) -> None:
    print(message, file=sys.stderr)  # noqa: T201 -- logging is not set up yet, and the reader is at a terminal
    os._exit(2)  # Celery would go on in its bootsteps after a SystemExit in a signal

"""The world of this worker process, made when the first task needs it."""

import os
from functools import cache

from pipeline.bell import RedisBell
from pipeline.connectors import discover
from pipeline.environment import read
from workers.app import app
from workers.bootstrap import World
from workers.hints import Hints


@cache
def world() -> World:
    """The process's World; a prefork child makes its own."""
    made = World(read(os.environ, discover()), os.environ)
    made.first_start()
    return made


@cache
def hints() -> Hints:
    """The process's way to ring and to publish."""
    bell = world().bell
    assert isinstance(bell, RedisBell)
    return Hints(app, bell)

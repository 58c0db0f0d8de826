"""Runs the web process and kills it, hard, just before or just after its first commit (faults F6 and F7)."""

import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

from pipeline.store import signals
from workers.web.server import serve

WHEN, PORT = sys.argv[1], int(sys.argv[2])
receive = signals.receive


def dying(conn: Any, batch: Sequence[Any]) -> Any:
    """The store's own function; autocommit makes it one commit."""
    if WHEN == "after":
        receive(conn, batch)
    os.kill(os.getpid(), signal.SIGKILL)


if WHEN != "never":
    signals.receive = dying
serve("127.0.0.1", PORT)

"""A worker's stages in a process of its own that tells how much memory its peak grew: started by test_documents.py."""

import os
import sys
from pathlib import Path

from pipeline.connectors import discover
from pipeline.environment import read
from workers.bootstrap import World
from workers.inprocess import run_until_quiet


def main() -> None:
    """For each line that comes: work until nothing is due, then say the peak so far in bytes."""
    world = World(read(os.environ, discover()), broker=False, pool_size=10)
    try:
        for _ in sys.stdin:
            with world.connection() as conn:
                conn.execute("update source_object set due = casebridge.now() where object = '*' and nonce is null")
            run_until_quiet(world, seconds=120)
            sys.stdout.write(f"{peak()}\n")
            sys.stdout.flush()
    finally:
        world.close()


def peak() -> int:
    """The most resident memory so far. Not from getrusage: that peak begins with what the parent process had."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


if __name__ == "__main__":
    main()

"""`python -m sandbox`: the three systems on three ports, in one process, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from sandbox.gemini import app as gemini
from sandbox.kit.app import Kit
from sandbox.kit.serve import LOOPBACK, listen, server
from sandbox.trading_grid import app as trading_grid
from sandbox.zendesk import app as zendesk

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_PATIENCE = 0.5  # seconds that open requests have to end after SIGTERM

SYSTEMS = {"trading_grid": trading_grid.create, "gemini": gemini.create, "zendesk": zendesk.create}
ROOTS = {"trading_grid": "", "gemini": "/gemini", "zendesk": ""}


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--host", default=LOOPBACK, help="address to listen on (default %(default)s)")
    parser.add_argument("--trading-grid-port", type=int, default=8101, help="0 takes a free port")
    parser.add_argument("--gemini-port", type=int, default=8102, help="0 takes a free port")
    parser.add_argument("--zendesk-port", type=int, default=8103, help="0 takes a free port")
    parser.add_argument("--hooks-to", metavar="URL", help="base address that receives the webhooks")
    parser.add_argument("--journal", type=Path, metavar="DIR", help="where effect and wire logs are written")
    parser.add_argument("--die-with-parent", action="store_true", help="end when the starter ends (Linux)")
    return parser.parse_args(argv)


async def serve(options: argparse.Namespace) -> None:
    """Listen on the three ports, say where on one line of standard output, and serve until told to stop."""
    kits = {name: Kit.create(name, options.journal, options.hooks_to) for name in SYSTEMS}
    apps: dict[str, Starlette] = {name: create(kits[name]) for name, create in SYSTEMS.items()}
    sockets = {name: listen(getattr(options, f"{name}_port"), options.host) for name in SYSTEMS}
    servers = {name: server(app) for name, app in apps.items()}
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, _stop, list(servers.values()))
    addresses = {
        name: f"http://{options.host}:{listener.getsockname()[1]}{ROOTS[name]}" for name, listener in sockets.items()
    }
    sys.stdout.write(json.dumps(addresses) + "\n")  # the sockets listen: a caller may connect from here on
    sys.stdout.flush()
    await asyncio.gather(*(servers[name].serve(sockets=[sockets[name]]) for name in SYSTEMS))
    for kit in kits.values():
        kit.close()


def _stop(servers: list[uvicorn.Server]) -> None:
    """End the servers: idle connections at once, busy ones after a short patience."""
    for running in servers:
        running.should_exit = True
    asyncio.get_running_loop().call_later(_PATIENCE, _force, servers)


def _force(servers: list[uvicorn.Server]) -> None:
    for running in servers:
        running.force_exit = True


def _die_with_parent() -> None:
    """Have the kernel send SIGTERM when the starting process ends; elsewhere than on Linux, nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the sandbox; returns the exit code."""
    options = arguments(argv)
    if options.die_with_parent:
        _die_with_parent()
    asyncio.run(serve(options))
    return 0


if __name__ == "__main__":
    sys.exit(main())

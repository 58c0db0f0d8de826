"""uvicorn with our settings: bounded connections, no access log, no header of a proxy believed unless told so."""

import os
import resource
import signal

import uvicorn
from starlette.applications import Starlette

from workers.web.protocol import BoundedProtocol

CONNECTIONS = 4_000
FILES = CONNECTIONS + 200
KEEP_ALIVE_SECONDS = 75  # longer than routers keep theirs, so that they, not we, close an idle connection
STOP_SECONDS = 5  # for answers that are on their way


def serve(host: str, port: int, app: Starlette | None = None) -> None:
    """Serve until SIGTERM or SIGINT; returns when the last answer is out. `app` None: that of the environment."""
    _allow_files()
    # uvicorn raises the signal again when it has stopped; ended on purpose is no failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    uvicorn.Server(configuration(host, port, app)).run()


def configuration(host: str, port: int, app: Starlette | None = None) -> uvicorn.Config:
    """uvicorn's settings; proxy headers count only from the addresses in FORWARDED_ALLOW_IPS."""
    forwarded = os.environ.get("FORWARDED_ALLOW_IPS")
    return uvicorn.Config(
        app or "workers.web.app:create_app",
        factory=app is None,
        host=host,
        port=port,
        http=BoundedProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,  # a webhook's path may hold its secret
        server_header=False,
        proxy_headers=bool(forwarded),
        forwarded_allow_ips=forwarded or "",
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
        h11_max_incomplete_event_size=32 * 1024,
    )


def _allow_files() -> None:
    """As many open files as there may be connections, where the system lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))

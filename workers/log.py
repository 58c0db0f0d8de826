"""Log lines: JSON where a machine reads them, colours at a terminal; what `extra` holds stands in the line."""

import logging
import sys
from typing import Any

import structlog
from celery import signals

SHARED = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)
QUIET = ("celery.app.trace", "celery.worker.strategy", "celery.redirected", "urllib3", "kombu")  # warnings still come


def set_up(level: int = logging.INFO) -> None:
    """One handler on stderr for everything in this process."""
    renderer: Any = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=SHARED,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


@signals.setup_logging.connect
def for_celery(loglevel: int | str | None = None, **_: Any) -> None:
    """Celery keeps its hands off logging when somebody answers this signal."""
    set_up(loglevel if isinstance(loglevel, int) else logging.getLevelName(loglevel or "INFO"))

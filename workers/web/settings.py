"""What the web process is told, beside what every process is told."""

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.environment import Environment

BODY_LIMIT = 1024 * 1024  # bytes; a webhook of the three systems is a few kB
SMALLEST_BODY_LIMIT = 1024


@dataclass(frozen=True)
class WebSettings:
    """Sizes are bytes, times seconds.

    `room_requests` and `room_bytes` bound what is in hand at once; beyond them the answer is 503 with Retry-After.
    """

    body_limit: int = BODY_LIMIT
    body_seconds: float = 10.0
    store_seconds: float = 8.0  # senders give up after about ten
    room_requests: int = 2_000
    room_bytes: int = 128 * 1024 * 1024
    metrics_token: str = ""
    public_url: str = ""
    flower_url: str = ""
    trust_forwarded: bool = False

    @classmethod
    def of(cls, environment: Environment, env: Mapping[str, str]) -> "WebSettings":
        """From the environment; a body limit that is no number, or below 1 kB, counts as not given."""
        given = env.get("CASEBRIDGE_HOOK_MAX_BYTES", "")
        limit = int(given) if given.isascii() and given.isdigit() else 0
        return cls(
            body_limit=limit if limit >= SMALLEST_BODY_LIMIT else BODY_LIMIT,
            metrics_token=environment.metrics_token or "",
            public_url=environment.public_url or "",
            flower_url=env.get("CASEBRIDGE_FLOWER_URL", ""),
            trust_forwarded=bool(env.get("FORWARDED_ALLOW_IPS")),
        )

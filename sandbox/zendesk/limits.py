"""Rate limits by the sandbox clock: moving windows that refuse, and the headers that every answer carries."""

from __future__ import annotations

import math
from collections import deque

from .account import Account
from .errors import too_many

ACCOUNT_TOTAL = 100_000
"""Requests a minute that the headers promise while the account's limit is off (no account may do more)."""
TICKET_TOTAL = 30
TICKET_SECONDS = 600.0
_MINUTE = 60.0


def spend(account: Account, limit: str, key: tuple[object, ...], total: int, seconds: float = _MINUTE) -> None:
    """Count one request in the moving window of `key`; raises ApiError 429 (not counted) when it is full."""
    now = account.now().timestamp()
    window = account.windows.setdefault((limit, *key), deque())
    while window and not 0 <= now - window[0] < seconds:
        window.popleft()
    if len(window) >= total:
        raise too_many(limit, total, max(1, math.ceil(window[0] + seconds - now)))
    window.append(now)


def request(account: Account, path: str) -> dict[str, str]:
    """Count one API request; returns the account's rate-limit headers.

    Raises ApiError 429 when the account's limit, or that of `/incremental/*`, is on and used up.
    """
    total = account.settings.account_per_minute
    now = account.now().timestamp()
    minute = int(now // _MINUTE)
    used = account.minute_used[1] + 1 if account.minute_used[0] == minute else 1
    account.minute_used = (minute, used)
    if total is not None:
        spend(account, "account", (), total)
    if "/incremental/" in path and account.settings.incremental_per_minute is not None:
        spend(account, "incremental-exports", (), account.settings.incremental_per_minute)
    shown = total or ACCOUNT_TOTAL
    left = str(max(0, shown - used))
    return {
        "x-rate-limit": str(shown),
        "x-rate-limit-remaining": left,
        "ratelimit-limit": str(shown),
        "ratelimit-remaining": left,
        "ratelimit-reset": str(math.ceil(_MINUTE - now % _MINUTE)),
    }


def update(account: Account, user_id: int, ticket_id: int) -> None:
    """Count one update of a ticket: 30 in 10 minutes a user and ticket, and the account's updates a minute.

    A refused update (409, 422) has been counted too: a loop of retries spends the limit.
    """
    if account.settings.per_ticket_limit:
        spend(account, "per-ticket-updates", (user_id, ticket_id), TICKET_TOTAL, TICKET_SECONDS)
    if account.settings.updates_per_minute is not None:
        spend(account, "tickets-update", (), account.settings.updates_per_minute)

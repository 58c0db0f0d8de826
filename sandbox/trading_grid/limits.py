"""The rate limit of the contract: 600 requests a minute for each client, with a burst of 50; off unless switched on."""

from __future__ import annotations

import math
from datetime import timedelta
from email.utils import format_datetime

from sandbox.trading_grid.principals import Principal
from sandbox.trading_grid.problems import Problem
from sandbox.trading_grid.state import Grid


def take(grid: Grid, who: Principal) -> dict[str, str]:
    """Take one token of the client's bucket and give the RateLimit headers; raises 429 when it is empty."""
    switches = grid.switches
    if not switches.rate_limit:
        return {}
    now = grid.now()
    per_second = switches.requests_per_minute / 60
    left, since = grid.limited.get(who.key, (float(switches.burst), now))
    left = min(float(switches.burst), left + (now - since).total_seconds() * per_second)
    refill = math.ceil((switches.burst - left) / per_second)
    if left < 1:
        grid.limited[who.key] = (left, now)
        wait = max(1, math.ceil((1 - left) / per_second))
        after = str(wait)
        if switches.retry_after_as_date:
            # HTTP dates have whole seconds: the next one, so that waiting until it is enough.
            after = format_datetime((now + timedelta(seconds=wait + 1)).replace(microsecond=0), usegmt=True)
        headers = {"Retry-After": after, "RateLimit-Remaining": "0", "RateLimit-Reset": str(refill)}
        raise Problem("rate_limited", headers=headers)
    grid.limited[who.key] = (left - 1, now)
    return {"RateLimit-Remaining": str(int(left - 1)), "RateLimit-Reset": str(refill)}

"""Webhooks out: queued, delivered by a few threads, and spoilt on demand."""

from __future__ import annotations

import heapq
import http.client
import itertools
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

Headers = Mapping[str, str] | Callable[[], Mapping[str, str]]
Retry = Callable[[int, int | None, Mapping[str, str]], float | None]
"""(attempts so far, status or None, answer headers) -> seconds until the next attempt, or None: give up."""

LANES = 4
TIME_OUT = 10.0
_OLD = timedelta(days=3)
_PAIR_WAIT = 1.0
_SWAP_GAP = 0.05  # seconds: the two hooks of a swapped pair may lie in different lanes


@dataclass(frozen=True, slots=True)
class Switches:
    """How deliveries are spoilt; rates are 0..1."""

    duplicate: float = 0.0
    reorder: bool = False
    drop: float = 0.0
    delay_seconds: float = 0.0
    bad_signature: float = 0.0
    old_timestamp: bool = False


@dataclass(slots=True)
class _Job:
    path: str
    headers: Headers
    body: bytes
    obj: str
    retry: Retry | None
    attempts: int = 0


class _Lane(threading.Thread):
    """One worker and its queue, ordered by due time and then by arrival."""

    def __init__(self, deliver: Callable[[_Job], float | None], name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._deliver = deliver
        self._due: list[tuple[float, int, _Job]] = []
        self._serial = itertools.count()
        self._wake = threading.Condition()
        self.busy = 0

    def put(self, job: _Job, delay: float) -> None:
        """Queue a job for `delay` seconds from now."""
        with self._wake:
            heapq.heappush(self._due, (time.monotonic() + delay, next(self._serial), job))
            self.busy += 1
            self._wake.notify()

    def run(self) -> None:
        """Deliver for ever (a daemon: ends with the process)."""
        while True:
            job = self._next()
            again = self._deliver(job)
            if again is not None:
                self.put(job, again)
            with self._wake:
                self.busy -= 1

    def _next(self) -> _Job:
        with self._wake:
            while True:
                wait = self._due[0][0] - time.monotonic() if self._due else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._due)[2]
                self._wake.wait(wait)


class Hooks:
    """Sends webhooks to `base_url`; without one, they are only kept in `deliveries()`.

    Deliveries about the same `obj` keep their order, as long as no switch and no retry disturbs it.
    """

    def __init__(self, base_url: str | None, *, now: Callable[[], datetime]) -> None:
        self.base_url = base_url
        self.switches = Switches()
        self._now = now
        self._random = random.Random(1)  # noqa: S311 -- reproducible chance, not a secret
        self._log: deque[dict[str, Any]] = deque(maxlen=10_000)
        self._count = 0
        self._lock = threading.Lock()
        self._held: tuple[_Lane, _Job, threading.Timer] | None = None
        self._lanes: list[_Lane] = []

    def stamp(self) -> datetime:
        """The time to sign with: now, or three days ago while `old_timestamp` is on."""
        return self._now() - _OLD if self.switches.old_timestamp else self._now()

    def send(self, path: str, headers: Headers, body: bytes, *, obj: str = "", retry: Retry | None = None) -> None:
        """Queue one webhook about `obj`; a callable `headers` is asked anew at each attempt.

        Call `stamp()` inside it for the signed time. Without `retry` nothing is ever sent again.
        """
        chosen = self.switches
        if self._random.random() < chosen.drop:
            self._note(path, obj, None, "dropped")
            return
        job = _Job(path, headers, body, obj, retry)
        self._enqueue(job, chosen)
        if self._random.random() < chosen.duplicate:
            self._enqueue(replace(job), chosen)

    def set(self, **changes: Any) -> Switches:
        """Change some switches; raises ValueError on an unknown name."""
        unknown = set(changes) - {item.name for item in fields(Switches)}
        if unknown:
            raise ValueError(f"unknown switch {', '.join(sorted(unknown))}")
        self.switches = replace(self.switches, **changes)
        if not self.switches.reorder:
            self._release()
        return self.switches

    def deliveries(self, since: int = 0) -> list[dict[str, Any]]:
        """What was sent: n, path, obj, status (None: no answer), note, at."""
        with self._lock:
            return [entry for entry in self._log if entry["n"] > since]

    def shown(self) -> dict[str, Any]:
        """Switches, target and deliveries as JSON-ready values."""
        return {
            **asdict(self.switches),
            "base_url": self.base_url,
            "waiting": self.waiting(),
            "deliveries": self.deliveries(),
        }

    def waiting(self) -> int:
        """How many deliveries are queued, held or under way."""
        return sum(lane.busy for lane in self._lanes) + (self._held is not None)

    def settled(self, seconds: float) -> bool:
        """Wait until nothing is queued, held or under way; False when it takes longer than `seconds`."""
        deadline = time.monotonic() + seconds
        while self.waiting():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def clear(self) -> None:
        """Switches back to start, deliveries forgotten; what is queued is still sent."""
        self.set(**asdict(Switches()))
        with self._lock:
            self._log.clear()
            self._count = 0

    def _enqueue(self, job: _Job, chosen: Switches) -> None:
        lane = self._lane(job.obj)
        if not (chosen.reorder and self._hold(lane, job)):
            lane.put(job, chosen.delay_seconds)
            self._release()

    def _hold(self, lane: _Lane, job: _Job) -> bool:
        """Keep the first hook of a pair back; False when one is held already."""
        with self._lock:
            if self._held is not None:
                return False
            timer = threading.Timer(_PAIR_WAIT, self._release)  # a hook without a second one is only late
            timer.daemon = True
            self._held = (lane, job, timer)
        timer.start()
        return True

    def _release(self) -> None:
        """Send the held hook of a pair after its successor."""
        with self._lock:
            held, self._held = self._held, None
        if held is not None:
            lane, job, timer = held
            timer.cancel()
            lane.put(job, self.switches.delay_seconds + _SWAP_GAP)

    def _lane(self, obj: str) -> _Lane:
        with self._lock:
            if not self._lanes:
                self._lanes = [_Lane(self._deliver, f"hooks-{number}") for number in range(LANES)]
                for lane in self._lanes:
                    lane.start()
        return self._lanes[hash(obj) % LANES]

    def _deliver(self, job: _Job) -> float | None:
        """Send one job; returns the seconds until its next attempt, or None when it is done with."""
        job.attempts += 1
        headers = dict(job.headers() if callable(job.headers) else job.headers)
        if self._random.random() < self.switches.bad_signature:
            headers = {
                name: _spoilt(value) if "signature" in name.lower() else value for name, value in headers.items()
            }
        status, answered = self._post(job, headers)
        self._note(job.path, job.obj, status, "" if self.base_url else "no target")
        delivered = status is not None and 200 <= status < 300
        if delivered or job.retry is None or self.base_url is None:
            return None
        return job.retry(job.attempts, status, answered)

    def _post(self, job: _Job, headers: dict[str, str]) -> tuple[int | None, dict[str, str]]:
        if self.base_url is None:
            return None, {}
        target = urlsplit(self.base_url)
        connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=TIME_OUT)
        try:
            connection.request("POST", target.path.rstrip("/") + job.path, job.body, headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}
        except (OSError, http.client.HTTPException):
            return None, {}
        finally:
            connection.close()

    def _note(self, path: str, obj: str, status: int | None, note: str) -> None:
        with self._lock:
            self._count += 1
            self._log.append(
                {
                    "n": self._count,
                    "path": path,
                    "obj": obj,
                    "status": status,
                    "note": note,
                    "at": self._now().isoformat(),
                }
            )


def _spoilt(signature: str) -> str:
    """A signature of the same form that cannot verify."""
    middle = len(signature) // 2
    wrong = "A" if signature[middle : middle + 1] != "A" else "B"
    return signature[:middle] + wrong + signature[middle + 1 :]

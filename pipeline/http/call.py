"""One request on its way: its deadline, its lease check, and the watchdog that ends it in time.

A time-out on a socket counts from the last byte, so a server that drips holds a thread for ever. One watchdog thread
a process shuts the socket down when a call's total deadline is over; the blocked read ends at once.
"""

import contextlib
import heapq
import itertools
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator

_threads = threading.local()


class Call:
    """What a connection has to know of the request that it carries; belongs to one thread."""

    __slots__ = (
        "_done",
        "_lock",
        "_own",
        "_socket",
        "allow_private",
        "before_send",
        "body_follows",
        "deadline",
        "expired",
        "held",
        "sent",
    )

    def __init__(self, seconds: float, *, before_send: Callable[[], None] | None, allow_private: bool) -> None:
        self.deadline = time.monotonic() + seconds
        self.before_send = before_send
        self.allow_private = allow_private
        self.sent = False  # whether a byte may have left
        self.body_follows = False  # a body of plain bytes comes right after the headers
        self.held = b""  # the headers, until it is there
        self.expired = False
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._own = False
        self._done = False

    def remaining(self) -> float:
        """Seconds left; never 0, which a socket would take for non-blocking."""
        return max(self.deadline - time.monotonic(), 0.001)

    def attach(self, sock: socket.socket, *, own: bool = False) -> None:
        """From now on the deadline ends this socket; `own` says that it is a duplicate for us to close."""
        with self._lock:
            self._release()
            self._socket, self._own = sock, own
            if self.expired:
                _shut(sock)

    def detach(self) -> None:
        """The connection goes back to its pool: whoever takes it next must not be hit by our deadline."""
        with self._lock:
            self._release()

    def finish(self) -> None:
        with self._lock:
            self._release()
            self._done = True
            self.before_send = None  # the heap keeps ended calls until their deadline; not what they refer to

    @property
    def done(self) -> bool:
        return self._done

    def expire(self) -> None:
        """The deadline is over; called by the watchdog."""
        with self._lock:
            if not self._done:
                self.expired = True
                if self._socket is not None:
                    _shut(self._socket)

    def _release(self) -> None:
        if self._own and self._socket is not None:
            self._socket.close()
        self._socket, self._own = None, False


class Watchdog:
    """A heap of deadlines and the thread that waits for the first of them. Ended calls are dropped as they surface."""

    _changed: threading.Condition
    _heap: list[tuple[float, int, Call]]
    _thread: threading.Thread

    def __init__(self) -> None:
        self._reset()
        os.register_at_fork(after_in_child=self._reset)  # threads and locks do not survive a fork

    def watch(self, call: Call) -> None:
        with self._changed:
            heapq.heappush(self._heap, (call.deadline, next(self._order), call))
            if not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="http-deadlines", daemon=True)
                self._thread.start()
            elif self._heap[0][2] is call:
                self._changed.notify()

    def _reset(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._heap = []
        self._order = itertools.count()
        self._thread = threading.Thread()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait(self._seconds_to_next())
                expired = self._take_expired()
            for call in expired:
                call.expire()

    def _seconds_to_next(self) -> float | None:
        while self._heap and self._heap[0][2].done:
            heapq.heappop(self._heap)
        return max(self._heap[0][0] - time.monotonic(), 0) if self._heap else None

    def _take_expired(self) -> list[Call]:
        taken = []
        while self._heap and self._heap[0][0] <= time.monotonic():
            taken.append(heapq.heappop(self._heap)[2])
        return taken


watchdog = Watchdog()


@contextlib.contextmanager
def underway(call: Call) -> Iterator[Call]:
    """Make the call known to the connections of this thread, and watch its deadline, for the length of the block."""
    outer, _threads.call = current_call(), call  # whoever reads a download may call out in between
    watchdog.watch(call)
    try:
        yield call
    finally:
        _threads.call = outer
        call.finish()


def current_call() -> Call | None:
    """The call of this thread, if one is underway."""
    call: Call | None = getattr(_threads, "call", None)
    return call


def _shut(sock: socket.socket) -> None:
    # the plain socket's shutdown: that of SSLSocket would take the TLS state away under the reading thread
    with contextlib.suppress(OSError):  # not connected any more
        socket.socket.shutdown(sock, socket.SHUT_RDWR)

"""Answers to reads that hardly ever change (labels, our own user): kept for as long as the request allows."""

import threading

from pipeline.http.wire import Wire
from pipeline.plan import Answer

_MOST = 256  # answers of one account


class KeptAnswers:
    """By what was asked: method, URL and body. Shared by threads; times as the caller counts them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[tuple[str, str, object], tuple[float, Answer]] = {}

    def get(self, wire: Wire, now: float) -> Answer | None:
        with self._lock:
            until, answer = self._answers.get(_key(wire), (now, None))
        return answer if now < until else None

    def put(self, wire: Wire, answer: Answer, until: float) -> None:
        with self._lock:
            while len(self._answers) >= _MOST:
                del self._answers[next(iter(self._answers))]  # the oldest
            self._answers[_key(wire)] = (until, answer)


def _key(wire: Wire) -> tuple[str, str, object]:
    return (wire.method, wire.url, wire.body)

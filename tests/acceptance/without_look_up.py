"""The Celery application with one rule broken, for a test that must turn red: nothing is looked up before a repeat."""

from pipeline.store.lanes import Held
from workers.app import app

Held.must_look = property(lambda _held: False)  # type: ignore[method-assign,assignment]

__all__ = ["app"]

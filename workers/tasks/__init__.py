"""The Celery tasks: ten lines each around a stage; they enqueue after the commit and never decide."""

from workers.tasks import dead_letter, dispatch, ingest, sweeps, transform

__all__ = ["dead_letter", "dispatch", "ingest", "sweeps", "transform"]

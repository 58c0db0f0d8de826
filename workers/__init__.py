"""The shell around the pipeline: Celery tasks, the web process, the command line, and what keeps them running."""

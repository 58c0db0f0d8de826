"""The work: knows nothing of Celery, of the web or of the command line."""

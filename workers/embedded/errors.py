"""What can go wrong with the embedded servers."""


class ServicesError(Exception):
    """PostgreSQL or Redis cannot be had; the sentence says why and what to do."""

"""What can go wrong with a document beside what can go wrong with any call."""

from pipeline.errors import TransientError


class MismatchError(TransientError):
    """The bytes are not those that were announced: by their SHA-256, their number, or by being a web page instead."""

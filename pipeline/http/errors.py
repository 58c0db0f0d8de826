"""The error that only callers of the HTTP room meet."""

from pipeline.errors import CasebridgeError


class ReadOnlyError(CasebridgeError):
    """A write was handed to somebody who may only read: a fault of the program, never sent."""

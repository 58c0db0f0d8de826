"""Documents: the bytes of files on their way between systems, kept by their SHA-256 (decisions D10)."""

from pipeline.documents.copying import Copier
from pipeline.documents.errors import MismatchError
from pipeline.documents.store import Documents

__all__ = ["Copier", "Documents", "MismatchError"]

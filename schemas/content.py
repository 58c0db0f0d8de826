"""People, texts, files and references as every system's words are translated into them."""

from enum import StrEnum

from msgspec import Struct


class Visibility(StrEnum):
    """Who may see a value. Default deny: what is not known to be for the partner is internal."""

    INTERNAL = "internal"
    PARTNER = "partner"


class Format(StrEnum):
    """Markup of a text as its author wrote it."""

    PLAIN = "plain"
    MARKDOWN = "markdown"
    HTML = "html"


class Side(StrEnum):
    """On whose behalf somebody speaks."""

    PARTNER = "partner"
    HUB = "hub"
    CUSTOMER = "customer"  # the end customer of a help-desk ticket; never part of a partner's thread
    SYSTEM = "system"


class Text(Struct, frozen=True):
    """A text with its markup and the visibility that it had at its source."""

    body: str
    format: Format = Format.PLAIN
    visibility: Visibility = Visibility.INTERNAL


class Author(Struct, frozen=True):
    """Somebody at a source; `ours` says that the technical account is casebridge's own."""

    side: Side
    external_id: str = ""
    name: str = ""
    ours: bool = False


class FileState(StrEnum):
    """What the source says of a file's scan."""

    READY = "ready"
    PENDING_SCAN = "pending_scan"
    QUARANTINED = "quarantined"


class File(Struct, frozen=True):
    """A file at its source: `size` in bytes, `url` for people.

    `stored` is its SHA-256 in casebridge's document store, None while there is no copy; `withheld` is the reason
    (of the closed list) why there will be none.
    """

    external_id: str
    name: str
    content_type: str
    size: int
    visibility: Visibility = Visibility.INTERNAL
    state: FileState = FileState.READY
    sha256: str | None = None
    document_class: str | None = None
    version: int = 1
    url: str | None = None
    stored: str | None = None
    withheld: str | None = None


class Reference(Struct, frozen=True):
    """A business document that a case is about; `value` as received, compared by `match_key`."""

    kind: str  # purchase_order, invoice, claim, chargeback, shipment, interchange, ...
    value: str
    line: str | None = None

    @property
    def match_key(self) -> str:
        """Trimmed upper case, for comparison only (flows.md Z5.5)."""
        return self.value.strip().upper()

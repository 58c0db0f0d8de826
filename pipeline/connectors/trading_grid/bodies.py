"""What is said to a partner, as Trading Grid's JSON: every function that takes words takes them cleared."""

import html
from typing import Any

from pipeline.config import Config
from pipeline.connector import Work
from pipeline.connectors.trading_grid.settings import DEFAULT_LABEL, section_of
from pipeline.connectors.trading_grid.vocabulary import (
    HOP_LIMIT,
    OBJECT_TYPES,
    ORIGIN_SYSTEMS,
    REFERENCE_SYSTEMS,
    REFERENCE_TYPES,
    TEXT_LENGTH,
    TITLE_LENGTH,
)
from pipeline.domain.identity import digest, normal
from pipeline.domain.reason import Reason
from pipeline.domain.text import split_bytes, to_html, to_plain
from pipeline.domain.visibility import Cleared, clear_label, require
from pipeline.errors import PermanentError, VisibilityError
from schemas.content import Author, Reference, Side, Text
from schemas.operation import Comment

Json = dict[str, Any]

_NUMBERING = 40  # bytes kept free in each piece of a text that is split: "(12/34)" and the blank line


def title_of(title: Cleared[Text]) -> str:
    """One line of at most 255 characters, as the contract takes it; a cut is shown by an ellipsis."""
    line = normal(to_plain(require(title)))
    if not line:
        raise PermanentError(Reason.REJECTED, "found an empty title, expected a text")
    return line if len(line) <= TITLE_LENGTH else line[: TITLE_LENGTH - 1].rstrip() + "…"


def plain_of(text: Cleared[Text], limit: int, what: str) -> str:
    """The text without markup. Raises PermanentError above `limit` characters: nothing is cut without a word."""
    plain = to_plain(require(text)).strip()
    if len(plain) > limit:
        raise PermanentError(Reason.REJECTED, f"{what}: found {len(plain)} characters, expected at most {limit}")
    return plain


def post_bodies(text: Cleared[Text], label: Cleared[str] | None = None, late: str = "") -> list[Json]:
    """The text as one HTML body or, above 65,536 bytes, as numbered plain ones; `label` says first who speaks."""
    words, speaker = require(text), require(label) if label is not None else ""
    head = f"<p><strong>{html.escape(speaker)}</strong> wrote:</p>" if speaker else ""
    markup = head + to_html(words) + (f"<p>{html.escape(late)}</p>" if late else "")
    if not markup:
        raise PermanentError(Reason.REJECTED, "found an empty text, expected words")
    if len(markup.encode()) <= TEXT_LENGTH:
        return [{"format": "html", "text": markup}]
    return _numbered("\n\n".join(part for part in (f"{speaker} wrote:" * bool(speaker), to_plain(words), late) if part))


def _numbered(plain: str) -> list[Json]:
    pieces = split_bytes(plain, TEXT_LENGTH - _NUMBERING)
    return [
        {"format": "plain", "text": f"({number}/{len(pieces)})\n\n{piece}"}
        for number, piece in enumerate(pieces, start=1)
    ]


def opening_of(text: Cleared[Text]) -> list[str]:
    """The opening text without markup, in pieces of at most 65,536 bytes: `description` has no format member."""
    plain = to_plain(require(text)).strip()
    if len(plain.encode()) <= TEXT_LENGTH:
        return [plain] if plain else []
    return [body["text"] for body in _numbered(plain)]


def speaker_of(work: Work, author: Author, origin: str) -> Cleared[str]:
    """Who a partner reads above a text: the role of the team behind the system, never a person (flows.md G6)."""
    if author.side is Side.CUSTOMER:
        raise VisibilityError("an end customer's words are never part of a partner's thread")
    if author.side is Side.PARTNER:
        return clear_label(work.partner.name or work.partner.key if work.partner else DEFAULT_LABEL)
    return clear_label(section_of(work.config)["labels"].get(system_of(origin), DEFAULT_LABEL))


def late_line(work: Work) -> str:
    """The line under a comment that others overtook; "" for all others."""
    operation = work.operation
    if not work.late or not isinstance(operation, Comment) or operation.at is None:
        return ""
    return f"(written {operation.at:%H:%M} UTC, sent late)"


def origin_of(work: Work, origin: str = "") -> Json:
    """Provenance with our mark; one hop more than the change that caused the write. Raises PermanentError `loop`."""
    details = getattr(work.operation, "details", {})
    hops = int(details.get("hop_count") or 0) + 1
    if hops > HOP_LIMIT:
        raise PermanentError(Reason.LOOP, f"found {hops} hops between systems, expected at most {HOP_LIMIT}")
    system = system_of(origin)
    return {
        "system": system if system in ORIGIN_SYSTEMS else "integration",
        "correlation_id": work.mark,
        "hop_count": hops,
    }


def external_reference(config: Config, origin: str, external_id: str = "", url: str | None = None) -> Json:
    """The counterpart `system:kind:id` as Trading Grid's external reference; `external_id` replaces the last part."""
    system, _, rest = origin.partition(":")
    kind, _, own_id = rest.partition(":")
    reference = {
        "system": system if system in REFERENCE_SYSTEMS else "other",
        "instance": instance_of(config, system),
        "object_type": OBJECT_TYPES.get(kind, kind),
        "external_id": external_id or own_id,
    }
    return {**reference, "url": url} if url else reference


def guard(work: Work, kind: str, *words: str) -> Json:
    """A reference that only this delivery's write has: the guard that outlives the key's 7 days (sheet, 0.6).

    A mark has 40 bits, too few to be unique for ever, so the words that were sent are part of it.
    """
    external_id = digest(work.mark, *words)[:40]
    return {
        "system": "other",
        "instance": section_of(work.config)["instance"],
        "object_type": kind,
        "external_id": external_id,
    }


def instance_of(config: Config, system: str) -> str:
    """Which instance of a system the deployment serves: that system's own setting, else this connector's."""
    section = config.sections.get(system) or {}
    return str(section.get("instance") or section_of(config)["instance"])


def system_of(origin: str) -> str:
    """`gemini` of `gemini:item:389`."""
    return origin.partition(":")[0]


def business_references(references: tuple[Reference, ...]) -> list[Json]:
    """The references as one document-less transaction; control numbers of interchanges stand on their own.

    Raises PermanentError `unmapped_value` for a kind that Trading Grid has no word for.
    """
    unknown = sorted({one.kind for one in references if one.kind not in REFERENCE_TYPES and one.kind != "interchange"})
    if unknown:
        raise PermanentError(Reason.UNMAPPED_VALUE, f"references: found {unknown}, expected {sorted(REFERENCE_TYPES)}")
    listed = [_business_reference(one) for one in references if one.kind != "interchange"]
    return [{"standard": "none", "document_type": "REFERENCE", "references": listed}] if listed else []


def _business_reference(reference: Reference) -> Json:
    made = {"type": reference.kind, "value": reference.value[:80]}
    return {**made, "line": reference.line[:20]} if reference.line else made

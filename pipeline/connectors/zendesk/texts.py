"""Texts as Zendesk's agents read them: sanitised, labelled, free of placeholders, within the limit of a comment."""

import html
import re
from collections.abc import Callable, Mapping

from pipeline.connector import Link, Work
from pipeline.domain.states import LinkState
from pipeline.domain.text import split_bytes, to_html, to_plain
from schemas.content import Author, File, Format, Side, Text
from schemas.operation import Comment

LIMIT_BYTES = 64_000  # Zendesk cuts at 64 kB without an error (sheet 3.1); the rest is room for its own wrapper
WHY_BYTES = 600  # at most so much says why a file is missing
_JOINER = "\u2060"  # WORD JOINER: invisible, never breaks a line
_PLACEHOLDER = re.compile(r"\{(?=(?:<[^>]*>)*[{%])")
_NUMBER = re.compile(r"(?<![\w.,])-?\d+(?:[.,]\d+)*(?!\w)")
_QUOTES = re.compile(r"</?blockquote>")


def harmless(markup: str) -> str:
    """The text with an invisible joiner between `{` and `{` or `%`, so that Zendesk expands nothing in it.

    Entities (`&#123;`) would not do: whether they are decoded before or after the expansion is not documented.
    """
    return _PLACEHOLDER.sub("{" + _JOINER, markup)


def escape(text: str) -> str:
    """Plain words as HTML, with nothing in them that Zendesk would expand."""
    return harmless(html.escape(text, quote=False))


def comment_bodies(comment: Comment, work: Work, missing: Mapping[str, str] | None = None) -> list[str]:
    """The comment as HTML, in as many parts as the limit demands; `missing` says why a file (by id) is only named.

    How many parts there are does not depend on `missing`: a look-up counts them before it is known.

    Everything that somebody else wrote stands in one quotation, which their text cannot close or open: so the label
    above it cannot be forged from within.
    """
    tail = _tail(comment, work, missing or {})
    reserve = len(_tail(comment, work, {}).encode()) + min(len(comment.files) * WHY_BYTES, LIMIT_BYTES // 2)
    return bodies(lambda part: _label(comment, work, part), comment.text, tail, reserve if comment.files else 0)


def bodies(head: Callable[[str], str], text: Text, tail: str = "", reserve: int = 0) -> list[str]:
    """Head, quoted text and tail in parts of at most LIMIT_BYTES. `head` is given `` or `(2/3)`.

    `reserve` is what to count for a tail that may be longer another time.

    One that must be cut loses its formatting: cut as HTML it would leave open tags on both sides.
    """
    words, end = head("") + _quoted(text), max(len(tail.encode()), reserve)
    if len(words.encode()) + end <= LIMIT_BYTES:
        return [words + tail]
    room = LIMIT_BYTES - len(head("(999/999)").encode()) - end - 100
    pieces = _pieces(to_plain(text), room)
    total = len(pieces)
    made = [head(f"({number}/{total})") + piece for number, piece in enumerate(pieces, start=1)]
    return [*made[:-1], made[-1] + tail]


def wrote(speaker: str, addition: str = "") -> str:
    """The label above somebody's words."""
    words = f" wrote {addition}:" if addition else " wrote:"
    return f"<p><strong>{escape(speaker)}</strong>{escape(words)}</p>"


def only_number(plain: str) -> str | None:
    """The number in a text that holds exactly one: `Corrected quantity is 40.` gives 40."""
    found = _NUMBER.findall(plain)
    return str(found[0]) if len(found) == 1 else None


def note(*lines: str) -> str:
    """casebridge's own words; each line is HTML already."""
    return "".join(f"<p>{line}</p>" for line in ("<strong>casebridge</strong>", *lines))


def anchor(label: str, url: str | None) -> str:
    """A link for people, or the bare label where there is no web address."""
    if not url or not url.startswith(("https://", "http://")):
        return escape(label)
    return f'<a href="{harmless(html.escape(url))}">{escape(label)}</a>'


def file_line(file: File) -> str:
    """A file by name, size and fingerprint, with the link to its page at the source (decisions D10)."""
    words = f"{file.size:,} bytes" + (f", SHA-256 {file.sha256}" if file.sha256 else "")
    return f"{anchor(file.name, file.url)} ({escape(words)})"


def system_title(system: str) -> str:
    """`trading_grid` as people read it."""
    return system.replace("_", " ").title()


def counterpart(link: Link) -> str:
    """The bound object of another system, linked; while it is only planned, its slots as `explain` shows them."""
    label = f"{system_title(link.system)} {link.kind} {link.slot}"
    if link.external_id is not None and link.state != LinkState.PLANNED:
        return anchor(label, link.url)
    return f'<a href="{link.url}">{label}</a>' if link.url else label


def _label(comment: Comment, work: Work, part: str) -> str:
    if comment.note:
        return f"<p><strong>casebridge</strong>{' ' + part if part else ''}</p>"
    kind = f"({comment.update_type.replace('_', ' ')})" if comment.update_type else ""
    return wrote(_speaker(comment, work), " ".join(word for word in (kind, part) if word))


def _speaker(comment: Comment, work: Work) -> str:
    author: Author = comment.author
    if author.side is Side.PARTNER:
        company = work.partner.name or work.partner.key if work.partner else ""
        names = dict.fromkeys(name for name in (author.name, company) if name)
        return f"{', '.join(names) or 'The partner'} (partner)"
    system = system_title(comment.origin.partition(":")[0]) or "casebridge"
    return f"{author.name} ({system})" if author.name else system


def _tail(comment: Comment, work: Work, missing: Mapping[str, str]) -> str:
    lines = [f"File: {file_line(file)}{_why(missing.get(file.external_id, ''))}" for file in comment.files]
    if work.late and comment.at is not None:
        lines.append(f"(written {comment.at.strftime('%H:%M')} UTC, sent late)")
    return "".join(f"<p>{line}</p>" for line in lines)


def _why(said: str) -> str:
    """Why a file is only named, within WHY_BYTES however much escaping swells it."""
    shown = said
    while len(escape(shown).encode()) > WHY_BYTES - 1:
        shown = shown[: len(shown) * 3 // 4]
    return f" {escape(shown)}" if shown else ""


def _quoted(text: Text) -> str:
    inner = _QUOTES.sub("", to_html(text))
    return f"<blockquote>{harmless(inner)}</blockquote>" if inner else ""


def _pieces(plain: str, room: int) -> list[str]:
    """Quoted pieces that each fit; escaping may swell a text fivefold, so the cut is made finer until all fit."""
    budget = room - len("<blockquote><p></p></blockquote>")
    while True:
        made = [_quoted(Text(piece, Format.PLAIN)) for piece in split_bytes(plain, budget) if piece]
        if all(len(piece.encode()) <= room for piece in made):
            return made
        budget = budget * 3 // 4

"""What casebridge writes into items: who speaks, the sanitised words, and our mark alone on the last line."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from pipeline.connector import Work
from pipeline.connectors.gemini.settings import Options
from pipeline.domain.text import sanitise, to_html
from pipeline.domain.visibility import clear_file, clear_text, require
from schemas.content import Author, File, Reference, Side, Text, Visibility
from schemas.operation import Comment, Create

# details of a create that people need; `facts` holds whatever else a flow wants shown
SHOWN = ("partner", "severity", "reason_code", "reason", "discrepancies", "dispute", "amounts", "quantities", "sla",
         "facts")  # fmt: skip


def group_of(visibility: Visibility, options: Options) -> int:
    """The group id that a comment's Visibility takes: always sent, never left to the site's default."""
    return options.partner_group if visibility is Visibility.PARTNER else options.internal_group


def cleared(text: Text) -> Text:
    """The text; one for the partner's group passes the gate first. Raises VisibilityError."""
    if text.visibility is Visibility.PARTNER:
        return require(clear_text(text))  # type: ignore[no-any-return]  # the gate gives back what it was given
    return text


def comment_html(work: Work, text: Text, label: str, lines: Iterable[str] = ()) -> str:
    """Label, words, further lines, and the mark."""
    parts = [f"<p><strong>{escape(label)}</strong></p>" if label else "", to_html(cleared(text))]
    parts += [f"<p>{escape(line)}</p>" for line in lines]
    return "".join(parts) + mark_html(work)


def mark_html(work: Work) -> str:
    """The last line, by which a repeat finds what an earlier attempt wrote."""
    return f"<p>ref {work.mark}</p>"


def said_html(comment: Comment, work: Work, options: Options) -> str:
    """A relayed comment. Names of hub people stay out of what partners may see (flows.md G6.5)."""
    lines = [_files_line(comment.files, comment.text.visibility)] if comment.files else []
    if work.late and comment.at:
        lines.append(f"(written {comment.at:%H:%M} UTC, sent late)")
    label = "casebridge:" if comment.note else f"{speaker(comment.author, comment, work, options)}:"
    if comment.update_type and not comment.note:
        label = f"{label[:-1]} wrote ({comment.update_type.replace('_', ' ')}):"
    elif not comment.note:
        label = f"{label[:-1]} wrote:"
    return comment_html(work, comment.text, label, filter(None, lines))


def speaker(author: Author, comment: Comment, work: Work, options: Options) -> str:
    """Who said it, in words that the text below cannot forge."""
    if author.side is Side.PARTNER:
        firm = work.partner.name or work.partner.key if work.partner else "Partner"
        named = options.partner_label.replace("{name}", firm)
        return f"{named}, {author.name}" if author.name and author.name != firm else named
    system = comment.origin.partition(":")[0].replace("_", " ").title() or "another system"
    if author.side is Side.CUSTOMER:
        return f"Customer ({system})"
    named = author.name if comment.text.visibility is Visibility.INTERNAL else ""
    return f"{named or 'Agent'} ({system})"


def file_html(file: File, visibility: Visibility) -> str:
    """A link that stands for bytes which are not copied: name, size and hash beside it (flows.md G1.10)."""
    if visibility is Visibility.PARTNER:
        file = require(clear_file(file))
    facts = ", ".join(filter(None, [f"{file.size} bytes", f"sha256 {file.sha256}" if file.sha256 else ""]))
    name = f'<a href="{escape(file.url)}">{escape(file.name)}</a>' if file.url else escape(file.name)
    return sanitise(f"{name} ({escape(facts)})")


def description_html(create: Create, work: Work, options: Options) -> str:
    """The whole context of a new item: partner, references, what else is known, the way back, the first words."""
    rows = [("Partner", create.partner_name or create.partner), *_reference_rows(create.references)]
    rows += [("Exception", create.exception_type)] if create.exception_type else []
    rows += [row for name in SHOWN for row in _rows(name, create.details.get(name))]
    table = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
    link = f'<p><a href="{escape(create.origin_url)}">{escape(create.origin_url)}</a></p>' if create.origin_url else ""
    return sanitise(f"<table><tbody>{table}</tbody></table>{link}") + _first_words(create, work, options)


def _first_words(create: Create, work: Work, options: Options) -> str:
    if create.body is None or not create.body.body.strip():
        return ""
    said = Comment(text=create.body, author=create.author or Author(Side.PARTNER), origin=create.origin)
    label = speaker(said.author, said, work, options)
    return f"<p><strong>{escape(label)} wrote:</strong></p>{to_html(cleared(create.body))}"


def _reference_rows(references: Iterable[Reference]) -> list[tuple[str, str]]:
    return [(_words(item.kind), f"{item.value}, line {item.line}" if item.line else item.value) for item in references]


def _rows(name: str, value: Any) -> list[tuple[str, str]]:
    """A detail as rows of the table: a mapping has a row for each name, a list for each entry."""
    if isinstance(value, Mapping):
        return [row for key, item in value.items() for row in _rows(str(key), item)]
    if isinstance(value, list | tuple):
        return [(_words(name), _flat(item)) for item in value]
    return [] if value is None or value == "" else [(_words(name), _flat(value))]


def _flat(value: Any) -> str:
    """A value on one line, names before values, nothing for nothing."""
    if isinstance(value, Mapping):
        named = (f"{_words(str(key)).lower()} {_flat(item)}" for key, item in value.items() if item not in (None, ""))
        return ", ".join(named)
    return "; ".join(map(_flat, value)) if isinstance(value, list | tuple) else str(value)


def _files_line(files: Iterable[File], visibility: Visibility) -> str:
    """Names of files are values too: those that are not for the partner stay out of the partner's group."""
    shown = [file.name for file in files if visibility is Visibility.INTERNAL or file.visibility is Visibility.PARTNER]
    return f"Files: {', '.join(shown)}" if shown else ""


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()

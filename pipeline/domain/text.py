"""Texts between HTML, Markdown and plain: sanitised, never executed, split at byte limits, compared by content."""

import html
import re
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markdownify import markdownify

from pipeline.domain.identity import normal
from schemas.content import Format, Text

TAGS = {"a", "b", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "hr", "i", "li", "ol", "p", "pre",
        "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "u", "ul"}  # fmt: skip
SCHEMES = {"http", "https", "mailto"}
_BLOCK_END = re.compile(r"(?i)<(?:br\s*/?|/p|/div|/li|/h[1-6]|/tr|/blockquote|/pre|hr\s*/?)>")


def sanitise(markup: str) -> str:
    """HTML reduced to what every system shows safely: no script, no style, no handler, only web and mail links."""
    return nh3.clean(markup, tags=TAGS, attributes={"a": {"href"}}, url_schemes=SCHEMES, link_rel=None)


def to_html(text: Text) -> str:
    """The text as sanitised HTML, whatever markup its author used."""
    if text.format is Format.HTML:
        return sanitise(text.body)
    if text.format is Format.MARKDOWN:
        return sanitise(_markdown().render(text.body)).strip()
    paragraphs = re.split(r"\n{2,}", text.body.replace("\r\n", "\n").strip("\n"))
    return "".join(f"<p>{html.escape(part, quote=False).replace(chr(10), '<br>')}</p>" for part in paragraphs)


def to_plain(text: Text) -> str:
    """The text without markup; the ends of blocks become line ends."""
    if text.format is Format.PLAIN:
        return text.body
    markup = text.body if text.format is Format.HTML else _markdown().render(text.body)
    bare = nh3.clean(_BLOCK_END.sub("\n", markup), tags=set())
    return re.sub(r"\n{3,}", "\n\n", html.unescape(bare)).strip()


def to_markdown(text: Text) -> str:
    """The text as Markdown; HTML is sanitised first, so no raw markup comes through."""
    if text.format is Format.HTML:
        return str(markdownify(sanitise(text.body), heading_style="ATX")).strip()
    return text.body


def comparable(text: Text) -> str:
    """What two texts are compared by: their words, without markup and without runs of white space."""
    return normal(to_plain(text))


def split_bytes(body: str, limit: int) -> list[str]:
    """The body in pieces of at most `limit` bytes of UTF-8, cut between words where near; joined they give it."""
    pieces: list[str] = []
    rest = body
    while len(rest.encode()) > limit:
        head = rest.encode()[:limit].decode("utf-8", "ignore")
        cut = max(head.rfind("\n"), head.rfind(" "))
        if cut > len(head) // 2:
            head = head[: cut + 1]
        pieces.append(head)
        rest = rest[len(head) :]
    return [*pieces, rest]


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    return MarkdownIt("js-default", {"html": False, "linkify": False})

"""What Zendesk makes of a comment's text: collapsing, cutting, sanitising, expanding, redacting (sheet 3.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape, unescape
from html.parser import HTMLParser

BODY_LIMIT = 65_536
"""Bytes of a comment's body that are kept; the rest disappears without an error."""

BLACKOUT = "▇"

_ALLOWED = {
    "a",
    "b",
    "blockquote",
    "br",
    "code",
    "del",
    "div",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "hr",
    "i",
    "img",
    "li",
    "ol",
    "p",
    "pre",
    "span",
    "strong",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "u",
    "ul",
}
_VOID = {"br", "hr", "img"}
_BLOCK = {"blockquote", "div", "h1", "h2", "h3", "h4", "li", "ol", "p", "pre", "table", "tr", "ul"}
_MUTE = {"script", "style", "iframe", "object"}
_TAG = re.compile(r"</?[A-Za-z!][^>]*>")
_PLACEHOLDER = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_MARKDOWN = (
    (re.compile(r"\*\*(?=\S)(.+?)\*\*"), r"<strong>\1</strong>"),
    (re.compile(r"(?<![\w*])\*(?=\S)(.+?)\*(?![\w*])"), r"<em>\1</em>"),
    (re.compile(r"`([^`\n]+)`"), r"<code>\1</code>"),
)


@dataclass(frozen=True, slots=True)
class Text:
    """One comment's text in the three forms that the API shows."""

    body: str
    html_body: str
    plain_body: str


def from_body(body: str, *, markdown: bool) -> Text:
    """From `body`: tags stripped, runs of blanks and of newlines made one, Markdown only if `markdown`."""
    kept = _collapse(_TAG.sub("", body) if "<" in body else body)
    shown = escape(kept, quote=False).replace("\n", "<br>")
    if markdown:
        for pattern, replacement in _MARKDOWN:
            shown = pattern.sub(replacement, shown)
    return Text(kept, _wrapped(f'<p dir="auto">{shown}</p>'), kept)


def from_html(html: str) -> Text:
    """From `html_body`: sanitised and wrapped; `body` is its text."""
    cleaner = _Cleaner()
    cleaner.feed(html)
    cleaner.close()
    text = re.sub(r"\n{3,}", "\n\n", "".join(cleaner.text)).strip()
    return Text(text, _wrapped("".join(cleaner.html)), text)


def cut(text: str) -> str:
    """The part that fits into 64 kB of UTF-8, silently."""
    raw = text.encode("utf-8", "replace")
    return text if len(raw) <= BODY_LIMIT else raw[:BODY_LIMIT].decode("utf-8", "ignore")


def expand(text: str, values: Mapping[str, str]) -> str:
    """Replace each `{{name}}` by its value; an unknown placeholder becomes nothing, as in Liquid."""
    if "{{" not in text:
        return text
    return _PLACEHOLDER.sub(lambda found: values.get(unescape(found[1]).strip(), ""), text)


def redact_string(text: Text, secret: str) -> Text:
    """Every occurrence of `secret` blacked out, character by character."""
    black = BLACKOUT * len(secret)
    shown = text.html_body.replace(escape(secret, quote=False).replace("\n", "<br>"), black)
    return Text(text.body.replace(secret, black), shown, text.plain_body.replace(secret, black))


def redact_marked(marked: str) -> Text:
    """What `<redact>` marks in an `html_body` blacked out; an element with attribute `redact` is dropped."""
    dropped = re.sub(r"<[A-Za-z]\w*(?=[^>]*\sredact[\s>/])[^>]*>", "", marked)
    shown = re.sub(r"<redact>(.*?)</redact>", lambda found: _blacked(found[1]), dropped, flags=re.DOTALL)
    inner = from_html(_unwrapped(shown))
    return Text(inner.body, shown, inner.plain_body)


def without_marks(marked: str) -> str:
    """An `html_body` with redaction marks, with the marks taken off."""
    return re.sub(r"(<[A-Za-z]\w*[^>]*?)\sredact(?=[\s>/])", r"\1", re.sub(r"</?redact>", "", marked))


def _blacked(html: str) -> str:
    """Text of a fragment blacked out, its tags kept."""
    pieces = re.split(r"(<[^>]*>)", html)
    return "".join(piece if piece.startswith("<") else BLACKOUT * len(unescape(piece)) for piece in pieces)


def _collapse(text: str) -> str:
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def _wrapped(inner: str) -> str:
    return f'<div class="zd-comment" dir="auto">{inner}</div>'


def _unwrapped(html: str) -> str:
    return html.removeprefix('<div class="zd-comment" dir="auto">').removesuffix("</div>")


class _Cleaner(HTMLParser):
    """Keeps the allowed elements with harmless attributes and collects the text beside them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.html: list[str] = []
        self.text: list[str] = []
        self._mute = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _MUTE:
            self._mute += 1
        elif tag in _ALLOWED:
            self.html.append(f"<{tag}{_harmless(attrs)}>")
            if tag in _BLOCK or tag == "br":
                self.text.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _MUTE:
            self._mute = max(0, self._mute - 1)
        elif tag in _ALLOWED - _VOID:
            self.html.append(f"</{tag}>")
            if tag in _BLOCK:
                self.text.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._mute:
            self.html.append(escape(data, quote=False))
            self.text.append(data)


def _harmless(attrs: list[tuple[str, str | None]]) -> str:
    kept = [
        (name, value or "")
        for name, value in attrs
        if name in ("href", "src", "dir", "alt", "title")
        and not (value or "").strip().lower().startswith(("javascript:", "data:"))
    ]
    return "".join(f' {name}="{escape(value)}"' for name, value in kept)

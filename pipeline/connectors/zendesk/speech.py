"""Which comment is meant for the partner (decisions D8): private, by an agent, and beginning with the mark."""

import re
from functools import lru_cache

from pipeline.connectors.zendesk.wire import Json
from pipeline.domain.text import sanitise
from schemas.content import Author, Format, Side, Text, Visibility

# No quotation, list or code may stand before the mark: a quoted old comment does not make new words public.
_BLANK = r"(?:\s|&nbsp;|\u200b|\ufeff)"
_OPENING = rf"(?:{_BLANK}|<(?:p|b|i|u|em|strong|br)>)*"
# one word after @, or a whole link whose text begins with @: a longer "mention" could swallow the agent's own words
_MENTION = rf"(?:(?:<a[^>]*>\s*@[^<]*</a>|@[\w.+-]+)(?:{_BLANK}|[,:]|<br>)+)"


def said(comment: Json, author: Author, prefix: str) -> Text:
    """The comment's text with its visibility; the mark itself is cut off.

    Only PARTNER where all three hold; what is public goes to the end customer, what an end user wrote stays here.
    """
    html = comment.get("html_body")
    if isinstance(html, str) and html.strip():
        body, form = sanitise(html).strip(), Format.HTML
    else:
        body, form = str(comment.get("plain_body") or comment.get("body") or ""), Format.PLAIN
    rest = cut(body, prefix) if may_speak(comment, author) else None
    if rest is None:
        return Text(body, form, Visibility.INTERNAL)
    return Text(rest, form, Visibility.PARTNER)


def may_speak(comment: Json, author: Author) -> bool:
    """Whether this kind of comment can be for a partner at all: an agent's, and explicitly private."""
    return comment.get("public") is False and author.side is Side.HUB and comment.get("type") == "Comment"


def cut(body: str, prefix: str) -> str | None:
    """The text behind the mark, or None where it does not begin with it. Works on sanitised HTML and plain text."""
    matched = _pattern(prefix).match(body)
    if matched is None:
        return None
    return (matched["opening"] + body[matched.end() :]).strip()


@lru_cache(maxsize=16)
def _pattern(prefix: str) -> re.Pattern[str]:
    mark = re.escape(prefix)
    return re.compile(
        rf"(?P<opening>{_OPENING}){_MENTION}?{mark}(?![\w-])[:,]?(?:{_BLANK}|<br>)*",
        re.IGNORECASE,
    )

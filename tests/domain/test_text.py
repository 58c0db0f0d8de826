"""Texts between markups: nothing executable gets through, nothing is lost on the way, limits hold in bytes."""

from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain import text as texts
from schemas.content import Format, Text

ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<a href='javascript:alert(1)'>here</a>",
    "<a href='JaVa\tscript:alert(1)'>here</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>here</a>",
    "<svg onload=alert(1)>",
    "<p style='background:url(javascript:x)' onclick='x()'>hi</p>",
    "<iframe src='https://evil.example'></iframe>",
    "<style>@import 'https://evil.example'</style>",
    "[here](javascript:alert(1))",
    "<<script>script>alert(1)</script>",
]
MARKUP = st.lists(
    st.sampled_from([*ATTACKS, "<b>", "</b>", "<p>", "plain & text", "é", "\n", "*", "_", "`"]), max_size=8
)


class Harm(HTMLParser):
    """What a browser would make of a markup that is not allowed to be there."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in texts.TAGS:
            self.found.append(tag)
        for name, value in attrs:
            if (tag, name) != ("a", "href") or urlsplit((value or "").strip()).scheme.lower() not in texts.SCHEMES:
                self.found.append(f"{tag} {name}={value}")


@given(MARKUP, st.sampled_from(list(Format)))
def test_no_script_handler_or_foreign_scheme_gets_through(parts: list[str], form: Format) -> None:
    """Whatever its author wrote, in whatever markup, HTML comes out harmless."""
    assert Harm(texts.to_html(Text("".join(parts), form))).found == []


@given(MARKUP)
def test_html_as_markdown_carries_no_raw_markup(parts: list[str]) -> None:
    """A target that renders Markdown renders nothing that HTML would have executed."""
    again = texts.to_html(Text(texts.to_markdown(Text("".join(parts), Format.HTML)), Format.MARKDOWN))
    assert Harm(again).found == []


@pytest.mark.parametrize("attack", ATTACKS[:9])
def test_the_attacks_are_seen_where_nothing_cleans(attack: str) -> None:
    """The check above can fail."""
    assert Harm(attack).found


@given(MARKUP)
def test_sanitising_twice_is_sanitising_once(parts: list[str]) -> None:
    """What came back from a target is equal to what was sent there."""
    once = texts.sanitise("".join(parts))
    assert texts.sanitise(once) == once
    assert texts.to_html(Text(once, Format.HTML)) == once


@given(st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc")), max_size=80))
def test_plain_words_survive_html(words: str) -> None:
    """Signs that mean something in HTML are words here, and come back as words."""
    html = texts.to_html(Text(words))
    assert texts.comparable(Text(html, Format.HTML)) == texts.comparable(Text(words))


def test_blocks_become_lines() -> None:
    """Where a reader sees a new paragraph, plain text has a new line."""
    markup = Text("<p>one</p><p>two<br>three &amp; four</p><ul><li>five</li></ul>", Format.HTML)
    assert texts.to_plain(markup).splitlines() == ["one", "two", "three & four", "five"]


@given(st.text(alphabet=st.sampled_from("ab é€😀\n"), max_size=300), st.integers(8, 60))
def test_pieces_fit_and_give_the_text_back(body: str, limit: int) -> None:
    """Limits count bytes of UTF-8: no piece is longer, no character is torn or lost."""
    pieces = texts.split_bytes(body, limit)
    assert "".join(pieces) == body
    assert all(len(piece.encode()) <= limit for piece in pieces)


def test_a_text_is_cut_between_words() -> None:
    """Where one is near; a single long word is cut anywhere."""
    assert texts.split_bytes("hello world", 8) == ["hello ", "world"]
    assert texts.split_bytes("x" * 10, 4) == ["xxxx", "xxxx", "xx"]


@pytest.mark.parametrize(
    ("body", "form"), [("**a** b", Format.MARKDOWN), ("<b>a</b>\n  b", Format.HTML), ("a  b ", Format.PLAIN)]
)
def test_texts_are_compared_by_their_words(body: str, form: Format) -> None:
    """The same words in another markup are the same text: an echo is not a new comment."""
    assert texts.comparable(Text(body, form)) == "a b"

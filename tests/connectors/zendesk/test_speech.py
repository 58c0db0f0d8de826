"""Which comments reach a partner: default deny, decided by three conditions together."""

import pytest

from pipeline.connectors.zendesk.speech import said
from schemas.content import Author, Side, Text, Visibility

AGENT, CUSTOMER = Author(Side.HUB, "9101"), Author(Side.CUSTOMER, "9201")


def spoken(html: str, *, public: object = False, author: Author = AGENT, kind: str = "Comment") -> Text:
    """What a comment with this HTML says, and to whom."""
    return said({"type": kind, "public": public, "html_body": html, "plain_body": ""}, author, "#partner")


@pytest.mark.parametrize(
    ("html", "rest"),
    [
        ('<div class="zd-comment"><p>#partner Please confirm</p></div>', "<p>Please confirm</p>"),
        ("<p>#PARTNER: Please confirm</p>", "<p>Please confirm</p>"),
        ("<p>&nbsp;<strong>#Partner</strong> Hello</p>", "<p>&nbsp;<strong></strong> Hello</p>"),
        ('<p><a href="/agent/users/1">@Anna Smith</a> #partner Hello</p>', "<p>Hello</p>"),
        ("<p>@anna, #partner Hello</p>", "<p>Hello</p>"),
        ("<p>#partner<br>Hello</p>", "<p>Hello</p>"),
    ],
)
def test_the_mark_at_the_start_speaks_to_the_partner_and_is_cut_off(html: str, rest: str) -> None:
    """Given an agent's private comment that begins with the mark, when read, then it is the partner's, without it."""
    text = spoken(html)
    assert (text.body, text.visibility) == (rest, Visibility.PARTNER)


@pytest.mark.parametrize(
    "html",
    [
        "<p>Do not send to #partner yet</p>",
        "<p>#partners are difficult</p>",
        "<p>#partner-internal note</p>",
        "<p>@anna do not use #partner here</p>",
        "<p>@anna smith said: #partner Hello</p>",
        "<blockquote><p>#partner Please confirm</p></blockquote><p>Bob, they never answer</p>",
        "<pre>#partner Hello</pre>",
        "<ul><li>#partner Hello</li></ul>",
        "<p>partner Hello</p>",
        "",
    ],
)
def test_everything_else_stays_inside(html: str) -> None:
    """Given the mark elsewhere, quoted, longer or missing, when read, then the comment is internal."""
    assert spoken(html).visibility is Visibility.INTERNAL


@pytest.mark.parametrize(
    ("public", "author", "kind"),
    [(True, AGENT, "Comment"), (None, AGENT, "Comment"), (False, CUSTOMER, "Comment"),
     (False, Author(Side.SYSTEM), "Comment"), (False, AGENT, "VoiceComment")],
)  # fmt: skip
def test_the_mark_alone_is_not_enough(public: object, author: Author, kind: str) -> None:
    """Given a public comment, one of unknown visibility or one by no agent, when read, then it is internal (D8)."""
    text = spoken("<p>#partner Hello</p>", public=public, author=author, kind=kind)
    assert text.visibility is Visibility.INTERNAL
    assert "#partner" in text.body

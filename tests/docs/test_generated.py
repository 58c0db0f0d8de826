"""The parts of the handbook that the code knows best are current, and whole."""

import re

import pytest

from docs.generate import DOCS, PART, PARTS, current, keys, pages, reasons
from pipeline.domain.reason import Reason
from pipeline.domain.states import MOVES


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(DOCS)))
def test_a_page_is_as_the_code_would_write_it(page: object) -> None:
    """Given the code of today, when the page is generated again, then nothing changes."""
    text = (DOCS / str(page)).read_text(encoding="utf-8")
    assert text == current(text), "run `python -m docs.generate`"


def test_every_generated_part_stands_on_one_page() -> None:
    """Given the parts that are made, then each is shown exactly once, so that none gets lost with its marker."""
    shown = [found[1] for page in pages() for found in PART.findall(page.read_text(encoding="utf-8"))]
    assert sorted(shown) == sorted(PARTS)


def test_a_stale_part_is_seen() -> None:
    """Given a page with an old part, when it is generated again, then it differs."""
    stale = "<!-- begin reasons -->\nold\n<!-- end reasons -->\n"
    assert current(stale) != stale
    assert reasons() in current(stale)


def test_every_key_has_a_meaning() -> None:
    """Given the table of keys, then no line leaves a reader without words."""
    rows = [line.split(" | ") for line in keys().splitlines() if line.startswith("| `")]
    assert len(rows) > 60
    assert not [row[0] for row in rows if not row[-1].strip(" |")]


def test_reasons_and_states_are_all_there() -> None:
    """Given the closed lists, then every reason and every state stands in the handbook."""
    told = (DOCS / "reasons.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)`", told, re.MULTILINE)) == {reason.value for reason in Reason}
    drawn = (DOCS / "states.md").read_text(encoding="utf-8")
    for kind in MOVES:
        for state in kind:
            assert re.search(rf"^    {state.value} -->", drawn, re.MULTILINE), (kind, state)

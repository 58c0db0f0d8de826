"""Whatever stands in the file, the answer is a configuration or a list of problems with lines."""

import re
from pathlib import Path

import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.configuration import load
from pipeline.connectors import discover
from pipeline.errors import ConfigurationError, Problem

SANDBOX = (Path(__file__).parents[2] / "casebridge.sandbox.yaml").read_text(encoding="utf-8")
CONNECTORS = discover()

KEYS = st.sampled_from(
    ["version", "partners", "settings", *CONNECTORS, "key", "name", "fields", "statuses", "limits", "groups", "<<"]
)
LINE_ENDS = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=4), inner, max_size=6)
)
MARKS = st.text(alphabet="ab:-?*&!|>%@`'\"#[]{},\n\t \\x0~<=", max_size=40)


def answers(text: str) -> None:
    """Loads the text; every problem says where, what and what instead."""
    lines = len(LINE_ENDS.findall(text)) + 1
    for problem in problems_of(text):
        assert problem.found
        assert problem.expected
        assert problem.line is None or 1 <= problem.line <= lines


def problems_of(text: str) -> tuple[Problem, ...]:
    """No problems for a text that loads."""
    try:
        load(text, CONNECTORS)
    except ConfigurationError as error:
        return error.problems
    return ()


@given(st.text() | MARKS)
@example('a: "\\UFFFFFFFF"')
@example("%YAML " + "9" * 5000 + ".1\n---\na: 1")
@example("version: " + "9" * 5000)
@example("version: 1e999")
@example("\ud800")
@settings(max_examples=400, deadline=None)
def test_any_text_is_answered(text: str) -> None:
    """Neither YAML's marks in any order nor broken characters end in anything but ConfigurationError."""
    answers(text)


@given(st.dictionaries(KEYS, VALUES, max_size=6))
@settings(max_examples=300, deadline=None)
def test_any_values_at_known_keys_are_answered(data: dict[str, object]) -> None:
    """The connectors' schemas get values of every shape where they look for their own."""
    answers(yaml.safe_dump(data, allow_unicode=True))


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_good_file_with_a_few_characters_changed_is_answered(data: st.DataObject) -> None:
    """The faults of people: a bit deleted, a bit typed somewhere else."""
    start = data.draw(st.integers(0, len(SANDBOX)))
    end = data.draw(st.integers(start, min(start + 30, len(SANDBOX))))
    answers(SANDBOX[:start] + data.draw(MARKS) + SANDBOX[end:])

"""casebridge.yaml is read whole or not at all, and every fault is told with its line."""

import hashlib

import pytest

from pipeline.config import Settings
from pipeline.configuration import load
from pipeline.errors import ConfigurationError
from tests.configuration.faults import FAULTS, SECTION
from tests.configuration.systems import VALID, systems


def told(text: str) -> list[str]:
    """The problems that loading this text ends with, without the file's name."""
    with pytest.raises(ConfigurationError) as caught:
        load(text, systems())
    assert all(problem.file == "casebridge.yaml" for problem in caught.value.problems)
    return [str(problem).removeprefix("casebridge.yaml:") for problem in caught.value.problems]


@pytest.mark.parametrize(("text", "expected"), FAULTS.values(), ids=FAULTS.keys())
def test_each_fault_is_told_with_its_line_and_what_to_write(text: str, expected: list[str]) -> None:
    """A fault names its line, its dotted path, what stands there and what belongs there."""
    assert told(text) == expected


def test_all_faults_are_told_at_once_in_the_order_of_their_lines() -> None:
    """One run of `check` is enough: YAML's, each section's and the partners' faults stand side by side."""
    text = "version: 3\npartners: [{key: a}, {key: a}]\ndesk:\n  project: x\n  project: y\ndock: {to: z}\n"
    assert [line.partition(":")[0] for line in told(text)] == ["1", "2", "4", "5", "6"]


def test_aliases_that_multiply_are_refused_before_they_fill_the_memory() -> None:
    """Nine lines can stand for a billion values; counting stops at fifty thousand."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    (problem,) = told("\n".join(lines))
    assert problem.endswith(
        "found more than 50,000 values, counting what aliases repeat, expected fewer: write the values without aliases"
    )


def test_a_file_of_megabytes_is_refused_unread() -> None:
    """No configuration is that long; a wrong path may be."""
    with pytest.raises(ConfigurationError) as caught:
        load("a" * 1_000_001, systems())
    assert caught.value.problems[0].found == "a file of 1,000,001 characters"


def test_a_valid_file_becomes_partners_sections_and_settings() -> None:
    """Defaults are filled in; ids and keys are text, a leading zero and YAML 1.1's `On` included."""
    config = load(VALID, systems(), file="here.yaml")
    acme, globex = config.partners
    assert acme.ids == {"dock": "prt_acme", "desk": {"organization": "500", "branch": "0501"}}
    assert (globex.ids, globex.name, globex.settings) == ({"dock": "17"}, "", {"comments": "go_on"})
    assert config.sections["desk"]["statuses"] == {"On": "new", "12": "closed", "In Progress": "new"}
    assert config.sections["dock"] == {"to": "thread", "loud": False, "limits": []}
    assert config.settings == Settings(status_settle_seconds=1.0)
    assert (config.version, config.file) == (1, "here.yaml")


def test_the_defaults_of_the_file_are_those_of_the_code() -> None:
    """A file without settings gives what Settings gives by itself."""
    assert load(SECTION, systems()).settings == Settings()


def test_an_empty_section_counts_as_one_with_all_its_defaults() -> None:
    """`dock:` with nothing after it is what is left when its last line is commented out."""
    given = load(SECTION + "dock:\npartners:\nsettings:\n", systems())
    assert given.sections["dock"] == {"to": "thread", "loud": False, "limits": []}
    assert given.partners == ()


def test_aliases_may_stand_for_values() -> None:
    """Two entries may share what they have in common."""
    config = load(SECTION + "dock: {limits: [&one {amount: 5}, *one]}\n", systems())
    assert config.sections["dock"]["limits"] == [{"amount": 5}, {"amount": 5}]


@pytest.mark.parametrize("same", ["\ufeff" + VALID, VALID.replace("\n", "\r\n"), VALID + "\n\n"])
def test_the_hash_is_of_the_text_and_not_of_the_editor(same: str) -> None:
    """A byte order mark, other line ends or empty last lines make no new version; anything else does."""
    expected = hashlib.sha256(VALID.encode()).hexdigest()
    assert load(same, systems()).sha256 == load(VALID, systems()).sha256 == expected
    assert load(VALID.replace("Acme", "ACME"), systems()).sha256 != expected

"""Every edge case of the flows that are built has a test named after it, and every mutation still finds its branch."""

import re
from pathlib import Path

import pytest

from tests.flows.mutations import Mutation
from tests.flows.run_mutations import found

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
EDGE_CASES = {"g1": 12, "g2": 12, "z1": 11, "z2": 13}  # how many flows.md numbers in each
NAMES = {
    (flow, int(number))
    for path in HERE.glob("test_*.py")
    for flow, number in re.findall(r"^def test_([gz]\d)_(\d\d)_", path.read_text(encoding="utf-8"), re.MULTILINE)
}


@pytest.mark.parametrize("flow", EDGE_CASES)
def test_every_edge_case_has_a_test(flow: str) -> None:
    """None is missing, and none is numbered that the flow does not have."""
    assert {number for name, number in NAMES if name == flow} == set(range(1, EDGE_CASES[flow] + 1))


@pytest.mark.parametrize("mutation", found(), ids=lambda mutation: mutation.test)
def test_every_mutation_finds_its_branch(mutation: Mutation) -> None:
    """A mutation whose text has gone would prove nothing."""
    for file, old, _ in mutation.edits:
        assert (ROOT / file).read_text(encoding="utf-8").count(old) == 1, file

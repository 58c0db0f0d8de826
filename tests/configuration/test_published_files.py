"""The files that people copy, and the JSON Schema that their editors read, say what the code does."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from pipeline.configuration import json_schema, load
from pipeline.connectors import discover
from pipeline.environment import variables
from pipeline.errors import ConfigurationError
from tests.configuration.faults import FAULTS
from tests.configuration.systems import VALID, systems

ROOT = Path(__file__).parents[2]
EXAMPLES = ("casebridge.sandbox.yaml", "casebridge.example.yaml")
BEYOND_JSON_SCHEMA = {  # YAML's own faults that a parser for editors reports or forgives, and what spans two partners
    "a partner's key twice", "one id for two partners", "a key twice", "a merge key", "a list as a key",
    "a tag of Python", "a value in itself", "a tab", "a second document", "a bracket left open", "a control character",
    "nesting without end", "only a comment", "a section's own check",
}  # fmt: skip
SKELETON = """\
version: 1
partners: [{key: acme, trading_grid: prt_acme, zendesk: {organization: "500"}, calendar: default}]
gemini: {project: 12, types: {case: Investigation, task: Task}, groups: {internal: 4, partner: 5}, escalation_priority: High,
         fields: {PublicResolution: 31, EvidenceRequested: 32, EvidenceDue: 33}, statuses: {Assigned: assigned, "In Progress": in_progress}, roles: {waive: [anna]}}
zendesk: {escalate_tag: b2b_partner_issue, onboarding_tag: b2b_onboarding, partner_comment_prefix: "#partner",
          fields: {partner: 360001, exception_type: 360002, po_number: 360003, claim_number: 360004, partner_description: 360005}}
trading_grid: {milestone_to: thread}
settings: {status_settle_seconds: 60, join_window_days: 30}
"""  # noqa: E501 -- as decisions D17 prints it


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_loads_and_its_editor_agrees(name: str) -> None:
    """What we publish is valid for the loader and for the JSON Schema."""
    text = (ROOT / name).read_text(encoding="utf-8")
    assert load(text, discover(), file=name).partners
    Draft202012Validator(json_schema(discover())).validate(yaml.safe_load(text))


def test_the_fixed_skeleton_loads() -> None:
    """What decisions D17 fixes for everyone outside."""
    config = load(SKELETON, discover())
    assert config.partner_at("zendesk", "500") is config.partner("acme")


def test_the_commented_example_shows_every_key() -> None:
    """A key that the example does not show is a key that nobody finds."""
    shown = yaml.safe_load((ROOT / "casebridge.example.yaml").read_text(encoding="utf-8"))
    known = json_schema(discover())["properties"]
    assert set(shown) == set(known)
    for section in (*discover(), "settings"):
        assert set(shown[section]) == set(known[section]["properties"]), section
    assert set(shown["partners"][0]) == set(known["partners"]["items"]["properties"])


def test_the_published_json_schema_is_the_generated_one() -> None:
    """docs/casebridge.schema.json is written by `casebridge config schema`; a change of a section shows here."""
    published = json.loads((ROOT / "docs" / "casebridge.schema.json").read_text(encoding="utf-8"))
    assert published == json_schema(discover()), "casebridge config schema > docs/casebridge.schema.json"


def test_the_generated_json_schema_is_one() -> None:
    """It keeps to its own dialect, and takes what the loader takes."""
    schema = json_schema(systems())
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(yaml.safe_load(VALID.replace("On:", "'On':").replace("12:", "'12':")))


@pytest.mark.parametrize("name", sorted(FAULTS.keys() - BEYOND_JSON_SCHEMA))
def test_an_editor_sees_the_faults_that_a_json_schema_can_say(name: str) -> None:
    """What the loader refuses is underlined while it is typed."""
    text, _ = FAULTS[name]
    assert not Draft202012Validator(json_schema(systems())).is_valid(texts(yaml.safe_load(text)))


def test_the_environment_example_names_every_variable_once() -> None:
    """A variable that is read is in .env.example, required ones ready to be filled in, the others commented out."""
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    rows = [match for line in lines if (match := re.fullmatch(r"(#?)([A-Z_]+)=(\S*) +# \S.*", line))]
    assert sorted(row[2] for row in rows) == sorted(variable.name for variable in variables(discover()))
    required = {variable.name for variable in variables(discover()) if variable.required}
    assert required <= {row[2] for row in rows if not row[1]}
    assert not any(row[3] for row in rows if not row[1]), "no values, so no secrets"


def test_a_fault_of_an_example_names_that_file() -> None:
    """The problem's file is the one that was read, whatever it is called."""
    with pytest.raises(ConfigurationError) as caught:
        load("", discover(), file="etc/other.yaml")
    assert caught.value.problems[0].file == "etc/other.yaml"


def texts(value: Any) -> Any:
    """As an editor's YAML 1.2 sees it: keys are text."""
    if isinstance(value, dict):
        return {str(key): texts(member) for key, member in value.items()}
    return [texts(item) for item in value] if isinstance(value, list) else value

"""The sandbox speaks the published shape: the vendor's recorded payload and ours pass the same schema."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contracts.validate import HERE, Contract
from tests.sandbox.gemini.help_desk import HelpDesk

SHARED = HERE.parents[2] / "shared" / "contracts" / "gemini"
LOOKUPS = (
    "/projects",
    "/projects/12",
    "/type",
    "/type/61",
    "/type/template/7",
    "/status",
    "/status/57",
    "/status/template/7",
    "/priority/template/7",
    "/severity/template/7",
    "/resolution/template/7",
    "/users",
    "/users/21",
    "/users/active",
    "/users/active/count",
    "/groups",
    "/groups/5",
    "/customfields",
    "/customfields/31",
    "/linktype",
)


def shared(path: str) -> Path:
    """A file of the reference contracts; skips the test where they are absent."""
    found = SHARED / path
    if not found.exists():
        pytest.skip(f"reference contracts absent: {found}")
    return found


@pytest.mark.parametrize("path", LOOKUPS)
def test_each_lookup_answers_by_contract(desk: HelpDesk, path: str) -> None:
    """Given a lookup list or entry, when read, then it is not empty and has the contract's shape."""
    assert desk.ask("GET", path)


@pytest.mark.parametrize("path", ["/projects/1", "/type/1", "/users/1", "/groups/9", "/customfields/1"])
def test_an_unknown_entry_is_404(desk: HelpDesk, path: str) -> None:
    """Given an id that is none, when read, then 404 comes."""
    assert desk.try_to("GET", path).status_code == 404


def test_followers_and_links_answer_by_contract(desk: HelpDesk) -> None:
    """Given two items, when one is followed and linked, then both show in its lists, and the link in the other's."""
    one, other = desk.item()["Id"], desk.item()["Id"]
    desk.ask("POST", f"/items/{one}/watchers/21")
    assert [dto["Username"] for dto in desk.ask("GET", f"/items/{one}/watchers")] == ["anna"]
    desk.ask("DELETE", f"/items/{one}/watchers/21")
    assert desk.ask("GET", f"/items/{one}/watchers") == []
    desk.ask("POST", f"/items/{one}/links", {"IssueId": one, "OtherIssueId": other, "LinkTypeId": 92})
    assert desk.ask("GET", f"/items/{other}/links") == desk.ask("GET", f"/items/{one}/links")


@pytest.mark.shared
def test_the_vendors_recorded_item_passes_the_schema_that_ours_pass() -> None:
    """Given the recorded webhook, when its items are read by the answer's schema, then they pass."""
    recorded = json.loads(shared("samples/webhook_item_update.documented.json").read_text())
    Contract.gemini().check_answer("GET", "/items/389", 200, recorded["Issue"])


@pytest.mark.shared
def test_an_item_of_ours_holds_the_members_that_were_recorded(desk: HelpDesk) -> None:
    """Given the recorded entity, when ours is compared, then no recorded member of the entity is missing."""
    recorded = json.loads(shared("samples/webhook_item_update.documented.json").read_text())["Issue"]
    ours = desk.item()
    assert set(recorded["BaseEntity"]) - set(ours["BaseEntity"]) == set()
    kinds = {name: type(value) for name, value in recorded.items() if name in ours and value is not None}
    assert {name: type(ours[name]) for name in kinds if ours[name] is not None and name != "SLATimeLeftMinutes"} == {
        name: kind for name, kind in kinds.items() if ours[name] is not None and name != "SLATimeLeftMinutes"
    }


@pytest.mark.shared
def test_our_copy_of_the_contract_only_adds() -> None:
    """Given the reference contract, when ours is compared, then nothing is changed and all that is new is marked."""
    theirs = yaml.safe_load(shared("openapi.yaml").read_text())
    ours = yaml.safe_load((HERE / "gemini.yaml").read_text())
    added = list(additions(theirs, ours))
    assert added
    assert [where for where, node in added if "x-inferred" not in json.dumps(node) and "/parameters" not in where] == []


def additions(theirs: Any, ours: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """What ours has beyond theirs; fails where something of theirs is changed or gone."""
    if not isinstance(theirs, dict):
        assert theirs == ours, where
        return
    assert set(theirs) <= set(ours), where
    for name, node in ours.items():
        if name in theirs:
            yield from additions(theirs[name], node, f"{where}/{name}")
        else:
            yield f"{where}/{name}", node

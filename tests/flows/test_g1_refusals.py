"""G1, edge cases 7 to 9 of flows.md: answers that are lost, work that is cut short, log-ins that are refused."""

import pytest

from tests.flows.scenes import body_of, calls, items, open_case, open_thread, said_in_gemini, states_of
from tests.town import Town


def test_g1_07_a_lost_answer_is_looked_up_by_originator(town: Town) -> None:
    """Given the answer to a create was lost, when it is tried again, then the item is found and none is made."""
    thread = open_thread(town)
    town.fault("gemini", "POST /gemini/api/items", "lost_answer", times=1)
    town.run()
    town.clock_forward(60)

    (item,) = items(town)
    assert [entry["reference"]["external_id"] for entry in town.by_us("trading_grid", "reference_put")] == [item]
    assert states_of(town, thread) == ["received"]
    assert calls(town, "gemini", "GET", "/items/originator/")


def test_g1_07_a_lost_answer_is_looked_up_by_tag(town: Town) -> None:
    """Given a site without the originator's path, when an answer was lost, then creation date and Tag1 find it."""
    town.people.switch("gemini", "gemini", {"originator_lookup": False})
    open_thread(town)
    town.fault("gemini", "POST /gemini/api/items", "lost_answer", times=1)
    town.run()
    town.clock_forward(60)

    (item,) = items(town)
    assert [entry["reference"]["external_id"] for entry in town.by_us("trading_grid", "reference_put")] == [item]


def test_g1_08_missing_custom_values_are_completed(town: Town) -> None:
    """Given a crash after the item, when the task runs again, then each missing value is written once."""
    town.fault("gemini", "POST /gemini/api/items/*/customfield/data", "lost_answer", times=1)
    open_thread(town)
    town.run()
    town.clock_forward(60)

    (item,) = items(town)
    values = [(entry["field"], entry["new"]) for entry in town.by_us("gemini", "custom_value_set", parent=item)]
    assert sorted(name for name, _ in values) == ["ExternalReference", "PartnerName", "TransactionReferences"]


def test_g1_08_a_value_with_a_row_is_put_with_its_id(town: Town) -> None:
    """Given a colleague filled a value after the crash, when the task runs again, then that row is put with its id."""
    town.fault("gemini", "POST /gemini/api/items/*/customfield/data", "status", status=503, retry_after="30", times=1)
    open_thread(town)
    town.run()
    (item,) = items(town)
    town.people.set_field(item, "PartnerName", "unknown firm")
    town.clock_forward(60)

    (put,) = calls(town, "gemini", "PUT", "/customfield/data")
    assert body_of(put)["Id"] > 0
    written = [(entry["field"], entry["new"]) for entry in town.by_us("gemini", "custom_value_set", parent=item)]
    assert ("PartnerName", "Acme Logistics") in written
    assert len(written) == 3


@pytest.mark.parametrize("disguise", ["null", "403", "anonymous"])
def test_g1_09_a_refused_login_stops_and_loses_nothing(town: Town, disguise: str) -> None:
    """Given a site that refuses us in one of three disguises, then all waits, one alarm, and it goes on afterwards."""
    first = open_case(town)
    town.people.switch("gemini", "gemini", {"revoked": ["casebridge"], "login_refusal": disguise})
    second = open_thread(town, po_number="PO-4712")
    town.people.post("acme", first.thread, "Carton 4 has arrived.")
    town.run("trading_grid")
    town.run("trading_grid")

    assert items(town) == [first.item]
    assert town.dead() == []
    (state,) = town.rows("select reason, blocked_until > casebridge.now() from target where name = 'gemini'")
    assert state == ("target_refuses_login", True)
    assert len(town.rows("select 1 from audit where action = 'blocked' and subject = 'target:gemini'")) == 1
    creates = [call for call in calls(town, "gemini", "POST", "/api/items") if call["path"].endswith("/items")]
    assert len(creates) <= 2, "it is not tried again and again"

    town.people.switch("gemini", "gemini", {"revoked": []})
    town.clock_forward(70)

    assert len(items(town)) == 2
    assert [("Carton 4" in text) for text in said_in_gemini(town, first.item)] == [True]
    assert states_of(town, second) == ["received"]
    assert town.rows("select reason from target where name = 'gemini'") == [(None,)]

"""G2, edge cases 7 to 12 of flows.md: the way back to the item, event apps, missing lines, closed items."""

from tests.flows.scenes import (
    items,
    move,
    open_case,
    pushed,
    resolve,
    said_in_gemini,
    said_to_partner,
    state_of,
    states_of,
    status_of,
)
from tests.town import Town

APPROVAL = "    Awaiting Approval: awaiting_approval\n"
WAITING = "    Awaiting Partner: awaiting_partner\n"


def test_g2_07_an_answer_in_a_resolved_thread_reopens_the_item(town: Town) -> None:
    """Given a resolved item with a way back, when the partner answers, then that item is in progress again."""
    case = open_case(town)
    resolve(town, case)
    assert state_of(town, case.thread) == "resolved"

    town.people.post("acme", case.thread, "Carton 5 is still missing.")
    town.run()

    assert status_of(town, case.item) == "In Progress"
    assert items(town) == [case.item]
    assert "Carton 5 is still missing." in said_in_gemini(town, case.item)[-1]
    assert states_of(town, case.thread).count("in_progress") == 1, "the reopening is not echoed back"
    assert state_of(town, case.thread) == "in_progress"


def test_g2_07_where_closed_is_final_a_new_item_carries_on(town: Town) -> None:
    """Given no way out of Closed, when the partner answers, then a linked new item takes the whole conversation."""
    case = open_case(town)
    resolve(town, case)
    move(town, case, "Closed")
    assert state_of(town, case.thread) == "closed"

    town.people.post("acme", case.thread, "Carton 5 is still missing.")
    town.run()

    old, new = items(town)
    assert old == case.item
    ((linked),) = town.by_us("gemini", "link_added")
    assert {str(linked["parent"]), str(linked["other"])} == {old, new}
    assert ["Carton 5" in text for text in said_in_gemini(town, new)] == [True]
    assert status_of(town, old) == "Closed"

    town.people.comment(new, "We look at carton 5.", group=5)
    town.people.set_status(new, "Assigned")
    town.run()
    town.people.post("acme", case.thread, "Thank you.")
    town.run()

    assert any("We look at carton 5." in text for text in said_to_partner(town, case.thread))
    assert states_of(town, case.thread)[-1] == "assigned"
    assert "Thank you." in said_in_gemini(town, new)[-1]
    assert items(town) == [old, new]


def test_g2_07_a_lost_answer_makes_no_second_new_item(town: Town) -> None:
    """Given the answer to that create was lost, when it is tried again, then the new item is found."""
    case = open_case(town)
    resolve(town, case)
    move(town, case, "Closed")
    town.fault("gemini", "POST /gemini/api/items", "lost_answer", times=1)
    town.people.post("acme", case.thread, "Carton 5 is still missing.")
    town.run()
    town.clock_forward(60)

    assert len(items(town)) == 2
    assert ["Carton 5" in text for text in said_in_gemini(town, items(town)[1])] == [True]


def test_g2_08_an_app_that_assigns_causes_no_ping_pong(town: Town) -> None:
    """Given Auto Mark As Assigned, when somebody takes the item, then the partner reads it once and nothing returns."""
    town.people.switch("gemini", "gemini", {"auto_mark_as_assigned": True})
    case = open_case(town)
    town.people.assign(case.item, "ben")
    town.run()
    town.clock_forward(60)

    assert status_of(town, case.item) == "Assigned"
    assert states_of(town, case.thread) == ["received", "assigned"]
    assert len(pushed(town, case)) == 2, "person and status moved together: that is told once"
    assert town.by_us("gemini", "status_changed") == []
    assert town.dead() == []


def test_g2_08_an_app_that_reopens_gets_no_cause(town: Town) -> None:
    """Given Auto Open Closed Item, when the partner edits a closed thread's title, then the item stays closed."""
    town.people.switch("gemini", "gemini", {"auto_open_closed_item": True})
    case = open_case(town)
    resolve(town, case)
    move(town, case, "Closed")

    town.people.retitle_thread("acme", case.thread, "Short shipment, settled")
    town.run()
    town.clock_forward(60)

    assert status_of(town, case.item) == "Closed"
    assert "Short shipment, settled" in said_in_gemini(town, case.item)[-1]
    assert state_of(town, case.thread) == "closed"
    assert town.dead() == []


def test_g2_09_an_unknown_status_is_parked_and_changes_nothing(town: Town) -> None:
    """Given a status without a line, when it arrives, then it is parked naming the line, and mapping frees it."""
    town.configure(lambda text: text.replace(APPROVAL, ""))
    case = open_case(town)
    move(town, case, "Assigned", "In Progress", "Awaiting Approval")

    assert state_of(town, case.thread) == "in_progress"
    ((reason, detail),) = town.dead()
    assert reason == "unmapped_status"
    assert "'Awaiting Approval': <milestone>" in detail

    town.configure(lambda text: text)
    town.requeue("unmapped_status")
    town.run()

    assert states_of(town, case.thread)[-1] == "awaiting_approval"
    assert town.dead() == []


def test_g2_09_a_status_requeued_too_late_does_not_undo_a_newer_one(town: Town) -> None:
    """Given a newer status went out meanwhile, when the parked one is freed, then the thread keeps the newer one."""
    town.configure(lambda text: text.replace(APPROVAL, ""))
    case = open_case(town)
    move(town, case, "Assigned", "In Progress", "Awaiting Approval", "In Progress", "Awaiting Partner")
    assert state_of(town, case.thread) == "awaiting_partner"

    town.configure(lambda text: text)
    town.requeue("unmapped_status")
    town.run()

    assert state_of(town, case.thread) == "awaiting_partner"
    assert town.dead() == []


def test_g2_10_the_start_up_check_names_a_missing_status(town: Town) -> None:
    """Given no status for "awaiting partner input", when the check runs, then it says so before the first event."""
    town.configure(lambda text: text.replace(WAITING, "    Waiting for Partner: awaiting_partner\n"))
    found = list(town.world.connectors["gemini"].check(town.world.config, town.world.executor("gemini")))
    assert any("Waiting for Partner" in sentence and "is not a status" in sentence for sentence in found), found

    town.configure(lambda text: text.replace(WAITING, ""))
    found = list(town.world.connectors["gemini"].check(town.world.config, town.world.executor("gemini")))
    assert any("awaiting partner input is not a status of this template" in sentence for sentence in found), found

    town.configure(lambda text: text)
    assert list(town.world.connectors["gemini"].check(town.world.config, town.world.executor("gemini"))) == []


def test_g2_12_a_closing_is_never_missed(town: Town) -> None:
    """Given the poll alone, when an item is closed, then its thread is closed as well."""
    town.people.switch("gemini", "gemini", {"webhook": False})
    case = open_case(town)
    resolve(town, case)
    move(town, case, "Closed")

    assert states_of(town, case.thread)[-1] == "closed"

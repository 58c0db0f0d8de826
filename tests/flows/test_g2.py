"""G2: milestones go back to the partner. Edge cases 1 to 6 of flows.md: what is pushed, and what never is."""

import re
import threading

from tests.flows.scenes import (
    move,
    open_case,
    pushed,
    resolve,
    said_in_gemini,
    said_to_partner,
    state_of,
    states_of,
)
from tests.town import Town

SETTLE = "status_settle_seconds: 0"


def settling(town: Town, seconds: int = 60) -> None:
    """Statuses wait for newer ones, as they do outside of tests."""
    town.configure(lambda text: text.replace(SETTLE, f"status_settle_seconds: {seconds}"))


def test_g2_01_only_the_last_of_several_states_is_pushed(town: Town) -> None:
    """Given three statuses within a minute, when it is over, then one transition and one post tell the last one."""
    case = open_case(town)
    settling(town)
    for status in ("Assigned", "In Progress", "Awaiting Partner"):
        town.people.set_status(case.item, status)
        town.clock_forward(5)
    assert states_of(town, case.thread) == ["received"]

    town.clock_forward(60)

    assert states_of(town, case.thread) == ["received", "awaiting_partner"]
    assert said_to_partner(town, case.thread)[1:] == ["We are waiting for your input."]


def test_g2_01_a_state_behind_a_slow_comment_is_settled_too(town: Town) -> None:
    """Given a comment that must be repeated, when statuses follow it, then still only the last one is pushed."""
    case = open_case(town)
    settling(town)
    town.fault("trading_grid", "POST */posts", "status", status=500)
    town.people.comment(case.item, "We are looking into it.", group=5)
    town.run()
    town.people.set_status(case.item, "Assigned")
    town.run()
    town.mend("trading_grid")
    town.clock_forward(10)
    town.people.set_status(case.item, "In Progress")
    town.clock_forward(10)
    assert states_of(town, case.thread) == ["received"]
    assert len(said_to_partner(town, case.thread)) == 2

    town.clock_forward(60)

    assert states_of(town, case.thread) == ["received", "in_progress"]


def test_g2_02_a_thread_that_moved_is_read_again(town: Town) -> None:
    """Given the thread changes between reading and writing (412), then it is read again before the one transition."""
    case = open_case(town)
    town.people.set_status(case.item, "Assigned")
    town.fault("trading_grid", "POST */transitions", "latency", seconds=1.5, times=1)
    runner = threading.Thread(target=town.run)
    runner.start()
    while not town.people.look("trading_grid", "faults")["faults"][0]["hits"]:
        assert runner.is_alive(), "the transition was never sent"
    town.people.retitle_thread("acme", case.thread, "Short shipment, two cartons")
    runner.join()
    town.run()

    assert [call["status"] for call in pushed(town, case)] == [200, 412, 200]
    assert states_of(town, case.thread) == ["received", "assigned"]
    first, second = (call["request_headers"]["if-match"] for call in pushed(town, case)[1:])
    assert first != second
    assert town.dead() == []


def test_g2_03_a_state_that_stands_is_not_written(town: Town) -> None:
    """Given the thread is in the wanted state, when a status means the same, then nothing is sent and it is done."""
    town.configure(lambda text: text.replace("Assigned: assigned", "Assigned: in_progress"))
    case = open_case(town)
    move(town, case, "Assigned")
    posts, sent = len(said_to_partner(town)), len(pushed(town, case))

    move(town, case, "In Progress")

    assert state_of(town, case.thread) == "in_progress"
    assert len(pushed(town, case)) == sent
    assert len(said_to_partner(town)) == posts
    assert town.dead() == []
    assert town.rows("select 1 from lane where head < tail") == []


def test_g2_03_another_awaiting_reason_is_another_state(town: Town) -> None:
    """Given the thread awaits input, when the status asks for documents, then that is told."""
    text = "Awaiting Approval: awaiting_partner:documents"
    town.configure(lambda old: old.replace("Awaiting Approval: awaiting_approval", text))
    case = open_case(town)
    move(town, case, "Assigned", "In Progress", "Awaiting Partner")
    town.people.set_status(case.item, "In Progress")
    town.people.set_status(case.item, "Awaiting Approval")
    town.run()

    told = [
        (entry["new"], entry["awaiting_reason"])
        for entry in town.by_us("trading_grid", "thread_transitioned", obj=case.thread)
    ]
    assert told[-2:] == [("awaiting_partner", "input"), ("awaiting_partner", "documents")]


def test_g2_04_a_jump_is_walked_hop_by_hop(town: Town) -> None:
    """Given a received thread, when the item is resolved at once, then it goes by an allowed way, told once."""
    case = open_case(town)
    settling(town, 30)
    resolve(town, case)
    town.clock_forward(60)

    assert states_of(town, case.thread)[0] == "received"
    assert states_of(town, case.thread)[-1] == "resolved"
    assert len(states_of(town, case.thread)) == 3
    assert said_to_partner(town, case.thread)[1:] == ["We have sent the missing cartons."]


def test_g2_04_without_a_way_it_is_parked_with_the_allowed_states(town: Town) -> None:
    """Given no way leads back to received, when the item does go back, then it is parked and says what is allowed."""
    case = open_case(town)
    move(town, case, "Assigned", "Unassigned")

    assert states_of(town, case.thread) == ["received", "assigned"]
    ((reason, detail),) = town.dead()
    assert reason == "transition_refused"
    for allowed in ("in_progress", "awaiting_partner", "resolved"):
        assert allowed in detail


def test_g2_05_resolved_waits_for_its_text(town: Town) -> None:
    """Given no resolution text, when the item is resolved, then the owner is asked, and the text lets it go out."""
    case = open_case(town)
    move(town, case, "Assigned", "In Progress", "Resolved")

    assert state_of(town, case.thread) == "in_progress"
    (asked,) = town.by_us("gemini", "comment_added", parent=case.item)
    assert "PublicResolution" in asked["body"]
    assert asked["visibility"] == 4

    town.people.set_field(case.item, "PublicResolution", "Two cartons were sent today.")
    town.run()

    assert state_of(town, case.thread) == "resolved"
    assert said_to_partner(town, case.thread)[-1] == "Two cartons were sent today."
    assert town.dead() == []


def test_g2_05_closed_without_a_text_asks_too(town: Town) -> None:
    """Given an item closed without ever being resolved, then its owner is asked, and the text closes the thread."""
    case = open_case(town)
    move(town, case, "Assigned", "In Progress", "Closed")

    assert state_of(town, case.thread) == "in_progress"
    assert ["PublicResolution" in text for text in said_in_gemini(town, case.item)] == [True]

    town.people.set_field(case.item, "PublicResolution", "Two cartons were sent today.")
    town.run()

    assert state_of(town, case.thread) == "closed"
    assert town.dead() == []


def test_g2_06_no_word_of_an_internal_comment_leaves(town: Town) -> None:
    """Given an internal comment saved with the status, when the milestone is pushed, then none of it is in TG."""
    case = open_case(town)
    town.people.set_status(case.item, "Assigned", comment="Watch CANARY-7531, they always do this.", group="4")
    town.run()

    assert states_of(town, case.thread) == ["received", "assigned"]
    everything = str(town.effects("trading_grid")) + town.said_on_the_wire("trading_grid")
    assert "CANARY-7531" not in everything
    assert town.dead() == []


def test_g2_11_the_partner_never_reads_the_person(town: Town) -> None:
    """Given only the resource changed, when it is pushed, then the partner reads "Assigned" and no name."""
    case = open_case(town)
    before = len(town.people.look("trading_grid", "wire")["entries"])
    town.people.assign(case.item, "ben")
    town.run()

    assert states_of(town, case.thread) == ["received", "assigned"]
    assert said_to_partner(town, case.thread)[-1] == "Your case has been assigned."
    written = str(town.by_us("trading_grid")) + str(town.people.look("trading_grid", "wire")["entries"][before:])
    assert re.search(r"\b[Bb]en\b", written) is None

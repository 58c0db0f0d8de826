"""Rule 6 that holds across flows: order in a case, and what a dead delivery does to it."""

from concurrent.futures import ThreadPoolExecutor

from tests.flows.scenes import (
    items,
    move,
    open_case,
    open_thread,
    said_in_gemini,
    states_of,
)
from tests.town import Town
from workers.inprocess import run_until_quiet

DAY = 24 * 3600.0


def test_rule_6_a_case_waits_for_its_first_delivery_others_go(town: Town) -> None:
    """Given one delivery waits for a retry, then the next of its case waits too, and another case goes on."""
    slow, quick = open_case(town), open_case(town, "globex")
    town.fault("gemini", f"POST /gemini/api/items/{slow.item}/comments", "status", status=500)
    town.people.post("acme", slow.thread, "First.")
    town.people.post("acme", slow.thread, "Second.")
    town.people.post("globex", quick.thread, "Third.")
    town.run()
    assert ["Third." in text for text in said_in_gemini(town)] == [True]

    town.mend("gemini")
    town.clock_forward(60)

    assert ["First." in text for text in said_in_gemini(town, slow.item)] == [True, False]
    assert "Second." in said_in_gemini(town, slow.item)[1]


def test_rule_6_a_dead_comment_lets_the_next_go(town: Town) -> None:
    """Given a refused comment, when it is dead, then the case goes on, and requeued it says that it comes late."""
    case = open_case(town)
    town.fault("gemini", "POST /gemini/api/items/*/comments", "status", status=400, times=1)
    town.people.post("acme", case.thread, "First.")
    town.people.post("acme", case.thread, "Second.")
    town.run()
    assert ["Second." in text for text in said_in_gemini(town)] == [True]
    assert [reason for reason, _ in town.dead()] == ["rejected"]

    town.requeue("rejected")
    town.run()

    assert "First." in said_in_gemini(town)[1]
    assert "sent late" in said_in_gemini(town)[1]


def test_rule_6_a_dead_create_holds_what_depends_on_it(town: Town) -> None:
    """Given a refused create, when it is dead, then its case waits for a person, and then goes on in order."""
    town.fault("gemini", "POST /gemini/api/items", "status", status=400, times=1)
    thread = open_thread(town)
    town.run()
    town.people.post("acme", thread, "First.")
    town.run()
    assert town.by_us("gemini") == []
    assert town.by_us("trading_grid") == []

    town.requeue("rejected")
    town.run()

    assert len(items(town)) == 1
    assert ["First." in text for text in said_in_gemini(town)] == [True]
    assert states_of(town, thread) == ["received"]


def test_rule_6_a_dead_state_does_not_undo_a_newer_one(town: Town) -> None:
    """Given a state died and a newer one went out, when it is requeued, then the newer one stays."""
    case = open_case(town)
    town.fault("trading_grid", "POST */transitions", "status", status=400, times=1)
    move(town, case, "Assigned", "In Progress")
    assert states_of(town, case.thread) == ["received", "in_progress"]
    ((reason, _),) = town.dead()

    town.requeue(reason)
    town.run()

    assert states_of(town, case.thread) == ["received", "in_progress"]
    assert town.dead() == []


def test_rule_6_two_engines_write_once(town: Town) -> None:
    """Given two engines over one ledger, when both run at once, then each word is written once and in order."""
    case = open_case(town)
    for number in range(6):
        town.people.post("acme", case.thread, f"Word {number}.")
    with town.world.connection() as conn:
        conn.execute("update source_object set due = casebridge.now() where object = '*'")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run_until_quiet, [town.world, town.world]))
    town.run()

    assert [f"Word {n}." in text for n, text in enumerate(said_in_gemini(town))] == [True] * 6

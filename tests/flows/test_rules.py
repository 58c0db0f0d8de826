"""Rules 1 to 5 that hold across flows: one case per partner and key, joining, echoes, and what is internal."""

import re
from concurrent.futures import ThreadPoolExecutor

from pipeline.flow import Opening
from pipeline.store import changes
from tests.flows.scenes import (
    INTERNAL,
    PARTNERS,
    body_of,
    calls,
    deliver_again,
    items,
    open_case,
    open_thread,
    said_in_gemini,
    said_to_partner,
)
from tests.town import Town

DAY = 24 * 3600.0
SAME_KEY = {"field_360002": "short_shipment", "field_360003": "po-4711"}  # a ticket's exception type and order


def escalate(town: Town, **fields: str) -> int:
    """An agent escalates a ticket of Acme's customer about the same shipment."""
    ticket = town.people.open_ticket(500, "Cartons missing", "Our customer waits.", **SAME_KEY, **fields)["ticket_id"]
    town.people.escalate(ticket)
    town.run()
    return int(ticket)


def test_rule_1_two_events_of_one_key_make_one_case(town: Town) -> None:
    """Given two events with the same partner and key, when they are processed together, then one case exists."""
    open_thread(town)
    open_thread(town)
    town.run()

    assert len(items(town)) == 1


def test_rule_1_the_constraint_decides_between_two_writers(town: Town) -> None:
    """Given two transactions that open the same case at once, then both get the one that was stored first."""

    def join() -> int:
        with town.world.connection() as conn:
            return changes.open_or_join(conn, Opening("acme", "claim:77"), window_days=30)

    with ThreadPoolExecutor(1) as pool:
        with town.world.connection() as conn, conn.transaction():
            first = changes.open_or_join(conn, Opening("acme", "claim:77"), window_days=30)
            second = pool.submit(join)
            while not town.rows("select 1 from pg_stat_activity where wait_event_type = 'Lock'"):
                assert not second.done(), "the second writer must wait for the first one's commit"
        assert second.result(timeout=20) == first


def test_rule_1_two_partners_never_share_a_case(town: Town) -> None:
    """Given the same key and two partners, when processed, then there are two cases."""
    open_case(town, "acme")
    other = open_case(town, "globex")

    town.people.comment(other.item, "Only for Globex.", group=PARTNERS)
    town.run()

    assert len(items(town)) == 2
    assert [entry["partner_id"] for entry in town.by_us("trading_grid", "post_created", body="Only for Globex.")] == []
    heard = [entry for entry in town.by_us("trading_grid", "post_created") if "Only for Globex." in entry["body"]]
    assert {entry["partner_id"] for entry in heard} == {"prt_globex"}


def test_rule_1_without_a_key_the_object_is_its_own(town: Town) -> None:
    """Given threads that name no document, when processed, then each is a case of its own."""
    open_thread(town, exception_type="", po_number="")
    open_thread(town, exception_type="", po_number="")
    town.run()

    assert len(items(town)) == 2


def test_rule_2_an_escalated_ticket_binds_to_the_open_case(town: Town) -> None:
    """Given an open case, when a ticket of the same key is escalated, then no second thread and no item is made."""
    case = open_case(town)
    escalate(town, field_360005="Our customer waits for two.")

    assert town.by_us("trading_grid", "thread_created") == []
    assert items(town) == [case.item]
    assert any("Our customer waits for two." in text for text in said_to_partner(town, case.thread))


def test_rule_2_after_the_window_a_new_case_names_the_old_one(town: Town) -> None:
    """Given a case without activity for longer than the window, when its key comes again, then a new case opens."""
    old = open_case(town)
    town.clock_forward(31 * DAY)

    new = open_case(town)

    assert new.item != old.item
    (item,) = town.by_us("gemini", "item_created", obj=new.item)
    assert f"HELP-{old.item}" in item["body"]
    related = town.by_us("trading_grid", "thread_updated", obj=new.thread)
    assert [entry["values"]["related_thread_ids"] for entry in related] == [[old.thread]]


def test_rule_2_within_the_window_it_still_joins(town: Town) -> None:
    """Given activity 29 days ago, when the key comes again, then it joins."""
    case = open_case(town)
    town.clock_forward(29 * DAY)
    open_thread(town)
    town.run()

    assert items(town) == [case.item]


def test_rule_4_what_we_wrote_does_not_come_back(town: Town) -> None:
    """Given our own comment with a recorded operation, when it is read again and again, then nobody hears it twice."""
    case = open_case(town)
    town.people.post("acme", case.thread, "Carton 4 has arrived.")
    town.run()
    before = [len(town.by_us(system)) for system in ("gemini", "trading_grid")]

    town.clock_forward(60)
    deliver_again(town)
    town.run()

    assert len(said_in_gemini(town)) == 1
    assert [len(town.by_us(system)) for system in ("gemini", "trading_grid")] == before


def test_rule_4_a_person_who_uses_our_account_is_heard(town: Town) -> None:
    """Given a comment by our own user without a recorded operation, when it is read, then it is a real change."""
    case = open_case(town)
    town.people.comment(case.item, "Typed by hand.", group=PARTNERS, as_="casebridge")
    town.run()

    assert any("Typed by hand." in text for text in said_to_partner(town, case.thread))


def test_rule_4_the_same_words_by_somebody_else_are_a_change(town: Town) -> None:
    """Given somebody else pastes our whole comment, its last line too, when it is read, then it is a real change."""
    case = open_case(town)
    town.people.post("acme", case.thread, "Carton 4 has arrived.")
    town.run()
    (ours,) = said_in_gemini(town)
    pasted = "\n\n".join(re.findall(r"[^<>]+(?=</)", ours))
    assert "ref " in pasted.splitlines()[-1]
    town.people.comment(case.item, pasted, group=PARTNERS)
    town.run()

    assert ["Carton 4 has arrived." in text for text in said_to_partner(town, case.thread)] == [False, True]


def test_rule_4_a_write_seen_before_its_answer_is_still_an_echo(town: Town) -> None:
    """Given our answer is lost and the site is read first, when the write is found, then it goes nowhere."""
    case = open_case(town)
    town.run()
    town.fault("gemini", "POST /gemini/api/items/*/comments", "lost_answer", times=1)
    town.fault("gemini", "GET /gemini/api/items/*/comments", "status", status=500)
    town.people.post("acme", case.thread, "Carton 4 has arrived.")
    town.run("trading_grid")
    town.run("gemini")
    assert len(said_in_gemini(town)) == 1
    assert town.rows("select state from change where source = 'gemini' and kind = 'said'") == [("echo",)]
    posts = len(said_to_partner(town))

    town.mend("gemini")
    town.clock_forward(60)

    assert len(said_in_gemini(town)) == 1
    assert len(said_to_partner(town)) == posts
    assert town.rows("select 1 from lane where head < tail") == []


def test_rule_5_an_internal_comment_made_public_is_said_anew(town: Town) -> None:
    """Given an internal comment, when a person opens it to the partner, then that act makes one new post."""
    case = open_case(town)
    ids = town.people.comment(case.item, "We need until Friday.", group=INTERNAL)
    town.run()
    assert "We need until Friday." not in str(town.effects("trading_grid"))

    town.people.edit_comment(case.item, ids["comment"], group=str(PARTNERS))
    town.run()

    assert ["We need until Friday." in text for text in said_to_partner(town, case.thread)] == [False, True]


def test_rule_5_what_became_internal_while_it_waited_is_not_sent(town: Town) -> None:
    """Given a comment for the partner that waits, when it becomes internal meanwhile, then it is parked, not sent."""
    case = open_case(town)
    town.fault("trading_grid", "POST */posts", "down")
    ids = town.people.comment(case.item, "We need until Friday.", group=PARTNERS)
    town.run()
    town.people.edit_comment(case.item, ids["comment"], group=str(INTERNAL))
    town.later(40)
    town.mend("trading_grid")
    town.run("trading_grid")

    assert "We need until Friday." not in str(town.effects("trading_grid"))
    assert [reason for reason, _ in town.dead()] == ["visibility"]


def test_rule_5_visibility_is_always_sent(town: Town) -> None:
    """Given words on their way in all directions, then every request says who may see them."""
    case = open_case(town)
    escalate(town)
    town.people.post("acme", case.thread, "Carton 4 has arrived.")
    town.people.comment(case.item, "Thank you.", group=PARTNERS)
    town.run()

    comments = [body_of(call) for call in calls(town, "gemini", "POST", "/comments")]
    assert {body["Visibility"] for body in comments} == {PARTNERS}
    posts = [body_of(call) for call in calls(town, "trading_grid", "POST", "/posts")]
    assert {body["visibility"] for body in posts} == {"partner"}
    notes = [body_of(call)["ticket"].get("comment") for call in calls(town, "zendesk", "PUT", "/tickets/")]
    assert {note["public"] for note in notes if note} == {False}
    assert all([comments, posts, any(notes)])

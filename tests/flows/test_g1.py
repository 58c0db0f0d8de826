"""G1: a partner's exception becomes a case. One test for each numbered edge case of flows.md that opens or joins."""

from tests.flows.scenes import (
    deliver_again,
    items,
    open_case,
    open_thread,
    said_in_gemini,
    said_to_partner,
    states_of,
)
from tests.town import Town

ACME = "  - {key: acme, name: Acme Logistics, trading_grid: prt_acme,"
NOBODY = "  - {key: acme, name: Acme Logistics, trading_grid: prt_elsewhere,"


def test_g1_01_the_same_event_again_makes_nothing_twice(town: Town) -> None:
    """Given a bound thread with a post, when all its events arrive again, then nothing is written a second time."""
    case = open_case(town)
    town.people.post("acme", case.thread, "Carton 4 has arrived.")
    town.run()
    before = [len(town.by_us(system)) for system in ("gemini", "trading_grid", "zendesk")]
    assert len(said_in_gemini(town)) == 1

    deliver_again(town)
    ran = town.run()

    assert ran.read > 0
    assert [len(town.by_us(system)) for system in ("gemini", "trading_grid", "zendesk")] == before


def test_g1_02_an_item_joins_the_case_of_a_ticket(town: Town) -> None:
    """Given a ticket's thread, when its partner raises the same exception, then the item joins that one case."""
    fields = {"field_360002": "short_shipment", "field_360003": "PO-4711"}
    ticket = town.people.open_ticket(500, "Cartons missing", "internal words", **fields)["ticket_id"]
    town.people.escalate(ticket)
    town.run()
    assert len(town.by_us("trading_grid", "thread_created")) == 1

    case = open_case(town)
    town.people.comment(case.item, "The truck is on its way.", group=5)
    town.run()

    assert items(town) == [case.item]
    notes = town.by_us("zendesk", "comment_added", ticket_id=ticket)
    assert any("The truck is on its way." in str(note) for note in notes), notes
    threads = {entry["thread_id"] for entry in town.by_us("trading_grid", "post_created")}
    assert len(threads) == 2, "both threads of the one case hear it"


def test_g1_03_a_second_thread_of_the_same_key_joins(town: Town) -> None:
    """Given a case with its item, when a thread of the same key arrives, then its posts go there and it names it."""
    case = open_case(town)

    second = open_thread(town, text="Two more cartons are missing.")
    town.run()
    town.people.post("acme", second, "And one is damaged.")
    town.run()

    assert items(town) == [case.item]
    texts = said_in_gemini(town, case.item)
    assert ["Two more cartons" in texts[0], "one is damaged" in texts[1]] == [True, True]
    related = town.by_us("trading_grid", "thread_updated", obj=second)
    assert [entry["values"]["related_thread_ids"] for entry in related] == [[case.thread]]
    assert states_of(town, second) == ["received"]
    references = [entry["obj"] for entry in town.by_us("trading_grid", "reference_put")]
    assert references == [case.thread], "Trading Grid refuses a second thread with the same reference"


def test_g1_04_an_unknown_partner_waits_in_quarantine(town: Town) -> None:
    """Given a partner in no configuration, when it writes, then nothing is made until the partner is added."""
    town.configure(lambda text: text.replace(ACME, NOBODY))
    thread = open_thread(town)
    town.run()
    town.people.post("acme", thread, "First question.")
    town.people.post("acme", thread, "Second question.")
    town.run()

    assert town.by_us("gemini") == []
    assert town.by_us("trading_grid") == []
    ((reason, detail),) = town.dead()
    assert reason == "unknown_partner"
    assert "`- {key: <name>, trading_grid: prt_acme}`" in detail

    town.configure(lambda text: text)
    town.requeue("unknown_partner")
    town.run()

    assert len(items(town)) == 1
    assert [("First" in text, "Second" in text) for text in said_in_gemini(town)] == [(True, False), (False, True)]
    assert town.dead() == []


def test_g1_06_the_title_follows_the_partner(town: Town) -> None:
    """Given a case, when the partner edits the title, then the item's title follows and no item is created."""
    case = open_case(town)

    for title in ("Short shipment, two cartons", "Short shipment, three cartons"):
        town.people.retitle_thread("acme", case.thread, title)
        town.run()

    assert [entry["new"] for entry in town.by_us("gemini", "title_changed")] == [
        "Short shipment, two cartons",
        "Short shipment, three cartons",
    ]
    assert items(town) == [case.item]
    assert said_in_gemini(town) == []


def test_g1_06_a_title_changed_in_gemini_wins(town: Town) -> None:
    """Given a colleague's title, when the partner edits theirs, then the item keeps it and a comment tells theirs."""
    case = open_case(town)
    town.people.retitle_item(case.item, "ACME short 2 of 5")
    town.run()

    town.people.retitle_thread("acme", case.thread, "Short shipment, two cartons")
    town.run()

    assert town.by_us("gemini", "title_changed") == []
    (comment,) = town.by_us("gemini", "comment_added")
    assert "Short shipment, two cartons" in comment["body"]
    assert town.by_us("trading_grid", "thread_updated") == []


def test_g1_06_a_title_whose_answer_was_lost_is_still_ours(town: Town) -> None:
    """Given a title write whose answer was lost, when the partner edits again, then the item still follows."""
    case = open_case(town)
    town.fault("gemini", "PUT /gemini/api/items", "lost_answer", times=1)
    town.people.retitle_thread("acme", case.thread, "Short shipment, two cartons")
    town.clock_forward(60)

    town.people.retitle_thread("acme", case.thread, "Short shipment, three cartons")
    town.run()

    titles = [entry["new"] for entry in town.by_us("gemini", "title_changed")]
    assert titles == ["Short shipment, two cartons", "Short shipment, three cartons"]
    assert said_in_gemini(town) == []


def test_g1_the_case_number_is_told_though_the_item_moved_first(town: Town) -> None:
    """Given the binding must be repeated, when the item is assigned meanwhile, then the word of receipt goes first."""
    town.fault("trading_grid", "PUT */external-references", "down")
    case = open_case(town)
    town.people.set_status(case.item, "Assigned")
    town.run()
    town.mend("trading_grid")
    town.clock_forward(60)

    assert states_of(town, case.thread) == ["received", "assigned"]
    assert f"Your case number is HELP-{case.item}." in said_to_partner(town, case.thread)[0]


def test_g1_11_html_is_sanitised_before_it_is_stored(town: Town) -> None:
    """Given active HTML in the first post, when the item is made, then it is clean, and its rewriting is no change."""
    town.people.switch("gemini", "gemini", {"sanitiser": "rewrite"})
    thread = open_thread(town, text="")
    words = '<p>We got <b>3</b> of 5.<br><img src="https://pixel.example/t.gif"> <i>Please</i> check.</p>'
    town.people.post("acme", thread, words, format="html")
    town.run()
    town.people.post("acme", thread, words, format="html")
    town.run()
    before = [len(town.by_us(system)) for system in ("gemini", "trading_grid")]

    town.clock_forward(60)

    (item,) = town.by_us("gemini", "item_created")
    (comment,) = town.by_us("gemini", "comment_added")
    for stored in (item["body"], comment["body"]):
        assert "<strong>3</strong>" in stored
        assert "<img" not in stored
    assert [len(town.by_us(system)) for system in ("gemini", "trading_grid")] == before
    assert said_to_partner(town, thread) == [said_to_partner(town, thread)[0]], "only the word of receipt"


def test_g1_12_a_question_opens_no_case(town: Town) -> None:
    """Given a thread of type question, when it arrives, then nothing is made and the skip tells its reason."""
    open_thread(town, type="question")
    town.run()

    assert town.by_us("gemini") == []
    assert town.by_us("trading_grid") == []
    assert town.dead() == []
    ((state, reason, detail),) = town.rows("select state, reason, detail from change where kind = 'opened'")
    assert (state, reason) == ("skipped", "not_routed")
    assert "question" in detail

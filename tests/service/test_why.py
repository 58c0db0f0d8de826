"""`why` on a real ledger: from any end of a story to the whole of it."""

import pytest

from pipeline.domain.reason import Reason
from pipeline.service.errors import NotFoundError, WrongUseError
from pipeline.service.why import Story, why
from pipeline.service.why_json import as_json
from pipeline.store import signals, targets
from pipeline.store.pool import Conn
from tests.service.scenes import LEASE, append, claim, create, deliver_all, kill, make, read, receive, settle

SYSTEMS = ("gemini", "trading_grid", "zendesk")


def ask(conn: Conn, text: str) -> Story:
    return why(conn, text, SYSTEMS)


def reasons(conn: Conn, text: str) -> list[str]:
    return [end.reason.value for end in ask(conn, text).ends]


def test_a_post_is_followed_to_each_of_its_deliveries(conn: Conn) -> None:
    """One event, two targets: one arrived, one waits for its paused target."""
    receive(conn)
    read(conn, "evt_1")
    append(conn, make("a", change=1), make("b", target="zendesk", change=1))
    deliver_all(conn)
    targets.ensure(conn, ["zendesk"])
    targets.pause(conn, "zendesk", paused=True, actor="anna", reason="maintenance")
    assert reasons(conn, "evt_1") == ["delivered", "target_paused"]


@pytest.mark.parametrize("text", ["evt_1", "signal:1", "change:1", "delivery:1", "trading_grid:thread:thr_1"])
def test_every_name_of_a_story_leads_to_it(conn: Conn, text: str) -> None:
    """The event, its rows, and the object itself tell the same end."""
    receive(conn)
    read(conn, "evt_1")
    append(conn, make("a", change=1))
    deliver_all(conn)
    story = ask(conn, text)
    assert [one.row.external_id for one in story.changes] == ["evt_1"]
    assert [end.reason for end in story.ends] == [Reason.DELIVERED]


def test_ten_webhooks_and_one_reading_share_their_change(conn: Conn) -> None:
    """The reading notes its newest signal on what it found; an older one is led there too."""
    receive(conn, "evt_1")
    receive(conn, "evt_2")
    read(conn, "post:9")
    append(conn, make("a", change=1))
    deliver_all(conn)
    assert reasons(conn, "evt_1") == reasons(conn, "evt_2") == ["delivered"]


def test_an_event_is_known_by_its_id_from_its_webhook_on(conn: Conn) -> None:
    """Before the feed is read only the wake-up is there; afterwards the event tells the rest."""
    receive(conn, "hook:evt_1", name="*")
    assert reasons(conn, "evt_1") == ["waiting_turn"]
    signals.claim(conn, "trading_grid", owner="me", lease=LEASE, limit=10)
    receive(conn, "evt_1")
    read(conn, "evt_1")
    append(conn, make("a", change=1))
    deliver_all(conn)
    assert reasons(conn, "evt_1")[-1] == "delivered"


def test_a_signal_that_held_nothing_new_says_so(conn: Conn) -> None:
    """A wake-up without news ends with itself."""
    receive(conn)
    read(conn)
    assert reasons(conn, "evt_1") == ["nothing_new"]


def test_what_waits_for_a_dead_delivery_names_it(conn: Conn) -> None:
    """The note in Zendesk needs the item in Gemini, whose making died."""
    receive(conn)
    read(conn, "evt_1")
    made = create(change=1)
    append(conn, made, make("note", target="zendesk", change=1, needs=(made,)))
    kill(conn, claim(conn)[0], Reason.REJECTED, blocks=True)
    story = ask(conn, "evt_1")
    assert [end.reason for end in story.ends] == [Reason.REJECTED, Reason.WAITING_FOR]
    assert "delivery:1" in story.ends[1].detail
    assert "casebridge dead show 1" in story.ends[0].advice


def test_a_retry_tells_when_and_why(conn: Conn) -> None:
    """The last attempt's words stand beside the time of the next one."""
    append(conn, make("a"), make("b"))
    settle(
        conn,
        claim(conn)[0],
        Reason.WAITING_RETRY,
        "retry",
        wait_seconds=3600.0,
        waits="waiting_retry",
        detail="503 busy",
    )
    first, second = ask(conn, "delivery:1").ends[0], ask(conn, "delivery:2").ends[0]
    assert (first.reason, first.detail) == (Reason.WAITING_RETRY, "in 60 min: 503 busy")
    assert (second.reason, second.detail) == (Reason.WAITING_TURN, "delivery:1 goes first")


def test_json_lists_one_reason_for_each_end(conn: Conn) -> None:
    """What machines read has the chain, each end's sentence and its next step."""
    receive(conn)
    read(conn, "evt_1")
    append(conn, make("a", change=1))
    told = as_json(ask(conn, "evt_1"))
    delivery = told["changes"][0]["deliveries"][0]
    assert told["reasons"] == ["waiting_turn"]
    assert (delivery["id"], delivery["target"], delivery["reason"]) == ("delivery:1", "gemini", "waiting_turn")
    assert delivery["sentence"]
    assert delivery["next_step"]


@pytest.mark.parametrize("text", ["evt_unknown", "delivery:999", "dead:999", "zendesk:ticket:404"])
def test_what_the_ledger_does_not_know_is_refused_with_a_next_step(conn: Conn, text: str) -> None:
    """Nothing is made up."""
    with pytest.raises(NotFoundError) as refused:
        ask(conn, text)
    assert refused.value.next_step


def test_an_empty_name_is_wrong_use(conn: Conn) -> None:
    """A blank is no name."""
    with pytest.raises(WrongUseError):
        ask(conn, "  ")

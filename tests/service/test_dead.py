"""Dead letters: a lane goes on at its place, what was passed over comes later, dependants are never forgotten."""

import pytest

from pipeline.domain.reason import Reason
from pipeline.domain.states import DeliveryState
from pipeline.service import dead
from pipeline.service.dead import Done, Selection
from pipeline.service.errors import NotFoundError, WrongUseError
from pipeline.service.why import why
from pipeline.store import signals
from pipeline.store.pool import Conn
from tests.service.scenes import LEASE, append, claim, create, deliver_all, kill, make, read, receive, settle


def requeue(conn: Conn, *ids: str) -> Done:
    letters = dead.select(conn, Selection(ids))
    return dead.requeue(conn, letters, actor="anna", note="mended", progress=lambda _done, _total: None)


def discard(conn: Conn, *ids: str, with_dependants: bool) -> Done:
    letters = dead.select(conn, Selection(ids))
    return dead.discard(
        conn, letters, actor="anna", note="by phone", with_dependants=with_dependants, progress=lambda _d, _t: None
    )


def reason_of(conn: Conn, text: str) -> Reason:
    return why(conn, text, ("gemini", "zendesk")).ends[0].reason


def test_a_blocked_lane_goes_on_at_its_place(conn: Conn) -> None:
    """The create died and blocked; requeued it is sent first, then what waited behind it."""
    append(conn, create(), make("after"))
    kill(conn, claim(conn)[0], Reason.REJECTED, blocks=True)
    assert claim(conn) == []
    done = requeue(conn, "1")
    assert (done.changed, done.hints) == ([1], {"gemini"})
    assert deliver_all(conn) == [1, 2]


def test_what_was_passed_over_is_appended_with_its_mark_and_looked_up_first(conn: Conn) -> None:
    """A dead comment lets others go ahead; requeued it comes last, under the same mark, and repeats nothing unseen."""
    append(conn, make("dies"), make("goes ahead"))
    kill(conn, claim(conn)[0], Reason.REJECTED, blocks=False)
    deliver_all(conn)
    requeue(conn, "delivery:1")
    again = claim(conn)[0]
    rows = conn.execute(
        "select id, mark, redo, state from delivery where key = %s order by id", (again.key,)
    ).fetchall()
    assert [(row[2], row[3]) for row in rows] == [(0, "requeued"), (1, "queued")]
    assert rows[0][1] == rows[1][1] == again.mark
    assert again.must_look
    settle(conn, again)
    assert reason_of(conn, "delivery:1") is Reason.DELIVERED


def test_requeueing_frees_what_waited_for_it(conn: Conn) -> None:
    """The dependant waits in another lane until the requeued need has arrived."""
    made = create()
    append(conn, made, make("note", target="zendesk", needs=(made,)))
    kill(conn, claim(conn)[0], Reason.REJECTED, blocks=True)
    requeue(conn, "1")
    assert claim(conn, "zendesk") == []
    deliver_all(conn)
    assert deliver_all(conn, "zendesk") == [2]


def test_requeueing_twice_does_nothing_the_second_time(conn: Conn) -> None:
    """A double click is one turn, and the second one says so."""
    append(conn, create())
    kill(conn, claim(conn)[0], Reason.REJECTED, blocks=True)
    first, second = requeue(conn, "1"), requeue(conn, "1")
    assert (first.changed, second.changed, second.unchanged, second.hints) == ([1], [], [1], set())
    assert conn.execute("select count(*) from audit where action = 'requeued'").fetchone() == (1,)


def test_discarding_lets_the_lane_go_on(conn: Conn) -> None:
    """What is given up is cancelled for good; its reason stays on record with who and why."""
    append(conn, create(), make("after"))
    kill(conn, claim(conn)[0], Reason.REJECTED, blocks=True)
    assert discard(conn, "1", with_dependants=False).changed == [1]
    assert deliver_all(conn)[-1] == 2
    assert reason_of(conn, "delivery:1") is Reason.DISCARDED
    assert conn.execute("select ended_by, note from dead_letter").fetchone() == ("anna", "by phone")


def test_dependants_are_counted_before_anything_is_discarded(conn: Conn) -> None:
    """Two deliveries wait for the dead one."""
    made = create()
    append(conn, made, make("a", needs=(made,)), make("b", target="zendesk", needs=(made,)))
    kill(conn, claim(conn)[0], Reason.REJECTED, blocks=True)
    assert dead.dependants(conn, dead.select(conn, Selection(("1",)))) == 2


def test_dependants_may_go_on_without_what_was_discarded(conn: Conn) -> None:
    """They are woken by the discard itself, not by the next sweep, and their target is rung."""
    made = create()
    append(conn, made, make("note", target="zendesk", needs=(made,)))
    kill(conn, claim(conn)[0], Reason.REJECTED, blocks=True)
    done = discard(conn, "1", with_dependants=False)
    assert done.hints == {"gemini", "zendesk"}
    assert deliver_all(conn, "zendesk") == [2]


def test_cancelled_dependants_do_not_hold_up_their_lane(conn: Conn) -> None:
    """What came after the cancelled one in its lane is sent."""
    made = create()
    append(conn, made, make("note", target="zendesk", needs=(made,)), make("later", target="zendesk"))
    kill(conn, claim(conn)[0], Reason.REJECTED, blocks=True)
    done = discard(conn, "1", with_dependants=True)
    assert "zendesk" in done.hints
    assert reason_of(conn, "delivery:2") is Reason.CANCELLED
    cancelled = claim(conn, "zendesk")[0]
    assert (cancelled.delivery_id, cancelled.state) == (2, DeliveryState.CANCELLED)
    settle(conn, cancelled, queue="zendesk")
    assert deliver_all(conn, "zendesk") == [3]


def test_a_dead_signal_is_read_again(conn: Conn) -> None:
    """Requeueing reopens it and makes its object due."""
    receive(conn)
    opened = signals.claim(conn, "trading_grid", owner="me", lease=LEASE, limit=10)[0]
    with conn.transaction():
        signals.bury_signals(conn, opened, reason=Reason.UNREADABLE, detail="no JSON")
        signals.settle_object(conn, opened, (), None)
    assert requeue(conn, "signal:1").hints == {"ingest.trading_grid"}
    read(conn, "evt_1")
    assert conn.execute("select state from signal").fetchone() == ("expanded",)


def test_a_body_that_names_no_object_cannot_be_taken_up_again(conn: Conn) -> None:
    """Nothing says what to read, so the letter stays and the operator is told."""
    signals.bury(conn, "trading_grid", "k", b"garbage", {}, detail="no JSON")
    done = requeue(conn, "1")
    assert (done.changed, done.stuck) == ([], [1])
    assert discard(conn, "1", with_dependants=False).changed == [1]


def test_filters_choose_what_waits(conn: Conn) -> None:
    """By target, reason and partner; what was dealt with is no longer among them."""
    append(conn, make("a"), make("b", target="zendesk"))
    kill(conn, claim(conn)[0], Reason.TARGET_GONE, blocks=False)
    kill(conn, claim(conn, "zendesk")[0], Reason.REJECTED, blocks=False, queue="zendesk")
    assert [one.id for one in dead.select(conn, Selection(target="zendesk"))] == [2]
    assert [one.id for one in dead.select(conn, Selection(reason="target_gone"))] == [1]
    assert [one.id for one in dead.select(conn, Selection(partner="globex"))] == []
    requeue(conn, "1")
    assert [one.id for one in dead.select(conn, Selection(everything=True))] == [2]


def test_an_unknown_letter_and_a_contradiction_are_refused(conn: Conn) -> None:
    """Each says what to do instead."""
    with pytest.raises(NotFoundError):
        dead.select(conn, Selection(("99",)))
    with pytest.raises(WrongUseError):
        dead.select(conn, Selection(("1",), target="gemini"))
    with pytest.raises(WrongUseError):
        dead.one(conn, "evt_1")

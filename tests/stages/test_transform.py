"""Transform: what a change becomes, in its order, and that one that cannot be routed spoils no other."""

from collections.abc import Callable, Iterable

import pytest
from psycopg.errors import DeadlockDetected, OperationalError

from pipeline.domain.reason import Reason
from pipeline.errors import PermanentError, SkippedError
from pipeline.flow import Move, Situation, Step
from pipeline.stages.transform import preview
from pipeline.store import changes, dead_letters
from pipeline.store.lanes import DECODE
from pipeline.store.pool import Conn
from schemas.change import ChangeKind, ObjectRef
from schemas.operation import Bind, Comment
from tests.service.scenes import append, claim, create, kill, settle
from tests.stages.drains import states
from tests.stages.routes import CONFIG, THREAD, US, change, ends, flow, read, route, routed, transformed

OPENED = ChangeKind.OPENED
OTHER = ObjectRef("trading_grid", "thread", "thr_8")


def failing(error: Exception, *names: str) -> Callable[[Situation], Iterable[Step | Move]]:
    """Routes as ever, but fails at these changes."""

    def routing(situation: Situation) -> Iterable[Step | Move]:
        if situation.change.external_id in names:
            raise error
        return route(situation)

    return routing


def test_a_thread_becomes_an_item_and_its_words_follow(conn: Conn) -> None:
    """In the order in which they were read: create, bind (which waits for it), then what was said."""
    read(conn, change("c0", OPENED), change("c1"), change("c2"))
    out = transformed(conn)
    assert (out.ended, out.routed, out.ring) == (3, 4, {"gemini", "trading_grid"})
    assert routed(conn) == [("gemini", "create"), ("trading_grid", "bind"), ("gemini", "said"), ("gemini", "said")]
    assert claim(conn, "trading_grid") == []
    settle(conn, claim(conn)[0])
    assert len(claim(conn, "trading_grid")) == 1


def test_steps_speak_of_the_link_that_their_create_will_bind(conn: Conn) -> None:
    """The flow's own number for a planned object is replaced by the ledger's, in every operation."""
    read(conn, change("c0", OPENED), change("c1"))
    transformed(conn)
    planned = conn.execute("select id from link where state = 'planned'").fetchone()
    assert planned is not None
    create, bind, said = [DECODE(bytes(row[0])) for row in conn.execute("select operation from delivery order by id")]
    assert isinstance(bind, Bind)
    assert (create.link_id, bind.counterpart_link_id, said.link_id) == (planned[0],) * 3


def test_routing_again_adds_nothing(conn: Conn) -> None:
    """A change that was routed once has its deliveries for ever."""
    read(conn, change("c0", OPENED))
    transformed(conn)
    conn.execute("alter table change disable trigger change_move")
    conn.execute("update change set state = 'open'")
    conn.execute("alter table change enable trigger change_move")
    transformed(conn)
    assert len(routed(conn)) == 2


@pytest.mark.parametrize("error", [RuntimeError("no such member"), PermanentError(Reason.UNMAPPED_TYPE, "no 'x'")])
def test_a_change_that_cannot_be_routed_spoils_no_other(conn: Conn, error: Exception) -> None:
    """It is a dead letter; the others of its batch are routed in the same run."""
    read(conn, change("bad", OPENED), change("good", OPENED, ref=OTHER))
    out = transformed(conn, failing(error, "bad"))
    reason = error.reason if isinstance(error, PermanentError) else Reason.UNREADABLE
    assert ends(conn) == {"bad": f"dead: {reason}", "good": "routed"}
    assert len(out.dead_letters) == 1


def test_nothing_is_left_of_what_a_dead_change_began(conn: Conn) -> None:
    """Its case was not opened; what was said later waits, and all of it goes out when the cause is mended."""
    read(conn, change("c0", OPENED), change("c1"))
    transformed(conn, failing(PermanentError(Reason.UNMAPPED_TYPE, "no 'x'"), "c0"))
    assert conn.execute("select count(*) from partner_case where case_key <> 'k'").fetchone() == (0,)
    assert transformed(conn).ended == 0
    with conn.transaction():
        dead_letters.requeue(conn, 1, actor="test", note="mended")
    transformed(conn)
    assert ends(conn) == {"c0": "routed", "c1": "routed"}
    assert routed(conn) == [("gemini", "create"), ("trading_grid", "bind"), ("gemini", "said")]


def test_a_value_that_the_ledger_refuses_is_that_changes_dead_letter(conn: Conn) -> None:
    """PostgreSQL takes no NUL in a text: found in a name that a dead letter, too, would carry."""
    read(conn, change("odd", OPENED, ref=ObjectRef("trading_grid", "thread", "thr_8"), partner_hint="a\x00b"))
    read(conn, change("good", OPENED))
    transformed(conn, failing(PermanentError(Reason.UNKNOWN_PARTNER, "no a\x00b"), "odd"))
    assert ends(conn) == {"odd": "dead: unknown_partner", "good": "routed"}


def test_an_object_that_is_bound_elsewhere_is_that_changes_dead_letter(conn: Conn) -> None:
    """The constraint refuses a second case for one object, and the batch goes on."""
    conn.execute(
        "insert into link (case_id, system, instance, kind, external_id, state)"
        " values (1, 'trading_grid', 'elsewhere', 'thread', 'thr_9', 'bound')"
    )
    conn.execute("update link set instance = '' where external_id = 'thr_9'")
    conn.execute("update partner_case set partner = 'globex' where id = 1")
    read(conn, change("taken", OPENED), change("good", OPENED, ref=OTHER))
    transformed(conn)
    assert ends(conn) == {"taken": "dead: unreadable", "good": "routed"}


def test_a_record_that_cannot_be_read_is_that_changes_dead_letter(conn: Conn) -> None:
    """Written by another version: its object's later changes wait for it, other objects' go on."""
    read(conn, change("c0", OPENED), change("c1"), change("good", OPENED, ref=OTHER))
    conn.execute("update change set record = '{}' where external_id = 'c0'")
    transformed(conn)
    assert ends(conn) == {"c0": "dead: unreadable", "c1": "open", "good": "routed"}


def test_a_deadlock_costs_a_second_try(conn: Conn) -> None:
    """Another transaction crossed the batch: it is routed anew, no dead letter."""
    crossed = [DeadlockDetected("crossed")]

    def routing(situation: Situation) -> Iterable[Step | Move]:
        if crossed:
            raise crossed.pop()
        return route(situation)

    read(conn, change("c0", OPENED))
    transformed(conn, routing)
    assert ends(conn) == {"c0": "routed"}


def test_a_database_that_is_away_makes_no_dead_letter(conn: Conn) -> None:
    """The change stays open for the next run."""
    read(conn, change("c0", OPENED))
    with pytest.raises(OperationalError):
        transformed(conn, failing(OperationalError("the connection is lost"), "c0"))
    assert ends(conn) == {"c0": "open"}


def test_what_a_flow_leaves_alone_is_skipped_with_its_reason(conn: Conn) -> None:
    """Skipped on purpose is an end like any other."""
    read(conn, change("c0", OPENED))
    transformed(conn, failing(SkippedError(Reason.NOT_ROUTED, "not meant"), "c0"))
    assert ends(conn) == {"c0": "skipped: not_routed"}


def test_one_transformer_at_a_time(conn: Conn, another: Callable[[], Conn]) -> None:
    """A second one says that it is busy and ends: the order of a case follows from there being one."""
    read(conn, change("c0", OPENED))
    first = another()
    with first.transaction():
        assert changes.lock(first)
        assert transformed(conn).busy
    assert transformed(conn).ended == 1


def test_our_own_words_wait_until_our_write_has_settled_and_are_an_echo_then(conn: Conn) -> None:
    """A post by our account while our bind is under way: neither routed nor dropped before it is known."""
    read(conn, change("c0", OPENED))
    transformed(conn)
    settle(conn, claim(conn)[0])
    bind = claim(conn, "trading_grid")[0]
    read(conn, change("ours", author=US))
    assert transformed(conn).ended == 0
    assert ends(conn)["ours"] == "open: waiting_settle"
    settle(conn, bind, queue="trading_grid")
    conn.execute(
        "insert into part (system, kind, external_id, delivery_id, case_id)"
        " select 'trading_grid', 'post', 'p_ours', id, case_id from delivery where kind = 'bind'"
    )
    conn.execute("update change set not_before = null")
    transformed(conn)
    assert ends(conn)["ours"] == "echo: echo"


def test_words_under_our_account_wait_for_no_write_that_came_after_them(conn: Conn) -> None:
    """A person uses the same account while deliveries keep coming: the change is not put off for ever."""
    read(conn, change("c0", OPENED))
    read(conn, change("person", ref=OTHER, author=US))
    transformed(conn)
    assert ends(conn)["person"] == "skipped: not_routed"
    read(conn, change("theirs", ref=OTHER, author=US))
    append(conn, create("later", target="trading_grid"))
    conn.execute("update delivery set needs = '{}'")
    conn.execute("update lane set due = casebridge.now()")
    assert claim(conn, "trading_grid")
    transformed(conn)
    assert ends(conn)["theirs"] == "skipped: not_routed"


def test_a_dead_write_keeps_nothing_waiting(conn: Conn) -> None:
    """What was refused had no effect that a change could be the echo of."""
    read(conn, change("c0", OPENED))
    transformed(conn)
    settle(conn, claim(conn)[0])
    bind = claim(conn, "trading_grid")[0]
    conn.execute("update delivery set state = 'dead', reason = 'rejected' where id = %s", [bind.delivery_id])
    read(conn, change("ours", author=US))
    assert transformed(conn).ended == 1


def test_what_waits_long_is_looked_at_less_often(conn: Conn) -> None:
    """A second at first; a change that has waited for five minutes is looked at twice a minute."""
    read(conn, change("young"), change("old", ref=OTHER))
    conn.execute("update change set read_at = read_at - interval '5 minutes' where external_id = 'old'")
    changes.defer(conn, [1, 2], seconds=1.0, reason="waiting_settle")
    waits = conn.execute(
        "select extract(epoch from not_before - casebridge.now()) > 20 from change order by external_id"
    ).fetchall()
    assert waits == [(True,), (False,)]


def test_a_preview_leaves_no_trace(conn: Conn) -> None:
    """The same routing, rolled back; what would be a dead letter is told as one."""
    found = [change("c0", OPENED), change("c1"), change("bad", OPENED, ref=OTHER)]
    routing = failing(PermanentError(Reason.UNMAPPED_TYPE, "no 'x'"), "bad")
    told = preview(conn, found, flows=[flow(routing)], config=CONFIG)
    assert {name: ending.state for name, ending in told.endings.items()} == {
        "c0": "routed",
        "c1": "routed",
        "bad": "dead",
    }
    assert [one.name.partition("_")[0] for one in told.deliveries] == ["T.create", "T.bind", "T.said"]
    assert conn.execute("select count(*) from link where external_id = %s", [THREAD.external_id]).fetchone() == (0,)


def test_a_discarded_create_takes_along_what_its_object_was_for(conn: Conn) -> None:
    """Its link is given up, so nothing more is said to it; what waited for it is cancelled, not dead one by one."""
    read(conn, change("c0", OPENED), change("c1"))
    transformed(conn)
    kill(conn, claim(conn)[0], Reason.REJECTED, blocks=True)
    letter = dead_letters.listed(conn)[0]
    assert dead_letters.dependants(conn, letter) == 2
    with conn.transaction():
        dead_letters.discard(conn, letter.id, actor="test", note="no", with_dependants=True)
    read(conn, change("c2"))
    transformed(conn)
    assert [state for _, state, _ in states(conn)] == ["cancelled"] * 3
    assert ends(conn)["c2"] == "skipped: not_routed"


def test_hops_between_systems_are_carried_on_and_end_as_a_loop(conn: Conn) -> None:
    """What came over three systems says so in the write that follows; after eight it is a dead letter `loop`."""
    read(conn, change("c0", OPENED), change("c1", details={"hop_count": 3}), change("c2", details={"hop_count": 8}))
    transformed(conn)
    row = conn.execute("select operation from delivery where name like 'T.said%'").fetchone()
    assert row is not None
    said = DECODE(bytes(row[0]))
    assert isinstance(said, Comment)
    assert said.details == {"hop_count": 3}
    assert ends(conn)["c2"] == f"dead: {Reason.LOOP}"

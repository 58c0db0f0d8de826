"""Lanes: one holder, fenced writes, order by sequence, needs before dependants."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest

from pipeline.domain.reason import Reason
from pipeline.domain.states import DeliveryState
from pipeline.store import deliveries, lanes, settlements
from pipeline.store.deliveries import NewDelivery
from pipeline.store.pool import Conn, connect
from pipeline.store.settlements import Attempt, Settlement
from schemas.content import Author, Side, Text
from schemas.operation import Comment, State

LEASE = timedelta(seconds=60)
DELIVERED = Attempt("done", Reason.DELIVERED, "", 1.0, looked=False)


@pytest.fixture
def conn(database_url: str) -> Iterator[Conn]:
    """A database with one case."""
    with connect(database_url) as opened:
        opened.execute("insert into partner_case (partner, case_key) values ('acme', 'k')")
        yield opened


def make(name: str, *, target: str = "gemini", needs: tuple[NewDelivery, ...] = (), settle: float = 0.0) -> NewDelivery:
    """A comment for the case."""
    said = Comment(link_id=1, text=Text(name), author=Author(Side.HUB))
    keys = tuple(need.key for need in needs)
    return NewDelivery(target, 1, "acme", None, "T", name, said, uuid4(), keys, settle)  # type: ignore[arg-type]


def append(conn: Conn, *new: NewDelivery) -> set[str]:
    with conn.transaction():
        return deliveries.append(conn, new, config_version=None)


def claim(conn: Conn, target: str = "gemini") -> list[lanes.Held]:
    return lanes.claim(conn, target, owner="me", lease=LEASE, room=64)


def settle(conn: Conn, held: lanes.Held, *, keep: bool = False, **how: object) -> settlements.Settled:
    done = Settlement(held, DELIVERED, done=bool(how.pop("done", True)), keep=keep, queue="gemini", **how)  # type: ignore[arg-type]
    with conn.transaction():
        return settlements.settle(conn, [done], lease=LEASE)


def test_a_lane_has_one_holder(conn: Conn) -> None:
    """What one worker holds another does not get."""
    append(conn, make("one"))
    assert len(claim(conn)) == 1
    assert claim(conn) == []


def test_deliveries_come_in_the_order_of_their_sequence(conn: Conn) -> None:
    """Each settle hands out the next one, until the lane is idle."""
    append(conn, *[make(f"n{n}") for n in range(3)])
    held, seen = claim(conn)[0], []
    while True:
        seen.append(held.seq)
        kept = settle(conn, held, keep=True).kept
        if not kept:
            break
        held = kept[0]
    assert seen == [1, 2, 3]
    assert conn.execute("select head, intent, tail, due, nonce from lane").fetchone() == (3, 3, 3, None, None)


def test_a_stale_nonce_changes_nothing(conn: Conn) -> None:
    """A worker that was frozen past its lease settles nothing, records nothing."""
    append(conn, make("one"))
    zombie = claim(conn)[0]
    conn.execute("update lane set due = casebridge.now()")
    heir = claim(conn)[0]
    assert settle(conn, zombie).lost == [zombie.id]
    assert conn.execute("select count(*) from attempt").fetchone() == (0,)
    assert settle(conn, heir).lost == []
    assert conn.execute("select head from lane").fetchone() == (1,)


def test_a_lane_claimed_again_is_looked_up_first(conn: Conn) -> None:
    """The claim is the intent: whoever takes over must look before sending."""
    append(conn, make("one"))
    assert not claim(conn)[0].must_look
    conn.execute("update lane set due = casebridge.now()")
    assert claim(conn)[0].must_look


def test_work_appended_while_a_lane_is_held_is_seen(conn: Conn) -> None:
    """The settle hands out a delivery that came after the claim, at once."""
    append(conn, make("one"))
    held = claim(conn)[0]
    append(conn, make("two"))
    kept = settle(conn, held, keep=True).kept
    assert [(one.seq, one.must_look) for one in kept] == [(2, False)]


def test_a_failed_delivery_keeps_its_place_until_its_time(conn: Conn) -> None:
    """A retry is a time in the lane's row; the next delivery waits behind it."""
    append(conn, make("one"), make("two"))
    settle(conn, claim(conn)[0], done=False, wait_seconds=3600.0, waits="waiting_retry")
    assert claim(conn) == []
    conn.execute("update lane set due = casebridge.now()")
    again = claim(conn)[0]
    assert (again.seq, again.tries) == (1, 2)


def test_a_dead_delivery_that_blocks_stops_its_lane(conn: Conn) -> None:
    """Nothing of the lane is due until a person comes; the dead letter is written in the same commit."""
    append(conn, make("one"), make("two"))
    settled = settle(conn, claim(conn)[0], done=False, blocks=True, state=DeliveryState.DEAD, waits="rejected")
    assert len(settled.dead_letters) == 1
    assert claim(conn) == []
    assert conn.execute("select head, due, waits from lane").fetchone() == (0, None, "rejected")


def test_a_dead_delivery_that_does_not_block_is_passed(conn: Conn) -> None:
    """The lane goes on with the next delivery."""
    append(conn, make("one"), make("two"))
    kept = settle(conn, claim(conn)[0], keep=True, state=DeliveryState.DEAD).kept
    assert [one.seq for one in kept] == [2]


def test_a_dependant_sleeps_until_its_need_is_done(conn: Conn) -> None:
    """A delivery of another lane wakes when what it needs has settled, and not before."""
    need = make("need")
    append(conn, need, make("dependant", target="zendesk", needs=(need,)))
    assert claim(conn, "zendesk") == []
    settled = settle(conn, claim(conn)[0])
    assert lanes.wake(conn, settled.cases) == {"zendesk"}
    assert [held.seq for held in claim(conn, "zendesk")] == [1]


def test_the_sweep_wakes_what_a_crash_left_asleep(conn: Conn) -> None:
    """A crash between the settle and its wake costs a sweep, not the delivery."""
    need = make("need")
    append(conn, need, make("dependant", target="zendesk", needs=(need,)))
    settle(conn, claim(conn)[0])
    assert lanes.wake_stranded(conn) == {"zendesk"}
    assert lanes.wake_stranded(conn) == set()


def test_a_newer_status_supersedes_one_that_waits(conn: Conn) -> None:
    """Only the last status is sent, at the time of the first (flows.md G2.1, decisions D20)."""

    def status(state: str) -> NewDelivery:
        return NewDelivery("gemini", 1, "acme", None, "T", state, State(link_id=1, state=state), uuid4(), (), 60.0)  # type: ignore[arg-type]

    append(conn, status("assigned"))
    first = conn.execute("select due from lane").fetchone()
    append(conn, status("in_progress"), status("resolved"))
    assert conn.execute("select due from lane").fetchone() == first
    rows = conn.execute("select name, state from delivery order by seq").fetchall()
    assert rows == [("assigned", "superseded"), ("in_progress", "superseded"), ("resolved", "queued")]


def test_routing_twice_appends_once(conn: Conn) -> None:
    """The key is derived from the change, so a second routing finds its deliveries."""
    one = make("one")
    append(conn, one)
    assert append(conn, one) == set()
    assert conn.execute("select tail from lane").fetchone() == (1,)


def test_a_paused_target_gives_nothing(conn: Conn) -> None:
    """Paused and blocked targets keep their lanes; nothing is lost or tried."""
    append(conn, make("one"))
    conn.execute("insert into target (name, paused) values ('gemini', true)")
    assert claim(conn) == []
    assert not lanes.is_due(conn, "gemini")
    conn.execute("update target set paused = false, blocked_until = casebridge.now() + interval '1 minute'")
    assert claim(conn) == []
    conn.execute("update target set blocked_until = null")
    assert len(claim(conn)) == 1


def test_a_flood_of_one_partner_leaves_room_for_the_others(conn: Conn) -> None:
    """While others wait, a partner gets a quarter of a claim; alone, it gets all of it."""
    conn.execute("insert into partner_case (partner, case_key) select 'flood', 'f' || n from generate_series(1, 100) n")
    conn.execute("insert into partner_case (partner, case_key) select 'quiet', 'q' || n from generate_series(1, 3) n")
    conn.execute(
        "insert into lane (target, case_id, partner, tail, due) select 'gemini', id, partner, 1,"
        " casebridge.now() - case partner when 'flood' then interval '1 hour' else interval '1 second' end"
        " from partner_case where partner <> 'acme'"
    )
    conn.execute(
        "insert into delivery (lane_id, seq, case_id, flow, kind, name, operation, key, mark)"
        " select id, 1, case_id, 'T', 'comment', 'T.say', '', gen_random_uuid(), 'M' from lane"
    )
    first = [held.partner for held in lanes.claim(conn, "gemini", owner="me", lease=LEASE, room=16)]
    assert first.count("quiet") == 3
    second = [held.partner for held in lanes.claim(conn, "gemini", owner="me", lease=LEASE, room=16)]
    assert second == ["flood"] * 16

# ruff: noqa: ARG002 -- fakes keep the signatures of the Protocols that they stand for
"""The drain: order, fences, and what one bad lane, a dying sender or a refusing ledger must never do to the others."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from psycopg.errors import DeadlockDetected, OperationalError

from pipeline.domain.reason import Reason
from pipeline.errors import LeaseLostError
from pipeline.plan import Outcome, Receipt, Verdict
from pipeline.stages.settling import Finished
from pipeline.store import lanes, settlements, targets
from pipeline.store.lanes import Held
from pipeline.store.pool import Conn
from schemas.change import ObjectRef
from schemas.content import Text
from schemas.operation import Create
from tests.service.scenes import append, claim, make, settle
from tests.stages.drains import Bell, Check, Target, delivered, drain, in_case, run, states

NewConn = Callable[[], Conn]


def lane(conn: Conn, column: str, case: int = 1) -> Any:
    """One value of the case's lane at Gemini."""
    statement = f"select {column} from lane where case_id = %s and target = 'gemini'"  # noqa: S608 -- a test's own text
    row = conn.execute(statement.encode(), [case]).fetchone()
    assert row is not None
    return row[0]


def test_a_lane_is_delivered_in_the_order_of_its_sequence(conn: Conn) -> None:
    """Given three posts of one case, when the target is drained, then they arrive one after the other."""
    append(conn, *[make(f"n{n}") for n in range(3)])
    target = Target()
    assert run(conn, target).delivered == 3
    assert target.sent == ["n0", "n1", "n2"]


def test_a_failing_lane_holds_up_no_other(conn: Conn) -> None:
    """One case's target answers 500: its own later posts wait, another case's arrive."""
    append(conn, make("fails"), make("behind"))
    in_case(conn, "other", "arrives")
    out = run(conn, Target({"fails": Outcome(Verdict.RETRY, Reason.WAITING_RETRY)}))
    assert (out.delivered, out.retried) == (1, 1)
    assert [state for _, state, _ in states(conn)] == ["queued", "queued", "done"]


@pytest.mark.parametrize("error", [RuntimeError("no such thing"), SystemExit(1)])
def test_a_sender_that_ends_by_an_error_gives_its_lane_back(conn: Conn, error: BaseException) -> None:
    """The drain neither hangs nor forgets: the delivery is tried again, looked up first."""
    append(conn, make("breaks"))
    target = Target({"breaks": error})
    assert run(conn, target).retried == 1
    conn.execute("update lane set due = casebridge.now()")
    target.script.clear()
    assert run(conn, target).delivered == 1
    assert target.looked == ["breaks"]


def test_an_outcome_that_cannot_be_recorded_is_a_dead_letter_of_its_own(conn: Conn) -> None:
    """PostgreSQL takes no NUL in a text: that delivery is left to a person, the others are settled."""
    append(conn, make("odd"))
    in_case(conn, "other", "plain")
    out = run(conn, Target({"odd": delivered(receipt=Receipt(parts=(("comment", "a\x00b"),)))}))
    assert (out.delivered, out.dead) == (1, 1)
    assert states(conn) == [("odd", "dead", "may_have_happened"), ("plain", "done", None)]
    assert conn.execute("select count(*) from dead_letter").fetchone() == (1,)


def test_an_object_that_is_bound_to_another_case_stops_its_own_lane_alone(conn: Conn) -> None:
    """A create that finds the item of another case must not make the ledger refuse all that settles with it."""
    conn.execute("insert into link (case_id, system, kind) values (1, 'gemini', 'item')")
    other = in_case(conn, "other", "plain")
    conn.execute(
        "insert into link (case_id, system, kind, external_id, state) values (%s, 'gemini', 'item', '7', 'bound')",
        [other],
    )
    append(conn, make("create", operation=Create(link_id=2, object_kind="item", title=Text("t"), partner="acme")))
    theirs = Receipt(bound=ObjectRef("gemini", "item", "7"))
    run(conn, Target({"Create": delivered(receipt=theirs)}))
    assert states(conn) == [("plain", "done", None), ("create", "dead", "may_have_happened")]


def test_a_deadlock_costs_a_second_try(conn: Conn) -> None:
    """Another transaction crossed the turn's: it is run anew, nothing is lost or sent twice."""
    append(conn, make("one"))
    target, clashes = Target(), [DeadlockDetected("crossed")]

    class Crossing:
        def prepare(self, conn: Conn, ready: Any) -> Any:
            if clashes:
                raise clashes.pop()
            return target.prepare(conn, ready)

    assert run(conn, Crossing()).delivered == 1
    assert target.sent == ["one"]


def test_a_drain_that_breaks_starts_no_further_call(conn: Conn) -> None:
    """The database goes away while a lane waits for its sender: nobody would settle it, so it is not sent."""
    append(conn, make("first"), make("second"))
    in_case(conn, "other", "late")
    broken, seen, ended = threading.Event(), [], threading.Event()

    def late(held: Held, check: Check) -> Finished:
        broken.wait(10)
        try:
            check()
            seen.append("sent")
        except LeaseLostError:
            seen.append("lost")
        ended.set()
        return Finished(held, "gemini", None, lost=True)

    class Breaking(Target):
        turns = 0

        def prepare(self, conn: Conn, ready: Any) -> Any:
            self.turns += 1
            if self.turns > 1:
                raise OperationalError("the server closed the connection")
            return self.deliver

    bell = Bell()
    with pytest.raises(OperationalError):
        run(conn, Breaking({"late": late}), bell=bell)
    broken.set()
    assert ended.wait(10)
    assert seen == ["lost"]
    assert bell.calls[-1] == "leave"


def test_a_drain_past_its_time_leaves_the_way_free(conn: Conn) -> None:
    """It asks for a new hint, which nobody would publish while the way looks taken."""
    append(conn, make("one"))
    bell = Bell()
    stopped = drain(conn, Target(), bell=bell)
    stopped.stop.set()
    assert stopped.run().unfinished
    assert bell.calls[-1] == "leave"


def test_a_busy_drain_keeps_its_way(conn: Conn) -> None:
    """The flag lives for three seconds, so every turn asks for it to be kept."""
    append(conn, *[make(f"n{n}") for n in range(4)])
    bell = Bell()
    run(conn, Target(), bell=bell)
    assert bell.calls.count("refresh") >= 5


def test_a_sender_that_never_comes_back_does_not_hold_the_drain(conn: Conn) -> None:
    """Given up after the longest deadline that a call may have: its lane's lease runs out, the drain ends."""
    append(conn, make("hangs"))
    forever = threading.Event()

    def hang(held: Held, check: Check) -> Finished:
        forever.wait(30)
        return Finished(held, "gemini", delivered())

    out = run(conn, Target({"hangs": hang}), lease_seconds=0.4, hung_seconds=0.0)
    forever.set()
    assert (out.delivered, out.retried) == (0, 0)
    assert states(conn) == [("hangs", "queued", None)]


def test_a_lease_that_ran_down_is_not_claimed_again_at_once(conn: Conn) -> None:
    """A lane given back at once would spin where leases are too short for their calls."""
    append(conn, make("slow"))
    target = Target({"slow": lambda held, _check: Finished(held, "gemini", None, lost=True)})
    run(conn, target)
    assert len(target.sent) == 1
    assert lane(conn, "due > casebridge.now()")
    assert lane(conn, "tries") == 0


def test_a_lane_falling_asleep_while_its_need_settles_is_woken(
    conn: Conn, another: NewConn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The settle of the need saw the lane awake and left it alone; whoever put it to sleep looks again."""
    need = make("need", target="zendesk")
    append(conn, need)
    append(conn, make("dependant", needs=(need,)))
    needed = conn.execute("select id from delivery where name = 'T.need'").fetchone()
    assert needed is not None
    conn.execute("update delivery set needs = array[%s::bigint] where name = 'T.dependant'", [needed[0]])
    conn.execute("update lane set due = casebridge.now()")
    elsewhere = another()
    release = lanes.release

    def meanwhile(conn: Conn, back: Any) -> None:
        back = list(back)
        if back:
            settle(elsewhere, claim(elsewhere, "zendesk")[0], queue="zendesk")
        release(conn, back)

    monkeypatch.setattr(lanes, "release", meanwhile)
    target = Target()
    run(conn, target)
    assert target.sent == ["dependant"]


@pytest.mark.parametrize(
    ("outcome", "blocks"),
    [
        (Outcome(Verdict.RETRY, Reason.WAITING_RETRY, retry_after_seconds=90.0), True),
        (Outcome(Verdict.AUTH, Reason.TARGET_REFUSES_LOGIN), True),
        (Outcome(Verdict.RETRY, Reason.WAITING_RETRY), False),
        (Outcome(Verdict.RETRY, Reason.SOURCE_UNREACHABLE, retry_after_seconds=30.0), False),
        (Outcome(Verdict.RETRY, Reason.WAITING_QUOTA, retry_after_seconds=9.0, learned={"scope": "object"}), False),
    ],
)
def test_what_concerns_the_whole_target_blocks_it(conn: Conn, outcome: Outcome, blocks: bool) -> None:
    """429 and a refused log-in do; a source that cannot be asked, or an object's own limit, does not."""
    append(conn, make("one"))
    run(conn, Target({"one": outcome}))
    row = conn.execute("select blocked_until > casebridge.now() from target where name = 'gemini'").fetchone()
    assert (row is not None and row[0]) is blocks


def test_a_wait_that_a_target_asks_for_is_bounded(conn: Conn) -> None:
    """Retry-After: a year. Six hours are the most that anybody waits without being asked again."""
    append(conn, make("one"))
    run(conn, Target({"one": Outcome(Verdict.RETRY, Reason.WAITING_QUOTA, retry_after_seconds=3e7)}))
    assert lane(conn, "due < casebridge.now() + interval '6 hours 1 minute'")
    row = conn.execute("select blocked_until < casebridge.now() + interval '6 hours 1 minute' from target").fetchone()
    assert row == (True,)


def test_what_arrived_beside_a_refusal_does_not_lift_the_block(conn: Conn) -> None:
    """Five arrive, the sixth is answered 429 with a minute to wait: the minute is kept."""
    append(conn, make("refused"))
    in_case(conn, "other", "arrives")
    run(conn, Target({"refused": Outcome(Verdict.RETRY, Reason.WAITING_QUOTA, retry_after_seconds=60.0)}))
    blocked = [state.blocked_seconds for state in targets.states(conn) if state.name == "gemini"]
    assert blocked[0] is not None
    assert blocked[0] > 50


def test_settles_lock_lanes_in_the_order_of_their_ids(conn: Conn, another: NewConn) -> None:
    """So that a settle and an append that touch the same lanes wait for each other instead of deadlocking."""
    append(conn, make("one"))
    in_case(conn, "other", "two")
    first, second = sorted(claim(conn), key=lambda held: held.id)
    blocker, watcher = another(), another()
    done = [settlements.Settlement(held, None, done=True, queue="gemini") for held in (second, first)]
    with blocker.transaction():
        blocker.execute("select 1 from lane where id = %s for update", [first.id])
        thread = threading.Thread(target=lambda: settlements.settle(conn, done, lease=drain(conn, Target()).lease))
        thread.start()
        while watcher.execute("select 1 from pg_locks where not granted").fetchone() is None:
            assert thread.is_alive()
        blocker.execute("select 1 from lane where id = %s for update nowait", [second.id])
    thread.join(10)
    assert lane(conn, "head") == 1


def test_a_bell_in_time_keeps_the_drain(conn: Conn) -> None:
    """Work that comes while it listens is done by the same run."""
    bell, target = Bell(rings=1), Target()
    append(conn, make("one"))
    assert run(conn, target, bell=bell).delivered == 1
    assert bell.calls.count("listen") == 2

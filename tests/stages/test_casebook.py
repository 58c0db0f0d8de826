"""The casebook: what is an echo of our own write, and what only looks like one (flows.md rule 4)."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs

from pipeline.plan import Receipt
from pipeline.stages.casebook import Casebook, parse_ref
from pipeline.store.changes import OpenChange
from pipeline.store.pool import Conn
from schemas.change import Change, ChangeKind, ObjectRef
from schemas.content import Text
from schemas.operation import State, Title
from tests.service.scenes import THREAD, append, claim, make, settle
from tests.stages.routes import CONFIG, US, change, flow

STATE = State(link_id=1, state="in_progress")


def book(conn: Conn) -> Casebook:
    """With a flow that reads a thread's own states as they stand."""
    return Casebook(conn, CONFIG, [flow(state_of=lambda found, _: f"{found.snapshot.state}:")])


def item(found: Change) -> OpenChange:
    """As transform would hold it."""
    return OpenChange(1, found.ref.system, "thread:thr_1", found.external_id, found, found.at)


def of_thread(kind: ChangeKind = ChangeKind.SAID, **more: Any) -> Change:
    """A change of the thread of case 1, under our account."""
    return change(more.pop("name", "post:p1"), kind, ref=THREAD, **({"author": US} | more))


def written(conn: Conn, operation: Any = None) -> tuple[int, str]:
    """A delivery to Trading Grid under way; its id and mark."""
    append(conn, make("ours", target="trading_grid", **({} if operation is None else {"operation": operation})))
    held = claim(conn, "trading_grid")[0]
    return held.delivery_id, held.mark


def test_our_mark_under_our_account_is_an_echo(conn: Conn) -> None:
    """Even before the delivery has settled."""
    delivery, mark = written(conn)
    assert book(conn).echo(item(of_thread(marks=(mark,))), [1]) == delivery


def test_our_mark_under_another_account_is_somebody_quoting_us(conn: Conn) -> None:
    """A person who pastes a comment with its last line is a person (promise P5)."""
    _, mark = written(conn)
    theirs = change("c1", ref=THREAD, marks=(mark,))
    assert book(conn).echo(item(theirs), [1]) is None


def test_a_mark_of_another_case_is_no_echo(conn: Conn) -> None:
    """Copied from one thread into another."""
    _, mark = written(conn)
    assert book(conn).echo(item(of_thread(marks=(mark,))), [2]) is None


def test_a_recorded_part_is_an_echo(conn: Conn) -> None:
    """The receipt named the post: no mark is needed."""
    append(conn, make("ours", target="trading_grid"))
    held = claim(conn, "trading_grid")[0]
    settle(conn, held, receipt=Receipt(parts=(("post", "p1"),)), queue="trading_grid")
    assert book(conn).echo(item(of_thread()), [1]) == held.delivery_id
    assert book(conn).echo(item(of_thread(name="post:p2", part_id="p2")), [1]) is None


def test_a_title_is_known_by_its_words_once(conn: Conn) -> None:
    """A write excuses one change; the same title set again by a person under our account is theirs."""
    delivery, _ = written(conn, Title(link_id=1, title=Text("same")))
    titled = item(change("same", ChangeKind.TITLE, ref=THREAD, author=US))
    assert book(conn).echo(titled, [1]) == delivery
    assert book(conn).echo(titled, [1]) is None


def test_a_state_is_known_by_its_milestone(conn: Conn) -> None:
    """In canonical words; another state under our account is a person's, once ours has come back."""
    delivery, _ = written(conn, STATE)
    ours = item(of_thread(ChangeKind.STATE, snapshot={"state": "in_progress"}))
    assert book(conn).echo(ours, [1]) == delivery


def test_a_hop_on_the_way_to_our_state_is_an_echo(conn: Conn) -> None:
    """Some workflows lead through another state: it happened while ours was being written."""
    append(conn, make("ours", target="trading_grid", operation=STATE))
    held = claim(conn, "trading_grid")[0]
    settle(conn, held, queue="trading_grid")
    row = conn.execute("select at from attempt").fetchone()
    assert row is not None
    hop = of_thread(ChangeKind.STATE, snapshot={"state": "assigned"})
    during, after = (item(_at(hop, row[0] + timedelta(seconds=seconds))) for seconds in (-1, 60))
    assert book(conn).echo(after, [1]) is None
    assert book(conn).echo(during, [1]) == held.delivery_id


def _at(found: Change, at: Any) -> Change:
    return structs.replace(found, at=at)


def test_an_object_that_a_create_is_about_to_bind_waits(conn: Conn) -> None:
    """It names a thread whose case has an item on its way: perhaps this very one."""
    conn.execute("insert into link (case_id, system, kind) values (1, 'gemini', 'item')")
    seen = change(
        "created:7", ChangeKind.OPENED, ref=ObjectRef("gemini", "item", "7"), snapshot={"bound": (str(THREAD),)}
    )
    assert book(conn).must_wait(item(seen), [])
    conn.execute("update link set state = 'bound', external_id = '9' where system = 'gemini'")
    assert not book(conn).must_wait(item(seen), [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a:b:c:d", ObjectRef("a", "b", "c:d")), ("a:b", None), ("a::c", None), ("", None)],
)
def test_a_reference_is_parsed_or_refused(text: str, expected: ObjectRef | None) -> None:
    """People write into the same fields."""
    assert parse_ref(text) == expected

"""Lanes that nobody may forget: their next delivery ended while it waited for another one."""

from pipeline.store import lanes
from pipeline.store.pool import Conn
from schemas.operation import State
from tests.service.scenes import append, claim, create, deliver_all, make


def test_a_status_superseded_while_it_waited_for_a_need_does_not_hold_up_its_lane(conn: Conn) -> None:
    """The item is made; the older status is passed over, the newer one arrives."""
    made = create()
    append(conn, made, make("older", target="zendesk", operation=State(link_id=1, state="assigned"), needs=(made,)))
    append(conn, make("newer", target="zendesk", operation=State(link_id=1, state="in_progress")))
    deliver_all(conn)
    assert deliver_all(conn, "zendesk") == [2, 3]


def test_the_sweep_finds_such_a_lane_too(conn: Conn) -> None:
    """A crash between the settle and its wake leaves the lane to the sweep."""
    made = create()
    append(conn, made, make("older", target="zendesk", operation=State(link_id=1, state="assigned"), needs=(made,)))
    append(conn, make("newer", target="zendesk", operation=State(link_id=1, state="in_progress")))
    conn.execute("update lane set head = tail, intent = tail, due = null where target = 'gemini'")
    assert claim(conn, "zendesk") == []
    assert lanes.wake_stranded(conn) == {"zendesk"}
    assert deliver_all(conn, "zendesk") == [2, 3]

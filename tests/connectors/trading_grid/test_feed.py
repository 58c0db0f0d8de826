"""The feed and, where it forgot, the sweep."""

from typing import Any

import pytest

from pipeline.connector import Pending
from pipeline.connectors.trading_grid import CONNECTOR
from pipeline.errors import PermanentError
from schemas.change import ChangeKind
from tests.connectors.trading_grid.desk import ENV, Scripted, answer, config, payload
from tests.connectors.trading_grid.test_read import world

SOURCE = CONNECTOR.source(ENV, config())
FEED = payload("events_of_one_thread")
INFO = {"name": "Trading Grid", "time": "2026-11-20T08:00:00Z"}
LATEST = {"page": {"has_more": False, "next_cursor": "c_now"}}
EXPIRED = answer(410, {"code": "cursor_expired", "earliest_cursor": "c_51002"})
SINCE = "2026-11-02T09:55:00Z"


def feed(after: str, body: Any, **more: Any) -> Scripted:
    return Scripted({f"/events?after={after}&limit=500": body, "/events?after=latest&limit=500": LATEST,
                     "/service-info": INFO, **more})  # fmt: skip


def test_it_starts_now_and_never_in_the_past() -> None:
    """Given a first start, when the cursor is asked for, then it is the newest one, with the server's time."""
    assert SOURCE.start(feed("latest", LATEST)) == {"after": "c_now", "at": INFO["time"]}


def test_a_page_gives_one_signal_an_event() -> None:
    """Given five events, when polled, then five signals in order, each naming its thread, and the next cursor."""
    page = SOURCE.poll({"after": "c_1", "at": None}, feed("c_1", FEED))
    assert [signal.key for signal in page.signals] == ["evt_1", "evt_2", "evt_3", "evt_4", "evt_5"]
    assert {signal.object for signal in page.signals} == {"thread:thr_905"}
    assert [signal.position for signal in page.signals] == [88121, 88122, 88124, 88125, 88127]
    assert page.cursor == {"after": "c_88127", "at": "2026-11-02T11:00:07.412Z"}
    assert page.more is False


def test_an_empty_page_keeps_its_place() -> None:
    """Given nothing new and no `_embedded`, when polled, then no signal and the cursor of the answer."""
    page = SOURCE.poll({"after": "c_1", "at": "t"}, feed("c_1", {"page": {"has_more": False, "next_cursor": "c_1"}}))
    assert (page.signals, page.cursor) == ((), {"after": "c_1", "at": "t"})


def test_events_without_a_thread_name_their_resource() -> None:
    """Given an event about an onboarding requirement, when polled, then that is what has to be read."""
    event = {**FEED["_embedded"]["collection"][4], "thread_id": None}
    event["resource"] = {"type": "onboarding_requirement", "id": "req_1", "revision": 2, "href": "/x"}
    page = SOURCE.poll({"after": "c_1"}, feed("c_1", {"_embedded": {"collection": [event]}, "page": FEED["page"]}))
    assert page.signals[0].object == "onboarding_requirement:req_1"


def test_a_line_that_is_no_event_does_not_stop_the_feed() -> None:
    """Given one malformed line among good ones, when polled, then it is a signal of its own that its reader refuses."""
    lines = [{"id": "evt_bad", "type": "post.created"}, FEED["_embedded"]["collection"][0]]
    page = SOURCE.poll({"after": "c_1"}, feed("c_1", {"_embedded": {"collection": lines}, "page": FEED["page"]}))
    assert [signal.object for signal in page.signals] == ["event:evt_bad", "thread:thr_905"]


def test_it_waits_as_long_as_it_is_told_to() -> None:
    """Given `long_poll_seconds`, when polled, then the server is asked to wait."""
    source = CONNECTOR.source(ENV, config(long_poll_seconds=20))
    http = Scripted({"/events?after=c_1&limit=500&wait=20": FEED})
    assert len(source.poll({"after": "c_1"}, http).signals) == 5


@pytest.mark.parametrize("refusal", [EXPIRED, answer(400, {"code": "invalid_cursor"})], ids=["expired", "foreign"])
def test_a_lost_cursor_begins_a_sweep_from_the_newest(refusal: Any) -> None:
    """Given 410, when polled, then the newest cursor is taken first and a sweep since the last event begins."""
    page = SOURCE.poll({"after": "c_1", "at": "2026-11-02T10:00:00Z"}, feed("c_1", refusal))
    assert page.cursor == {"after": "c_now", "at": INFO["time"], "sweep": {"since": SINCE, "cursor": None}}
    assert (page.signals, page.more) == ((), True)


def test_another_refusal_is_no_lost_cursor() -> None:
    """Given 400 for another reason, when polled, then it is an error and no sweep."""
    with pytest.raises(PermanentError):
        SOURCE.poll({"after": "c_1"}, feed("c_1", answer(400, {"code": "invalid_request"})))


def test_a_sweep_goes_page_by_page_and_back_to_the_feed() -> None:
    """Given two pages of threads, when swept, then each thread is a signal and the feed goes on where it was taken."""
    query = f"/threads?sortby=create_time asc&items-per-page=200&updated-after={SINCE}"
    pages = {
        query: {"_embedded": {"collection": [{"id": "thr_1", "revision": 4}]},
                "page": {"has_more": True, "next_cursor": "p2"}},
        f"{query}&cursor=p2": {"_embedded": {"collection": [{"id": "thr_2", "revision": 9}]},
                               "page": {"has_more": False, "next_cursor": None}},
    }  # fmt: skip
    http = Scripted(pages)
    begin = {"after": "c_now", "at": "t", "sweep": {"since": SINCE, "cursor": None}}
    first = SOURCE.poll(begin, http)
    second = SOURCE.poll(first.cursor, http)
    assert [signal.key for signal in (*first.signals, *second.signals)] == ["sweep:thr_1:4", "sweep:thr_2:9"]
    assert (first.more, second.more, second.cursor) == (True, True, {"after": "c_now", "at": "t"})


def swept(known: dict[str, Any], http: Scripted | None = None, since: str | None = SINCE) -> Any:
    """One sweep's reading of the recorded thread."""
    listed = {"_embedded": {"collection": [payload("thread_exception")]}, "page": {"has_more": False}}
    begin = {"after": "c_now", "at": "t", "sweep": {"since": since, "cursor": None}}
    page = SOURCE.poll(begin, Scripted({"/threads": listed}))
    return SOURCE.read(Pending("thread:thr_905", page.signals, known), http or world())


def test_a_sweep_tells_a_new_thread_whole() -> None:
    """Given a thread that was opened while the feed forgot, when swept, then opening and posts come by their ids."""
    reading = swept({})
    assert [change.external_id for change in reading.changes] == [
        "created:thr_905", "post:pst_1:r1", "post:pst_2:r1", "post:pst_3:r1"]  # fmt: skip
    assert reading.changes[0].kind is ChangeKind.OPENED
    assert reading.changes[2].files[0].external_id == "doc_pod"


def test_a_sweep_leaves_the_past_alone() -> None:
    """Given a thread from before the first start that was touched since, when swept, then its old posts stay untold."""
    assert swept({}, since="2026-11-02T11:15:00Z").changes[0].part_id == "pst_3"
    assert swept({}, since=None).changes == ()


def test_a_sweep_tells_what_changed_since_the_last_reading() -> None:
    """Given a known thread, when swept, then new posts, edits, redactions, state and title are told, and no more."""
    known = {"state": "new", "awaiting_reason": None, "title": "Short", "posts": {"pst_1": 1, "pst_2": 1}}
    gone = {"revision": 2, "body": None, "redacted": {"time": "2026-11-02T12:00:00Z", "reason": "x"}}
    edited = {"revision": 3, "edited": True}
    reading = swept(known, world(pst_1=edited, pst_2=gone))
    assert [(change.external_id, change.kind) for change in reading.changes] == [
        ("post:pst_1:r3", ChangeKind.EDITED),
        ("post:pst_2:r2", ChangeKind.REDACTED),
        ("post:pst_3:r1", ChangeKind.SAID),
        ("thread:thr_905:r3:state", ChangeKind.STATE),
        ("thread:thr_905:r3:title", ChangeKind.TITLE),
    ]


def test_a_sweep_of_what_is_known_tells_nothing() -> None:
    """Given a thread that was told whole, when swept, then there is nothing new."""
    assert swept(dict(swept({}).known)).changes == ()


def test_after_a_sweep_the_feed_repeats_nothing() -> None:
    """Given a swept thread, when the feed brings the same posts and states, then nothing is told twice."""
    known = dict(swept({}).known)
    signals = SOURCE.poll({"after": "c_1"}, feed("c_1", FEED)).signals
    assert len(SOURCE.read(Pending("thread:thr_905", signals, {}), world()).changes) == 5
    again = SOURCE.read(Pending("thread:thr_905", signals, known), world())
    assert [change.external_id for change in again.changes] == ["evt_5"]  # a breach: no sweep tells of that

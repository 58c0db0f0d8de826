"""The event feed: cursors, filters, long poll, expiry."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest

from tests.sandbox.trading_grid.community import Caller, Community


def latest(caller: Caller) -> str:
    """The cursor of now."""
    return str(caller.get("/events", params={"after": "latest"})["page"]["next_cursor"])


def test_sequences_rise_with_gaps(hub: Caller) -> None:
    """Given some writes, when the feed is read, then sequences strictly rise and are not all neighbours."""
    thread = hub.thread()
    for number in range(5):
        hub.say(thread, f"post {number}")

    sequences = [event["sequence"] for event in hub.events()]

    steps = {later - earlier for earlier, later in pairwise(sequences)}
    assert min(steps) > 0
    assert len(steps) > 1


def test_each_event_comes_once_in_pages_of_any_size(hub: Caller) -> None:
    """Given seven events, when read three at a time, then each comes once, in order; nothing new has no
    `_embedded`."""
    thread = hub.thread()
    for number in range(6):
        hub.say(thread, f"post {number}")

    small = [event["id"] for event in hub.events(limit="3")]

    assert small == [event["id"] for event in hub.events()]
    assert len(set(small)) == 7
    assert "_embedded" not in hub.get("/events", params={"after": latest(hub)})


def test_a_long_poll_ends_with_the_next_event(hub: Caller, acme: Caller) -> None:
    """Given a waiting reader, when a post is written, then its poll answers with it, long before the time is over."""
    thread, cursor = acme.thread(), latest(hub)

    with ThreadPoolExecutor(1) as pool:
        poll = pool.submit(hub.get, "/events", params={"after": cursor, "wait": "30"})
        post = acme.say(thread, "are you there?")
        page: Any = poll.result(timeout=20)

    assert [event["resource"]["id"] for event in page["_embedded"]["collection"]] == [post["id"]]


def test_filters_narrow_the_feed(hub: Caller, acme: Caller) -> None:
    """Given events of many kinds, when filtered by type, partner or own writes, then only those come."""
    thread = acme.thread()
    hub.say(thread, "ours")
    acme.say(thread, "theirs")
    hub.thread("prt_globex")

    assert {event["type"] for event in hub.events(types="thread.*")} == {"thread.created"}
    assert len(hub.events(types="post.created,thread.updated")) == 2
    assert {event["partner_id"] for event in hub.events(partner_id="prt_globex")} == {"prt_globex"}
    assert {event["actor"]["type"] for event in hub.events(exclude_own="true")} == {"partner_user"}


@pytest.mark.parametrize("how", ["clock", "switch"])
def test_an_expired_cursor_is_410_and_names_the_earliest(community: Community, hub: Caller, how: str) -> None:
    """Given a cursor before the oldest kept event, when used, then 410 cursor_expired with a cursor that works."""
    thread, cursor = hub.thread(), latest(hub)
    hub.say(thread, "soon forgotten")

    if how == "clock":
        community.later(31 * 86_400)
    else:
        community.switch(expire_cursors=True)

    later = community.caller("casebridge")
    gone = later.get("/events", 410, params={"after": cursor})
    assert gone["code"] == "cursor_expired"
    later.get("/events", params={"after": gone["earliest_cursor"]})
    assert later.get("/events", 400, params={"after": "c_rubbish"})["code"] == "invalid_cursor"


def test_surprises_show_what_readers_must_ignore(community: Community, hub: Caller) -> None:
    """Given surprises switched on, when read, then an unknown event type and an unknown member come along."""
    reader = community.caller("casebridge", checked=False)
    thread = hub.thread()

    community.switch(surprises=True)

    assert reader.get(f"/threads/{thread['id']}")["x_unknown_member"] is True
    assert "galaxy.collided" in [event["type"] for event in reader.events()]

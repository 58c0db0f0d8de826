"""Polling without pages: whatever the site cuts off is asked for again in smaller windows."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.connectors.gemini import CONNECTOR, search
from pipeline.plan import Request
from tests.connectors.gemini.desk import Script, config_of, env_of

START = datetime(2026, 3, 1, tzinfo=UTC)
ME = {"BaseEntity": {"Id": 9, "Username": "casebridge"}}


class Site:
    """Answers searches as the vendor does: days are the grain, MaxItemsToReturn cuts, no order is promised."""

    def __init__(self, revised: list[datetime]) -> None:
        self.items = list(enumerate(revised, 1))
        self.searches: list[Any] = []
        self.http = Script({"POST /items/filtered": self.search, "GET /users/username/casebridge": ME})

    def search(self, request: Request) -> Any:
        self.searches.append(request.body)
        after, before = request.body.get("RevisedAfter", ""), request.body.get("RevisedBefore", "9999")
        found = [(number, at) for number, at in self.items if after <= at.date().isoformat() < before]
        shown = found[:: -1 if len(self.searches) % 2 else 1][: request.body["MaxItemsToReturn"]]
        return [{"BaseEntity": {"Id": number}, "Revised": at.isoformat()} for number, at in shown]


def poll(site: Site, watermark: datetime) -> Any:
    """One poll from a watermark."""
    source = CONNECTOR.source(env_of("https://gemini.example"), config_of())
    return source.poll({"watermark": watermark.isoformat()}, site.http)


@pytest.mark.parametrize("days", [0, 1, 40], ids=["one day", "two days", "weeks"])
def test_more_items_than_one_answer_holds_are_all_found(days: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given more changes than one answer holds, when polled, then every one is signalled, oldest first."""
    monkeypatch.setattr(search, "MOST", 10)
    site = Site([START + timedelta(days=days * number / 70, seconds=number) for number in range(70)])
    page = poll(site, START - timedelta(hours=1))
    assert [signal.object for signal in page.signals] == [f"item:{number}" for number in range(1, 71)]
    assert page.cursor == {"watermark": site.items[-1][1].isoformat()}


def test_the_filter_asks_a_day_back_and_for_closed_items(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a watermark, when polled, then the day before it is asked for, closed items too, in our project."""
    site = Site([START])
    page = poll(site, START + timedelta(hours=1))
    assert site.searches == [
        {"Projects": "|12|", "IncludeClosed": True, "MaxItemsToReturn": 500, "RevisedAfter": "2026-02-28"}
    ]
    assert not page.signals
    assert page.cursor == {"watermark": (START + timedelta(hours=1)).isoformat()}


def test_the_overlap_is_signalled_again_under_the_same_key() -> None:
    """Given an item within the overlap, when polled twice, then its signal's key is the same."""
    site = Site([START])
    first, second = (poll(site, START + timedelta(minutes=4)) for _ in range(2))
    assert first.signals == second.signals
    assert first.signals[0].key.startswith("item:1:2026-03-01T00:00:00+00:00:")


def test_the_start_finds_the_newest_whatever_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a site that cuts its list anywhere, when casebridge starts, then the largest Revised is the cursor."""
    monkeypatch.setattr(search, "MOST", 10)
    site = Site([START + timedelta(days=number) for number in range(70)])
    source = CONNECTOR.source(env_of("https://gemini.example"), config_of())
    assert source.start(site.http) == {"watermark": site.items[-1][1].isoformat()}

"""Polling without pages: windows of days that are halved until every answer is known to be complete."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pipeline.connector import Page, Signal
from pipeline.connectors.gemini.records import Seen
from pipeline.connectors.gemini.site import Site

MOST = 500  # items an answer; the only size control there is (sheet, section 3.2)
DAY = timedelta(days=1)


def poll(site: Site, cursor: Mapping[str, Any]) -> Page:
    """Signals for what was revised since the watermark, and the largest Revised seen as the next one.

    The watermark is the site's own time, never our clock: two clocks never agree.
    """
    watermark = _parse(cursor.get("watermark"))
    found = changed_since(site, watermark)
    site.verify()  # an anonymous answer is merely shorter: it must not move the watermark
    horizon = watermark - site.options.overlap if watermark else None
    fresh = [item for item in found if item.revised is None or horizon is None or item.revised > horizon]
    fresh.sort(key=lambda item: (item.revised or datetime.min.replace(tzinfo=UTC), item.id))
    return Page(tuple(_signal(item) for item in fresh), _cursor(found, watermark))


def start(site: Site) -> Mapping[str, Any]:
    """The first cursor: the largest Revised there is now. An empty project starts at its first item."""
    newest = _largest(site.search({"SortField": "DateRevised"}, MOST), None)
    found = changed_since(site, newest) if newest else ()  # whatever order the site sorted in, nothing is newer
    site.verify()
    return _cursor(found, newest)


def changed_since(site: Site, watermark: datetime | None) -> tuple[Seen, ...]:
    """Every item revised after the watermark, and some before: RevisedAfter is a day in an unsure zone."""
    after = (watermark - DAY).date() if watermark else None
    found: dict[tuple[int, datetime | None, str], Seen] = {}
    for item in _collect(site, after, None, MOST):
        found[item.id, item.revised, item.print] = item
    return tuple(found.values())


def _collect(site: Site, after: date | None, before: date | None, most: int) -> Iterable[Seen]:
    """The items of [after, before), complete: a full answer is asked for again in two halves."""
    rows = site.search(_bounds(after, before), most)
    if len(rows) < most:
        return rows
    newest_day = max((row.revised.date() for row in rows if row.revised), default=after)
    if after is None or newest_day is None:
        return _collect(site, after, before, most * 2)
    middle = after + max(((before or newest_day + DAY) - after) // 2, DAY)
    if before is not None and middle >= before:
        return _collect(site, after, before, most * 2)  # a day is the smallest window: raise the bound
    return [*_collect(site, after, middle, most), *_collect(site, middle, before, most)]


def _bounds(after: date | None, before: date | None) -> dict[str, str]:
    """Days as the site takes them. One day more at the end: whether either bound is inclusive is unknown."""
    bounds = {"RevisedAfter": after.isoformat()} if after else {}
    return bounds | ({"RevisedBefore": (before + DAY).isoformat()} if before else {})


def _signal(item: Seen) -> Signal:
    revised = item.revised.isoformat() if item.revised else ""
    return Signal(key=f"item:{item.id}:{revised}:{item.print}", object=f"item:{item.id}")


def _largest(found: Iterable[Seen], otherwise: datetime | None) -> datetime | None:
    return max((item.revised for item in found if item.revised), default=otherwise)


def _cursor(found: Iterable[Seen], watermark: datetime | None) -> dict[str, Any]:
    newest = max(filter(None, (_largest(found, None), watermark)), default=None)
    return {"watermark": newest.isoformat() if newest else None}


def _parse(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None

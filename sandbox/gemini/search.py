"""`POST items/filtered`: no paging, day filters, closed items only when asked for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from .dto import is_closed
from .errors import RefusedError
from .fields import text, whole
from .model import Item, User
from .site import Site, may_read
from .spelling import unpiped

Test = Callable[[Item], bool]

_MEMBERS = {
    "Types": "TypeId",
    "Statuses": "StatusId",
    "Priorities": "PriorityId",
    "Severities": "SeverityId",
    "Resolutions": "ResolutionId",
}


def found(site: Site, reader: User, asked: dict[str, Any]) -> list[Item]:
    """The items that match and that the reader may see, newest revision first unless asked otherwise."""
    tests = _tests(site, reader, asked)
    matching = (item for item in site.newest_first() if all(test(item) for test in tests))
    wanted = sorted(matching, key=_sort_key(asked), reverse=not _ascending(asked.get("SortOrder")))
    most = whole(asked.get("MaxItemsToReturn") or 0, "MaxItemsToReturn")
    return wanted[:most] if most > 0 else wanted


def _tests(site: Site, reader: User, asked: dict[str, Any]) -> list[Test]:
    tests: list[Test] = [lambda item: may_read(reader, item.fields["Visibility"])]
    tests += _date_tests(site, asked)
    if str(asked.get("IncludeClosed", "false")).lower() != "true":
        tests.append(lambda item: not is_closed(item))
    tests += _id_tests(asked)
    words = text(asked.get("SearchKeywords"), "SearchKeywords").casefold().split()
    if words:
        tests.append(
            lambda item: all(
                word in f"{item.fields['Title']} {item.fields['Description']}".casefold() for word in words
            )
        )
    if asked.get("ReportedByUserId"):
        reporter = whole(asked["ReportedByUserId"], "ReportedByUserId")
        tests.append(lambda item: item.fields["ReportedBy"] == reporter)
    return tests


def _date_tests(site: Site, asked: dict[str, Any]) -> list[Test]:
    fine = site.settings.revised_after_grain == "second"
    after, before = _bound(asked, "RevisedAfter", fine=fine), _bound(asked, "RevisedBefore", fine=fine)
    made_after, made_before = _bound(asked, "CreatedAfter"), _bound(asked, "CreatedBefore")
    return [
        test
        for bound, test in (
            (after, lambda item: item.revised > after),
            (before, lambda item: item.revised < before),
            (made_after, lambda item: item.created > made_after),
            (made_before, lambda item: item.created < made_before),
        )
        if bound is not None
    ]


def _id_tests(asked: dict[str, Any]) -> list[Test]:
    tests: list[Test] = []
    if asked.get("Projects") and text(asked["Projects"], "Projects").upper() != "ALL":
        projects = set(unpiped(text(asked["Projects"], "Projects"), "Projects"))
        tests.append(lambda item: item.project_id in projects)
    if asked.get("Issues"):
        numbers = set(unpiped(text(asked["Issues"], "Issues"), "Issues"))
        tests.append(lambda item: item.id in numbers)
    if asked.get("Resources"):
        people = set(unpiped(text(asked["Resources"], "Resources"), "Resources"))
        tests.append(lambda item: bool(people & set(unpiped(item.fields["Resources"], "Resources"))))
    return tests + [
        _member_test(member, set(unpiped(text(asked[name], name), name)))
        for name, member in _MEMBERS.items()
        if asked.get(name)
    ]


def _member_test(member: str, wanted: set[int]) -> Test:
    return lambda item: item.fields[member] in wanted


def _bound(asked: dict[str, Any], name: str, *, fine: bool = False) -> datetime | None:
    """The moment of a date filter: midnight UTC of its day unless the site reads finer; raises RefusedError."""
    given = text(asked.get(name), name)
    if not given:
        return None
    try:
        moment = datetime.fromisoformat(given)
    except ValueError as error:
        raise RefusedError(400, f"{name} is not a date: {given!r}") from error
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment if fine else moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _sort_key(asked: dict[str, Any]) -> Callable[[Item], tuple[datetime, int]]:
    if text(asked.get("SortField"), "SortField") == "DateCreated":
        return lambda item: (item.created, item.id)
    return lambda item: (item.revised, item.version)


def _ascending(order: object) -> bool:
    """The spelling of SortOrder is unknown: asc..., or 0, is taken for ascending, all else for descending."""
    return order == 0 or str(order).lower().startswith("asc")

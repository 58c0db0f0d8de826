"""200 events over 20 cases through real processes, which are killed, flushed and lied to; the effect logs judge."""

from pathlib import Path

import pytest

from tests.acceptance import checker
from tests.acceptance.deployment import Deployment, deployed, wait_for

CASES = [f"c{n:02d}" for n in range(20)]
FROM_THREADS, FROM_TICKETS = CASES[:10], CASES[10:]
POSTS = 9  # and the words that open the case: ten events each
LOST = {"fault": "lost_answer", "rate": 0.1, "seed": 7}
LOST_ROUTES = {
    "gemini": ["POST /gemini/api/items", "POST /gemini/api/items/*/comments", "PUT /gemini/api/items"],
    "zendesk": ["PUT /api/v2/tickets/*", "POST /api/v2/tickets*"],
    "trading_grid": ["POST /active-community/v1/threads*", "PUT /active-community/v1/threads/*"],
}
pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(300)]


def begin(town: Deployment) -> dict[str, str]:
    """Ten partners' threads and ten escalated tickets; returns case -> thread."""
    threads = {}
    for case in FROM_THREADS:
        ids = town.people.open_thread("acme", f"Case {case}", f"token-{case}-0", po_number=f"PO-{case}")
        threads[case] = ids["thread_id"]
    for case in FROM_TICKETS:
        ids = town.people.open_ticket(501, f"Case {case}", "from a customer", field_360005=f"token-{case}-0")
        town.people.escalate(ids["ticket_id"])
    wait_for(
        lambda: len(opened(town)) == len(CASES),
        seconds=60,
        why=lambda: f"not every case has its thread: {sorted(opened(town))}",
    )
    return threads | {case: opened(town)[case] for case in FROM_TICKETS}


def opened(town: Deployment) -> dict[str, str]:
    """Case -> thread, by the title in the community's own log."""
    made = [entry for entry in town.people.journal("trading_grid") if entry["effect"] == "thread_created"]
    return {entry["title"].removeprefix("Case "): entry["obj"] for entry in made}


def fire(town: Deployment, threads: dict[str, str], *, kills: bool) -> None:
    """Nine posts a case, while workers die and Redis forgets."""
    victims = iter(("dispatch", "transform", "ingest"))
    for number in range(1, POSTS + 1):
        for case, thread in threads.items():
            partner = "acme" if case in FROM_THREADS else "globex"
            town.people.post(partner, thread, f"token-{case}-{number}")
        if kills and number in (2, 4, 6):
            town.kill(next(victims))
        if kills and number in (3, 7):
            town.flush_redis()


def judge(town: Deployment) -> checker.Verdict:
    """All posts at their item or ticket, once each, in order; one item a thread, one thread a ticket."""
    grid, gemini, zendesk = (town.people.journal(name) for name in ("trading_grid", "gemini", "zendesk"))
    said = checker.said_by_people(grid, "post_created")
    items = checker.compare(said, checker.said_by_us(gemini, "item_created", "comment_added"), FROM_THREADS)
    tickets = checker.compare(said, checker.said_by_us(zendesk, "comment_added"), FROM_TICKETS)
    return checker.Verdict(
        items.expected + tickets.expected,
        items.lost + tickets.lost,
        items.doubled + tickets.doubled + checker.once_each(gemini, "item_created", "title")
        + checker.once_each(grid, "thread_created", "title"),
        items.out_of_order + tickets.out_of_order,
    )  # fmt: skip


def lose_answers(town: Deployment) -> None:
    """One answer in ten is lost after its effect."""
    for system, routes in LOST_ROUTES.items():
        for route in routes:
            town.people.switch(system, "faults", {"route": route, **LOST}, "POST")


def test_nothing_is_lost_doubled_or_out_of_order(tmp_path: Path, database_url: str, redis_url: str) -> None:
    """Given kills, flushes and lost answers, when all is quiet again, then the effect logs hold everything once."""
    with deployed(tmp_path, database_url, redis_url) as town:
        lose_answers(town)
        fire(town, begin(town), kills=True)
        wait_for(
            lambda: not town.unfinished(),
            seconds=120,
            why=lambda: f"still at work: {town.unfinished()} {town.lines[-20:]}",
        )
        verdict = judge(town)
    assert verdict.expected == len(FROM_THREADS) * (POSTS + 1) + len(FROM_TICKETS) * POSTS
    assert verdict.clean, str(verdict)


def test_without_the_look_up_the_checker_turns_red(tmp_path: Path, database_url: str, redis_url: str) -> None:
    """The same fire with the look-up switched off doubles effects: the check can fail."""
    with deployed(tmp_path, database_url, redis_url, app="tests.acceptance.without_look_up") as town:
        lose_answers(town)
        fire(town, begin(town), kills=False)
        wait_for(
            lambda: not town.unfinished(),
            seconds=120,
            why=lambda: f"still at work: {town.unfinished()} {town.lines[-20:]}",
        )
        assert judge(town).doubled

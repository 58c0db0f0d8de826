"""The pages as people see them: with real data, on a narrow screen, without JavaScript, without a complaint."""

from collections.abc import Iterator
from urllib.parse import urljoin

import pytest
import requests

from pipeline.store import targets
from tests.browser.conftest import NARROW, WIDE, Looking
from tests.flows.scenes import open_case, open_thread, said_in_gemini
from tests.town import Town
from tests.web.served import running, until
from workers.web.app import create

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(120)]
MODES = pytest.mark.parametrize("looking", ["plain", "javascript"], indirect=True)


@pytest.fixture
def status_page(town: Town) -> Iterator[str]:
    """The web process over a town in which a delivery waits and two changes died."""
    case = open_case(town)
    town.configure(lambda text: text.replace("In Progress: in_progress", "Elsewhere: in_progress"))
    town.people.set_status(case.item, "Assigned")
    town.people.set_status(case.item, "In Progress")
    town.run()
    with town.world.connection() as conn:
        targets.pause(conn, "gemini", paused=True, actor="test", reason="by hand")
    town.people.post("acme", case.thread, "One carton is wet.")
    town.run()
    with running(create(town.world, None)) as port:
        url = f"http://127.0.0.1:{port}"
        until(lambda: "start" not in requests.get(f"{url}/readyz", timeout=15).json()["missing"], "the watcher looks")
        yield f"{url}/"


@MODES
def test_the_status_page_tells_what_waits_and_what_died(looking: Looking, status_page: str) -> None:
    """Given a paused target and a dead letter, when the page is opened, then both stand there with their commands."""
    looking.page.goto(status_page)
    text = looking.page.inner_text("body")
    assert "casebridge resume gemini" in text
    assert "casebridge dead list --target transform --reason unmapped_status" in text
    assert looking.page.locator("h1").inner_text() == "casebridge"
    for width in (NARROW, WIDE):
        looking.assert_fits(width)


@MODES
def test_a_partner_opens_a_thread_and_reads_the_receipt(looking: Looking, town: Town) -> None:
    """Given the sandbox's pages, when a partner fills in the forms, then casebridge answers on the same page."""
    page = looking.page
    page.goto(town.people.urls["trading_grid"] + "/")
    looking.assert_fits(NARROW)
    page.get_by_role("link", name="Acme Logistics").click()
    looking.assert_fits(NARROW)
    page.get_by_label("Title").fill("Short shipment on PO 4711")
    page.get_by_label("First post").fill("Two of twelve pallets are missing.")
    page.locator("[name=exception_type]").select_option("short_shipment")
    page.get_by_role("button", name="Open thread").click()
    assert page.get_by_text("Two of twelve pallets are missing.").is_visible()
    looking.assert_fits(NARROW)

    town.run()
    page.reload()
    assert page.get_by_text("We have received your message. Your case number is HELP-").first.is_visible()
    for width in (NARROW, WIDE):
        looking.assert_fits(width)


def test_every_person_page_fits(looking: Looking, town: Town) -> None:
    """Given cases with words in them, when each page that a start page links is opened, then it fits and is quiet."""
    thread = open_thread(town, text="A-word-that-is-long-and-has-no-place-to-break-" * 6)
    town.run()
    town.people.post("acme", thread, "One carton is wet.")
    ticket = town.people.open_ticket(500, "Cartons missing", "The customer waits.")["ticket_id"]
    town.people.escalate(ticket)
    town.run()
    assert said_in_gemini(town)
    for system, url in town.people.urls.items():
        looking.page.goto(f"{url}/")
        looking.assert_fits(NARROW)
        found = [link.get_attribute("href") for link in looking.page.get_by_role("link").all()]
        assert found, f"{system} has no page to look at"
        for href in dict.fromkeys(href for href in found if href):
            looking.page.goto(urljoin(url, href))
            looking.assert_fits(NARROW)

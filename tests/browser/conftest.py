"""Debian's Chromium under Playwright: a fresh profile for each test, each of its complaints written down."""

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from tests.contracts.wire import require_by_contract
from tests.town import Town, sandbox

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
NARROW, WIDE = 320, 1280  # CSS pixels; 320 is what WCAG 2.2 asks for (1.4.10 Reflow)


@dataclass
class Looking:
    """One page and what its browser complained about."""

    page: Page
    pictures: Path
    complaints: list[str] = field(default_factory=list)

    def heard(self, message: ConsoleMessage) -> None:
        """Errors and warnings of the console; a violated content policy is among them."""
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.type}: {message.text}")

    def failed(self, request: Request) -> None:
        """A style sheet or picture that did not come."""
        self.complaints.append(f"failed: {request.url} {request.failure}")

    def assert_fits(self, width: int) -> None:
        """At this width nothing sticks out sideways, and nothing was complained about; a picture is kept."""
        self.page.set_viewport_size({"width": width, "height": 800})
        name = "-".join(re.findall(r"\w+", urlsplit(self.page.url).path)) or "start"
        self.page.screenshot(path=self.pictures / f"{name}-{width}.png", full_page=True)
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{self.page.url} is {wide} px wide in a window of {width} px"
        assert not self.complaints, self.complaints


@pytest.fixture
def looking(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Looking]:
    """A page without JavaScript, unless the test is given `javascript` as its parameter."""
    if shutil.which(CHROMIUM) is None:
        if os.environ.get("CI"):
            pytest.fail(f"{CHROMIUM} is missing: .ci/run installs it")
        pytest.skip(f"{CHROMIUM} is missing: apt-get install chromium")
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path / "profile",
            executable_path=CHROMIUM,
            args=FLAGS,
            chromium_sandbox=False,
            java_script_enabled=getattr(request, "param", "") == "javascript",
            env={**os.environ, "HOME": str(tmp_path)},
        )
        yield _looking(context, tmp_path)
        context.close()


def _looking(context: BrowserContext, pictures: Path) -> Looking:
    made = Looking(context.pages[0], pictures)
    made.page.set_default_timeout(20_000)
    made.page.on("console", made.heard)
    made.page.on("pageerror", lambda error: made.complaints.append(f"script: {error}"))
    made.page.on("requestfailed", made.failed)
    return made


@pytest.fixture
def town(database_url: str, tmp_path: Path) -> Iterator[Town]:
    """Three systems with their start data and casebridge's stages over a fresh database."""
    with sandbox() as urls:
        made = Town(urls, database_url, tmp_path / "home")
        yield made
        made.close()
        require_by_contract(made.people)

"""Clock, state, reset and pages: what a test can see and set."""

from datetime import UTC, datetime

import requests
from markupsafe import Markup

from sandbox.kit import page
from sandbox.kit.clock import Clock
from tests.sandbox.kit.echo import running_echo


def test_the_clock_can_be_moved_stopped_and_sped_up() -> None:
    """Given a base, an offset and a rate, when time is read, then it follows them; reset to real time works."""
    clock = Clock()
    base = datetime(2026, 1, 1, tzinfo=UTC)
    clock.set(base, offset_seconds=60, rate=0)
    assert clock.now() == clock.now() == datetime(2026, 1, 1, 0, 1, tzinfo=UTC)
    clock.set(base, rate=1e9)
    assert clock.now() < clock.now()
    clock.set()
    assert abs((clock.now() - datetime.now(UTC)).total_seconds()) < 60


def test_the_clock_is_set_over_http() -> None:
    """Given a PUT, when the clock is read, then it stands there and the journal stamps with it."""
    with running_echo() as (url, echo):
        wanted = {"base": "2030-05-05T00:00:00+00:00", "rate": 0}
        reading = requests.put(f"{url}/_sandbox/clock", json=wanted, timeout=10).json()
        requests.post(f"{url}/api/tell", data="x", timeout=10)
        assert reading["now"] == requests.get(f"{url}/_sandbox/clock", timeout=10).json()["now"]
        assert echo.kit.journal.entries()[0]["at"] == "2030-05-05T00:00:00+00:00"


def test_reset_goes_back_to_the_start() -> None:
    """Given state, faults, switches and a moved clock, when reset, then all are as after the start."""
    with running_echo() as (url, echo):
        requests.post(f"{url}/api/tell", data="x", timeout=10)
        requests.post(f"{url}/_sandbox/faults", json={"route": "* *", "fault": "html"}, timeout=10)
        requests.put(f"{url}/_sandbox/hooks", json={"drop": 1}, timeout=10)
        requests.put(f"{url}/_sandbox/clock", json={"offset_seconds": 1e6}, timeout=10)
        assert requests.get(f"{url}/_sandbox/state", timeout=10).json() == {"told": ["x"]}
        assert requests.post(f"{url}/_sandbox/reset", timeout=10).status_code == 200
        assert requests.get(f"{url}/_sandbox/state", timeout=10).json() == {"told": []}
        assert (echo.kit.journal.entries(), echo.kit.wire.entries(), echo.kit.faults.rules()) == ([], [], [])
        assert echo.kit.hooks.shown()["drop"] == 0
        assert echo.kit.clock.reading()["offset_seconds"] == 0
        assert requests.put(f"{url}/_sandbox/hooks", json={"dorp": 1}, timeout=10).status_code == 400


def test_pages_escape_all_text_and_label_all_inputs() -> None:
    """Given hostile text in every place, when a page is made, then it is text; each control has a label."""
    evil = "<script>'\"&"
    made = page.page(
        evil,
        evil,
        page.link(evil, evil),
        page.heading(evil),
        page.table((evil,), [(evil,)]),
        page.form(
            evil,
            evil,
            page.text_field(evil, evil, evil),
            page.text_area(evil, evil, evil),
            page.choice(evil, evil, [(evil, evil)], evil),
            page.hidden(evil, evil),
            page.tick(evil, evil),
            page.file_field(evil, evil),
        ),
    )
    text = bytes(made.body).decode()
    assert "<script>" not in text
    assert "'\"" not in text
    assert text.count("<label>") == 5
    assert page.table(("A",), []) == Markup(
        '<div class="wide"><table><thead><tr><th scope="col">A</th></tr></thead>'
        '<tbody><tr><td colspan="1">none</td></tr></tbody></table></div>'
    )

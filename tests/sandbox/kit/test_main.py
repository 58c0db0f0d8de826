"""`python -m sandbox`: three systems in one process, announced on one line, gone after SIGTERM."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import requests

FREE_PORTS = ("--trading-grid-port", "0", "--gemini-port", "0", "--zendesk-port", "0")


@contextmanager
def sandbox(*options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """The running sandbox and the addresses that it printed."""
    command = [sys.executable, "-m", "sandbox", *FREE_PORTS, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


def test_three_systems_answer_at_the_printed_addresses(tmp_path: Path) -> None:
    """Given free ports, when it has printed its line, then all three answer and SIGTERM ends it with code 0."""
    with sandbox("--journal", str(tmp_path)) as (process, addresses):
        assert list(addresses) == ["trading_grid", "gemini", "zendesk"]
        assert addresses["gemini"].endswith("/gemini")
        with requests.Session() as session:  # a connection kept alive must not hold the end up
            for address in addresses.values():
                root = address.removesuffix("/gemini")
                assert session.get(f"{root}/_sandbox/journal", timeout=10).json() == {"entries": []}
            session.post(f"{addresses['gemini']}/person/items", data={"title": "Kept"}, timeout=10)
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=10) == 0
    assert '"item_created"' in (tmp_path / "gemini.journal.jsonl").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="parent-death signals exist on Linux only")
def test_it_ends_with_its_parent() -> None:
    """Given --die-with-parent, when the starter is killed, then nobody answers at the address any more."""
    code = (
        "import subprocess, sys, time\n"
        f"subprocess.Popen([sys.executable, '-m', 'sandbox', *{FREE_PORTS!r}, '--die-with-parent'])\n"
        "time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        address = json.loads(starter.stdout.readline())["zendesk"]
        starter.kill()
        deadline = time.monotonic() + 20
        answering = True
        while answering and time.monotonic() < deadline:
            answering = False
            with suppress(requests.ConnectionError):
                requests.get(f"{address}/_sandbox/clock", timeout=10)
                answering = True
    assert not answering

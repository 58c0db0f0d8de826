"""Faults spoil real connections: before the effect, after it, or only its answer."""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests

from sandbox.kit.faults import Faults
from tests.sandbox.kit.echo import Echo, running_echo


@pytest.fixture
def system() -> Iterator[tuple[str, Echo]]:
    """A served system."""
    with running_echo() as served:
        yield served


def tell(url: str, body: str = "x") -> requests.Response:
    """Post to the system on a connection of its own."""
    return requests.post(f"{url}/api/tell", data=body, timeout=10)


def test_a_lost_answer_had_its_effect(system: tuple[str, Echo]) -> None:
    """Given a lost answer, when a client posts, then the connection ends without an answer, the effect is there."""
    url, echo = system
    rule = {"route": "POST /api/*", "fault": "lost_answer", "times": 1}
    requests.post(f"{url}/_sandbox/faults", json=rule, timeout=10)
    with pytest.raises(requests.ConnectionError):
        tell(url, "kept")
    assert echo.told == ["kept"]
    assert [entry["effect"] for entry in echo.kit.journal.entries()] == ["told"]
    assert tell(url).status_code == 200


@pytest.mark.parametrize("fault", ["refuse", "down"])
def test_a_refused_connection_had_no_effect(system: tuple[str, Echo], fault: str) -> None:
    """Given a cut before the effect, when a client posts, then nothing happened; after DELETE all is well."""
    url, echo = system
    requests.post(f"{url}/_sandbox/faults", json=[{"route": "* /api/*", "fault": fault}], timeout=10)
    for _ in range(2):
        with pytest.raises(requests.ConnectionError):
            tell(url, "never")
    assert echo.told == []
    requests.delete(f"{url}/_sandbox/faults", timeout=10)
    assert tell(url).status_code == 200


def test_a_cut_sends_not_one_byte(system: tuple[str, Echo]) -> None:
    """Given a cut, when the bare socket is read, then it holds nothing at all."""
    url, echo = system
    echo.kit.faults.add(route="* *", fault="refuse")
    address = urlsplit(url)
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=10) as connection:
        connection.sendall(b"POST /api/tell HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx")
        try:
            answer = connection.recv(100)
        except ConnectionResetError:
            answer = b""
    assert answer == b""


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        ({"fault": "status", "status": 429, "retry_after": "7"}, 429, "application/json"),
        ({"fault": "unauthorized"}, 401, "application/json"),
        ({"fault": "html"}, 200, "text/html"),
    ],
)
def test_a_false_answer_has_no_effect(
    system: tuple[str, Echo], fault: dict[str, object], status: int, kind: str
) -> None:
    """Given a made-up answer, when a client posts, then it gets that one, and nothing happened."""
    url, echo = system
    requests.post(f"{url}/_sandbox/faults", json={"route": "POST /api/tell", **fault}, timeout=10)
    answer = tell(url)
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (status, kind)
    assert answer.headers.get("retry-after") == fault.get("retry_after")
    assert echo.told == []


@pytest.mark.parametrize("fault", ["drip", "latency"])
def test_a_slow_answer_is_whole(system: tuple[str, Echo], fault: str) -> None:
    """Given a slow answer, when a client waits, then the whole body comes."""
    url, echo = system
    echo.kit.faults.add(route="POST *", fault=fault, seconds=0.05)
    assert tell(url, "y" * 500).json() == {"told": "y" * 500}


def test_a_rate_strikes_the_same_requests_each_time() -> None:
    """Given a rate and a seed, when a hundred requests pass, then about that share is struck, always the same."""

    def struck() -> list[bool]:
        faults = Faults()
        faults.add(route="* *", fault="refuse", rate=0.2, seed=4)
        return [faults.strike("GET", "/api") is not None for _ in range(100)]

    assert struck() == struck()
    assert 5 < sum(struck()) < 40


def test_the_side_doors_are_never_struck_and_wrong_rules_are_refused(system: tuple[str, Echo]) -> None:
    """Given a system that is down, when a test opens a side door, then it answers; a bad rule is named."""
    url, echo = system
    echo.kit.faults.add(route="* *", fault="down")
    assert requests.get(f"{url}/_sandbox/journal", timeout=10).json() == {"entries": []}
    for wrong in ({"route": "* *", "fault": "gone"}, {"route": "/api", "fault": "down"}, {"fault": "down"}):
        assert requests.post(f"{url}/_sandbox/faults", json=wrong, timeout=10).status_code == 400

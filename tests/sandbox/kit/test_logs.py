"""The effect journal survives a kill; the wire log keeps exchanges without secrets."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from sandbox.kit import wire as wire_module
from sandbox.kit.app import Kit
from sandbox.kit.journal import Journal
from tests.sandbox.kit.echo import running_echo


def test_what_was_journalled_survives_a_kill(tmp_path: Path) -> None:
    """Given a process that is killed right after two effects, when the journal is opened again, then both are there."""
    code = (
        "import os, sys; from pathlib import Path; from sandbox.kit.journal import Journal\n"
        "journal = Journal(Path(sys.argv[1])); journal.record('a', '1', by='x'); journal.record('b', '2', by='y')\n"
        "os.kill(os.getpid(), 9)"
    )
    path = tmp_path / "deep" / "effects.jsonl"
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == -9
    journal = Journal(path)
    assert [entry["effect"] for entry in journal.entries()] == ["a", "b"]
    assert journal.record("c", "3", by="z") == 3
    journal.close()


def test_a_line_cut_short_by_a_kill_is_dropped(tmp_path: Path) -> None:
    """Given half a line at the end, when the journal is opened and continued, then every line is whole."""
    path = tmp_path / "effects.jsonl"
    path.write_text('{"n": 1, "effect": "a"}\n{"n": 2, "eff')
    journal = Journal(path)
    journal.record("b", "2", by="x")
    journal.close()
    assert [json.loads(line)["n"] for line in path.read_text().splitlines()] == [1, 2]


def test_entries_come_since_a_number_and_a_clear_forgets(tmp_path: Path) -> None:
    """Given three effects, when asked since the second, then the third comes; after a clear, numbering restarts."""
    journal = Journal(tmp_path / "effects.jsonl")
    for number in range(3):
        journal.record("told", str(number), by="x")
    assert [entry["n"] for entry in journal.entries(2)] == [3]
    journal.clear()
    assert (journal.entries(), journal.record("told", "1", by="x")) == ([], 1)
    journal.close()


def test_the_wire_log_keeps_both_sides_but_no_secret(tmp_path: Path) -> None:
    """Given an API request with credentials, when the wire is read, then both bodies are there, the secret is not."""
    kit = Kit.create("echo", tmp_path)
    with running_echo(kit) as (url, _):
        requests.post(f"{url}/api/tell?a=1", data="hello", headers={"Authorization": "Basic s3cret"}, timeout=10)
        requests.post(f"{url}/api/tell", data=b"\xff", timeout=10)
        requests.get(url, timeout=10)
        first, second = requests.get(f"{url}/_sandbox/wire", timeout=10).json()["entries"]
    assert (first["method"], first["path"], first["query"], first["status"]) == ("POST", "/api/tell", "a=1", 200)
    assert (first["request_body"], json.loads(first["response_body"])) == ("hello", {"told": "hello"})
    assert first["request_headers"]["authorization"] == "***"
    assert second["request_body_b64"] == "/w=="
    kit.close()
    assert "s3cret" not in (tmp_path / "echo.wire.jsonl").read_text()


def test_a_cut_exchange_has_no_status() -> None:
    """Given a lost answer, when the wire is read, then the request is there with status null."""
    with running_echo() as (url, echo):
        echo.kit.faults.add(route="* *", fault="lost_answer", times=1)
        with pytest.raises(requests.ConnectionError):
            requests.post(f"{url}/api/tell", data="x", timeout=10)
        (entry,) = requests.get(f"{url}/_sandbox/wire", timeout=10).json()["entries"]
    assert (entry["status"], entry["request_body"]) == (None, "x")


def test_the_wire_log_is_bounded_in_number_and_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given small bounds, when more exchanges come, then the oldest go, and a long body is cut but its length said."""
    monkeypatch.setattr(wire_module, "KEPT", 3)
    monkeypatch.setattr(wire_module, "BODY_BYTES", 10)
    with running_echo() as (url, echo):
        for _ in range(5):
            requests.post(f"{url}/api/tell", data="x" * 50, timeout=10)
        entries = echo.kit.wire.entries()
    assert [entry["n"] for entry in entries] == [3, 4, 5]
    assert (entries[0]["request_body"], entries[0]["request_body_length"]) == ("x" * 10, 50)

"""Commands before and around the start: check, connect, config, migrate, up's refusals, down."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.town import CONFIG, sandbox
from workers.demo.environment import sandbox_environment
from workers.instance import Instance

NOWHERE = {"trading_grid": "http://127.0.0.1:1", "gemini": "http://127.0.0.1:1/gemini", "zendesk": "http://127.0.0.1:1"}


@pytest.fixture(scope="module")
def stand_ins() -> Iterator[dict[str, str]]:
    """The three stand-ins, for the whole module."""
    with sandbox() as urls:
        yield urls


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch, bare: Run) -> Run:
    """A whole environment whose systems do not answer."""
    for name, value in {**sandbox_environment(NOWHERE), "CASEBRIDGE_CONFIG": str(CONFIG)}.items():
        monkeypatch.setenv(name, value)
    return bare


def answering(monkeypatch: pytest.MonkeyPatch, urls: dict[str, str]) -> None:
    for name, value in sandbox_environment(urls).items():
        monkeypatch.setenv(name, value)


def broken(tmp_path: Path) -> Path:
    """The sandbox's configuration with a fault in it."""
    file = tmp_path / "broken.yaml"
    file.write_text(CONFIG.read_text(encoding="utf-8").replace("project: 12", "project: twelve"), encoding="utf-8")
    return file


def test_check_names_every_missing_variable_and_the_missing_file_at_once(bare: Run, tmp_path: Path) -> None:
    """Nothing is asked of anybody; the JSON is that of decisions D18."""
    told = bare("check", "--file", str(tmp_path / "nowhere.yaml"), "--json")
    found = [one["found"] for one in told.json["problems"]]
    assert (told.code, told.json["ok"]) == (1, False)
    assert {"ok", "problems", "redis_url", "database_url", "targets"} == told.json.keys()
    for name in ("CASEBRIDGE_SECRET_KEY", "TRADING_GRID_URL", "GEMINI_API_KEY"):
        assert f"{name}: not set" in found
    assert any(one["file"].endswith("nowhere.yaml") for one in told.json["problems"])


def test_check_points_at_the_line(configured: Run, tmp_path: Path) -> None:
    """File, line, what stands there, what was expected."""
    file = broken(tmp_path)
    [problem] = configured("check", "--offline", "--file", str(file), "--json").json["problems"]
    line = file.read_text(encoding="utf-8").splitlines()[problem["line"] - 1]
    assert problem["file"] == str(file)
    assert "project: twelve" in line
    assert "twelve" in problem["found"]


def test_check_masks_passwords_but_of_this_machine(configured: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password of a remote server is nobody's business; loopback is shown whole."""
    monkeypatch.setenv("DATABASE_URL", "postgres://anna:top-secret@db.example.com/casebridge")
    monkeypatch.setenv("REDIS_URL", "redis://:local-secret@127.0.0.1:6379/0")
    told = configured("check", "--offline", "--json")
    assert (told.code, told.json["ok"]) == (0, True)
    assert "top-secret" not in told.out
    assert told.json["redis_url"] == "redis://:local-secret@127.0.0.1:6379/0"
    text = configured("check", "--offline").out
    assert "sandbox-zendesk-secret" not in text
    assert "CASEBRIDGE_SECRET_KEY=***" in text


def test_check_asks_the_systems(
    configured: Run, monkeypatch: pytest.MonkeyPatch, stand_ins: dict[str, str], tmp_path: Path
) -> None:
    """All is there; then a field is not, and its line is named; then nobody answers."""
    silent = configured("check", "--json")
    assert (silent.code, silent.json["targets"]["gemini"]["answers"]) == (1, False)
    answering(monkeypatch, stand_ins)
    fine = configured("check", "--json")
    assert (fine.code, fine.json["targets"]["zendesk"]["answers"]) == (0, True)
    file = tmp_path / "lacking.yaml"
    file.write_text(CONFIG.read_text(encoding="utf-8").replace("EvidenceDue: 33", "EvidenceDue: 99"), encoding="utf-8")
    lacking = configured("check", "--file", str(file), "--json")
    [problem] = lacking.json["problems"]
    assert lacking.code == 1
    assert "EvidenceDue: 99" in file.read_text(encoding="utf-8").splitlines()[problem["line"] - 1]


@pytest.mark.parametrize("system", ["trading-grid", "zendesk"])
def test_connect_registers_once(
    configured: Run, monkeypatch: pytest.MonkeyPatch, stand_ins: dict[str, str], system: str
) -> None:
    """The second time it finds its own webhook and changes nothing."""
    answering(monkeypatch, stand_ins)
    words = ("connect", system, "--public-url", "https://cases.example.com", "--json")
    first, second = configured(*words), configured(*words)
    assert (first.code, second.code) == (0, 0)
    assert second.json["existing"] is True
    assert second.json["registered"] is False
    assert first.json["variable"].endswith("_WEBHOOK_SECRET")


def test_a_secret_that_is_shown_once_goes_where_it_is_told(
    configured: Run, monkeypatch: pytest.MonkeyPatch, stand_ins: dict[str, str], tmp_path: Path
) -> None:
    """On standard output with the variable's name, or into a file that only its owner reads."""
    answering(monkeypatch, stand_ins)
    printed = configured("connect", "trading-grid", "--public-url", "https://printed.example.com")
    assert printed.out.startswith("TRADING_GRID_WEBHOOK_SECRET=whsec_")
    file = tmp_path / "secret"
    kept = configured(
        "connect", "trading-grid", "--public-url", "https://kept.example.com", "--secret-to", str(file), "--json"
    )
    secret = file.read_text(encoding="utf-8").strip()
    assert secret.startswith("whsec_")
    assert secret not in kept.out + kept.err
    assert file.stat().st_mode & 0o777 == 0o600


def test_connect_says_what_a_person_does_where_no_call_exists(configured: Run) -> None:
    """Gemini's administrator enters a row."""
    told = configured("connect", "gemini", "--public-url", "https://cases.example.com")
    assert told.code == 0
    assert "https://cases.example.com/hooks/gemini/<GEMINI_WEBHOOK_TOKEN>" in told.err
    assert "sandbox-wake-up-token" not in told.err + told.out


def test_connect_refuses_what_it_cannot_do(configured: Run) -> None:
    """No address of ours, an unknown system, a system that does not answer: each with its next step."""
    assert configured("connect", "gemini").code == 2
    assert configured("connect", "fax", "--public-url", "https://x.example").code == 2
    silent = configured("connect", "zendesk", "--public-url", "https://x.example")
    assert silent.code == 1
    assert "casebridge check" in silent.err


def test_a_file_becomes_the_active_configuration(run: Run, tmp_path: Path) -> None:
    """Applied twice it is the same version; a faulty one changes nothing; any version can be printed."""
    assert run("config", "show").code == 1
    assert run("config", "apply", str(CONFIG), "--json").json == {"version": 1, "changed": True}
    assert run("config", "apply", str(CONFIG), "--json").json == {"version": 1, "changed": False}
    refused = run("config", "apply", str(broken(tmp_path)))
    assert refused.code == 1
    assert "twelve" in refused.err
    assert run("config", "show").out.strip() == CONFIG.read_text(encoding="utf-8").strip()
    assert run("config", "show", "--version", "7").code == 1
    assert [one["version"] for one in run("config", "show", "--versions", "--json").json] == [1]


def test_the_schema_is_json(bare: Run) -> None:
    """For editors, without a database."""
    assert json.loads(bare("config", "schema").out)["title"] == "casebridge.yaml"


def test_migrate_check_fails_while_something_is_pending(
    bare: Run, monkeypatch: pytest.MonkeyPatch, empty_database_url: str
) -> None:
    """A deployment's gate: 1 before, 0 after; migrating twice is harmless."""
    monkeypatch.setenv("DATABASE_URL", empty_database_url)
    pending = bare("migrate", "--check", "--json")
    assert pending.code == 1
    assert pending.json["pending"]
    assert bare("migrate", "--json").json["applied"] == pending.json["pending"]
    assert bare("migrate", "--json").json["applied"] == []
    assert bare("migrate", "--check").code == 0


def test_migrate_starts_the_embedded_server_for_itself(bare: Run, tmp_path: Path) -> None:
    """Where nothing is given and nothing runs; afterwards nothing runs, and `down --purge` removes the data."""
    assert bare("migrate", "--json").json["applied"]
    assert bare("migrate", "--check").code == 0
    assert not [it for it in Instance(tmp_path / "home").read().everything if it.alive]
    assert bare("down", "--purge", "--yes", "--json").json["purged"] is True
    assert not (tmp_path / "home").exists()


def test_up_without_its_variables_names_them_all_and_makes_nothing(bare: Run, tmp_path: Path) -> None:
    """Exit 2, every missing variable, no home, and never the sandbox by itself."""
    told = bare("up")
    assert told.code == 2
    for name in ("CASEBRIDGE_SECRET_KEY", "TRADING_GRID_CLIENT_SECRET", "GEMINI_URL", "ZENDESK_URL"):
        assert f"{name}: not set" in told.err
    assert not (tmp_path / "home").exists()


def test_down_where_nothing_runs_is_done(bare: Run, tmp_path: Path) -> None:
    """Nothing to stop, nothing made, exit 0."""
    told = bare("down", "--purge", "--yes", "--json")
    assert (told.code, told.json["stopped"]) == (0, False)
    assert not (tmp_path / "home").exists()

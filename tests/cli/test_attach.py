"""Which installation a command speaks to, and what stands in the place of the real systems."""

from pathlib import Path

from workers.cli.attach import against_stand_ins, attach
from workers.instance import Instance
from workers.process import this_process
from workers.record import Server

URLS = {"trading_grid": "http://127.0.0.1:1", "gemini": "http://127.0.0.1:2/gemini", "zendesk": "http://127.0.0.1:3"}


def home_with_servers(home: Path, *, running: bool) -> None:
    """A home whose servers this very process owns, or nobody any more."""
    owner = this_process() if running else None
    with Instance(home).edit() as record:
        record.run = owner
        record.servers["postgresql"] = Server("postgresql://here/casebridge", 2, owner, owner)
        record.servers["redis"] = Server("redis://:p@127.0.0.1:7/0", 15, owner, owner)


def test_a_command_attaches_to_what_runs_in_its_home(tmp_path: Path) -> None:
    """Addresses come from the home's record while their owner lives."""
    home_with_servers(tmp_path, running=True)
    found = attach({"CASEBRIDGE_HOME": str(tmp_path)})
    assert (found.database_url, found.redis_url, found.running) == (
        "postgresql://here/casebridge", "redis://:p@127.0.0.1:7/0", True,
    )  # fmt: skip


def test_what_ran_once_is_not_attached_to(tmp_path: Path) -> None:
    """A record outlives its servers; nobody is spoken to at an address that nobody holds."""
    home_with_servers(tmp_path, running=False)
    found = attach({"CASEBRIDGE_HOME": str(tmp_path)})
    assert (found.database_url, found.redis_url, found.running) == (None, None, False)


def test_given_addresses_go_before_the_homes_own(tmp_path: Path) -> None:
    """DATABASE_URL in Heroku's spelling is understood."""
    home_with_servers(tmp_path, running=True)
    found = attach({"CASEBRIDGE_HOME": str(tmp_path), "DATABASE_URL": "postgres://there/db", "REDIS_URL": ""})
    assert (found.database_url, found.redis_url) == ("postgresql://there/db", "redis://:p@127.0.0.1:7/0")


def test_looking_makes_nothing(tmp_path: Path) -> None:
    """A question leaves no folder behind."""
    assert attach({"CASEBRIDGE_HOME": str(tmp_path / "none")}).database_url is None
    assert not (tmp_path / "none").exists()


def test_the_sandbox_takes_the_place_of_every_system() -> None:
    """No real address and no real secret reaches the processes of a sandbox run; casebridge's own variables stay."""
    given = {
        "ZENDESK_URL": "https://real.zendesk.com", "ZENDESK_API_TOKEN": "real", "GEMINI_API_KEY_FILE": "/run/real",
        "TRADING_GRID_CLIENT_SECRET": "real", "CASEBRIDGE_SECRET_KEY": "my own key of sixteen", "PATH": "/bin",
    }  # fmt: skip
    whole = against_stand_ins(given, URLS)
    assert "real" not in " ".join(whole.values())
    assert whole["ZENDESK_URL"] == URLS["zendesk"]
    assert (whole["CASEBRIDGE_SECRET_KEY"], whole["PATH"]) == ("my own key of sixteen", "/bin")

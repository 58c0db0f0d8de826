"""Operator commands as typed: data on standard output, words on standard error, exit codes 0, 1 and 2."""

import json

import pytest

from pipeline.domain.reason import Reason
from pipeline.store.pool import Conn
from tests.cli.conftest import Run
from tests.service.scenes import append, claim, create, deliver_all, kill, make, read, receive

COMMANDS = (
    "check",
    "config",
    "connect",
    "dead",
    "down",
    "migrate",
    "pause",
    "resume",
    "show",
    "status",
    "tokens",
    "up",
    "why",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_leads_with_what_it_is_for(bare: Run, command: str) -> None:
    """Every command explains itself without a database."""
    told = bare(command, "--help")
    assert told.code == 0
    assert "Usage: casebridge" in told.out


def test_the_list_of_commands_hides_what_people_do_not_type(bare: Run) -> None:
    """The processes that `up` starts are no commands for people."""
    told = bare("--help")
    assert all(f"\n  {command} " in told.out for command in COMMANDS)
    assert "\n  process" not in told.out


@pytest.mark.parametrize(
    "words", [("status",), ("why", "evt_1"), ("dead", "list"), ("tokens", "list"), ("config", "show")]
)
def test_without_a_ledger_a_command_says_what_to_do(bare: Run, words: tuple[str, ...]) -> None:
    """Nothing runs and nothing is given: exit 1, the next step, and no home is made."""
    told = bare(*words)
    assert told.code == 1
    assert "casebridge up" in told.err
    assert "DATABASE_URL" in told.err
    assert told.out == ""


def test_a_refusal_is_json_where_json_was_asked_for(bare: Run) -> None:
    """Machines read the refusal and its next step from standard output."""
    told = bare("status", "--json")
    assert told.code == 1
    assert told.json["ok"] is False
    assert "casebridge up" in told.json["next_step"]


def test_an_unmigrated_database_is_refused_with_the_command_that_helps(
    bare: Run, monkeypatch: pytest.MonkeyPatch, empty_database_url: str
) -> None:
    """`casebridge migrate` is named."""
    monkeypatch.setenv("DATABASE_URL", empty_database_url)
    told = bare("dead", "list")
    assert told.code == 1
    assert "casebridge migrate" in told.err


def test_status_shows_targets_queues_and_sources(run: Run, conn: Conn) -> None:
    """One waits, one is dead, one is paused; the dead queues are there although nobody consumes them."""
    append(conn, make("a"), make("b", target="zendesk"))
    kill(conn, claim(conn, "zendesk")[0], Reason.REJECTED, blocks=True, queue="zendesk")
    run("pause", "trading-grid", "--reason", "maintenance")
    told = run("status", "--json").json
    assert told["targets"]["gemini"]["waiting"] == 1
    assert told["targets"]["gemini"]["oldest_seconds"] >= 0
    assert told["targets"]["zendesk"]["dead"] == 1
    assert (told["targets"]["trading_grid"]["state"], told["targets"]["trading_grid"]["reason"]) == (
        "paused",
        "maintenance",
    )
    assert told["queues"]["dead.zendesk"] == {"depth": 0, "rows": 1}
    assert told["redis"] == "answers"
    assert run("status").code == 0


def test_status_goes_on_without_redis(run: Run, conn: Conn, monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits is in PostgreSQL; the messages are unknown, not nought."""
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    append(conn, make("a"))
    told = run("status", "--json")
    assert told.code == 0
    assert told.json["queues"]["dispatch.gemini"] == {"depth": None, "rows": 1}
    assert told.json["redis"] == "does not answer"


def test_why_tells_a_story_to_people_and_to_machines(run: Run, conn: Conn) -> None:
    """The same reason in words and in JSON."""
    receive(conn)
    read(conn, "evt_1")
    append(conn, make("a", change=1))
    deliver_all(conn)
    assert "delivered: It arrived at its target." in run("why", "evt_1").out
    assert run("why", "evt_1", "--json").json["reasons"] == ["delivered"]
    assert run("why", "evt_nowhere").code == 1


def test_show_gives_what_is_kept_and_masks_secrets(run: Run, conn: Conn) -> None:
    """Raw bytes, the change, the operation with its attempts; no header that logs somebody in."""
    receive(conn, raw=b'{"id": "evt_1", "access_token": "abcdefgh12345678"}')
    read(conn, "evt_1")
    append(conn, make("a", change=1))
    deliver_all(conn)
    signal, change, delivery = (run("show", f"{kind}:1").out for kind in ("signal", "change", "delivery"))
    assert '"evt_1' in json.loads(signal)["raw"].replace("\\", "")
    assert "top-secret" not in signal
    assert "abcdefgh12345678" not in signal
    assert json.loads(change)["record"]["text"]["body"] == "words"
    assert json.loads(delivery)["operation"]["kind"] == "comment"
    assert json.loads(delivery)["attempts"][0]["exchanges"][0]["status"] == 200
    assert run("show", "zendesk:ticket:35").code == 2


def test_requeueing_by_filter_asks_first(run: Run, conn: Conn) -> None:
    """Without a terminal and without --yes nothing is done, and the count is told."""
    append(conn, create())
    kill(conn, claim(conn)[0], Reason.TARGET_GONE, blocks=True)
    refused = run("dead", "requeue", "--target", "gemini")
    assert (refused.code, claim(conn)) == (2, [])
    assert "would requeue 1 dead letter" in refused.err
    assert run("dead", "requeue", "--target", "gemini", "--reason", "target_gone", "--yes", "--json").json[
        "requeued"
    ] == [1]
    assert run("status", "--json").json["queues"]["dispatch.gemini"] == {"depth": 1, "rows": 1}
    assert deliver_all(conn) == [1]
    assert run("dead", "requeue", "1", "--json").json == {"requeued": [], "unchanged": [1], "stuck": []}


def test_dead_letters_are_listed_with_what_to_do_next(run: Run, conn: Conn) -> None:
    """Each has its sentence and its next step; the table fits people."""
    append(conn, create(), make("b", needs=()))
    kill(conn, claim(conn)[0], Reason.REJECTED, blocks=True)
    [letter] = run("dead", "list", "--json").json
    assert (letter["id"], letter["subject"], letter["reason"]) == (1, "delivery:1", "rejected")
    assert letter["next_step"]
    assert "404 no such item" in run("dead", "list").out
    assert run("dead", "show", "1").code == 0
    assert run("dead", "list", "--target", "zendesk", "--json").json == []


def test_discarding_asks_what_becomes_of_dependants(run: Run, conn: Conn) -> None:
    """It needs a note, and a decision where something waits for what is given up."""
    made = create()
    append(conn, made, make("note", target="zendesk", needs=(made,)))
    kill(conn, claim(conn)[0], Reason.REJECTED, blocks=True)
    assert run("dead", "discard", "1").code == 2
    undecided = run("dead", "discard", "1", "--note", "by phone")
    assert undecided.code == 2
    assert "--keep-dependants" in undecided.err
    assert run("dead", "discard", "1", "--note", "by phone", "--with-dependants", "--json").json["discarded"] == [1]
    assert run("why", "delivery:2", "--json").json["reasons"] == ["cancelled"]


def test_naming_nothing_is_wrong_use(run: Run) -> None:
    """`dead requeue` alone never means everything."""
    assert run("dead", "requeue", "--yes").code == 2
    assert run("dead", "requeue", "17", "--all").code == 2


def test_pause_and_resume_say_whether_they_changed_anything(run: Run) -> None:
    """Both spellings of a target are understood; an unknown one is wrong use."""
    assert run("pause", "trading_grid", "--json").json["changed"] is True
    assert run("pause", "trading-grid", "--json").json["changed"] is False
    assert run("resume", "trading-grid", "--json").json["changed"] is True
    assert run("pause", "fax").code == 2


def test_a_token_is_shown_once_and_can_be_revoked(run: Run) -> None:
    """The list never shows its value."""
    made = run("tokens", "create", "--role", "viewer", "--name", "dashboard", "--json").json
    assert made["token"] not in run("tokens", "list", "--json").out
    assert run("tokens", "revoke", str(made["id"]), "--json").json["changed"] is True
    assert run("tokens", "revoke", str(made["id"]), "--json").json["changed"] is False
    assert run("tokens", "revoke", "99").code == 1
    assert run("tokens", "create", "--role", "king").code == 2

"""The embedded servers in trouble: killed, left behind, in the way of others, of the wrong version, absent."""

import contextlib
import os
import signal
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.workers.servers import (
    SECONDS,
    another_process,
    answers,
    fresh_home,
    ping,
    server_processes,
    with_descendants,
)
from workers import process
from workers.embedded import ServicesError, binaries, open_services
from workers.instance import Instance
from workers.process import wait_until


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A fresh home."""
    with fresh_home(tmp_path / "home") as folder:
        yield folder


def test_a_taken_port_is_left_to_its_new_owner(home: Path) -> None:
    """When something else listens on the remembered port, Redis takes another one."""
    with open_services(home, {}, print) as before:
        port = urlsplit(before.redis_url).port
    with socket.create_server(("127.0.0.1", port or 0)), open_services(home, {}, print) as after:
        assert urlsplit(after.redis_url).port != port
        assert ping(after.redis_url)


def test_two_starts_at_once_share_one_pair_of_servers(home: Path) -> None:
    """Given two starts in a fresh home at the same moment, one makes the servers and the other attaches."""
    with ThreadPoolExecutor(2) as both, contextlib.ExitStack() as stack:
        opening = [open_services(home, {}, print) for _ in range(2)]
        opened = list(both.map(lambda it: it.__enter__(), opening))
        for it in sorted(zip(opened, opening, strict=True), key=lambda pair: pair[0].attached):
            stack.push(it[1])  # the owner first, so that it leaves last
        assert sorted(it.attached for it in opened) == [(), ("postgresql", "redis")]
        assert opened[0].database_url == opened[1].database_url
        assert all(answers(it.database_url) and ping(it.redis_url) for it in opened)


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")
def test_a_killed_parent_leaves_no_server_behind(home: Path) -> None:
    """After kill -9 of the process that started them, the servers and all their children end, and data stay whole."""
    with another_process(home) as (owner, _):
        servers = server_processes(home)
        family = with_descendants(servers)
        assert len(family) > len(servers)
        owner.kill()
        owner.wait()
    assert wait_until(lambda: not any(it.alive for it in family), SECONDS)
    with open_services(home, {}, print) as services:
        assert services.attached == ()
        assert answers(services.database_url)


def test_servers_left_running_are_adopted(home: Path, tmp_path: Path) -> None:
    """Where no parent-death signal exists, the next start takes charge of the servers and stops them at its end."""
    without_signal = tmp_path / "child.py"
    text = process.CHILD.read_text()
    call = "    die_with_parent(int(parent), int(signal_number))\n"
    assert call in text
    without_signal.write_text(text.replace(call, ""))
    with another_process(home, str(without_signal)) as (owner, _):
        servers = server_processes(home)
        owner.kill()
        owner.wait()
    said: list[str] = []
    with open_services(home, {}, said.append) as services:
        assert server_processes(home) == servers
        assert answers(services.database_url)
        assert ping(services.redis_url)
        assert [line.split(" (")[0] for line in said] == ["adopting postgresql", "adopting redis"]
    assert not any(it.alive for it in servers)


@pytest.mark.parametrize("name", ["postgresql", "redis"])
def test_a_server_that_dies_is_started_again_under_its_address(home: Path, name: str) -> None:
    """After kill -9 of one server, it is back by itself, said in a line; the other one lives on."""
    said: list[str] = []
    with open_services(home, {}, said.append) as services:
        before = {key: it.process for key, it in Instance(home).read().servers.items()}
        victim = before.pop(name)
        assert victim is not None
        victim.signal(signal.SIGKILL)
        back = (lambda: answers(services.database_url)) if name == "postgresql" else (lambda: ping(services.redis_url))
        assert wait_until(lambda: not victim.alive, SECONDS)
        assert wait_until(back, SECONDS)
        assert f"{name} was ended by SIGKILL; starting it again in 1 s" in said
        assert all(it and it.alive for it in before.values())


@pytest.mark.parametrize("variable", ["DATABASE_URL", "REDIS_URL"])
def test_without_any_server_the_way_out_is_named(home: Path, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given neither package nor program, one sentence names the extra and both variables."""
    for name in ("_packaged_postgres", "_packaged_valkey"):
        monkeypatch.setattr(binaries, name, lambda: None)
    monkeypatch.setattr(binaries, "DEBIAN_POSTGRESQL", home)
    monkeypatch.setenv("PATH", str(home))
    given = {"DATABASE_URL": "postgresql://x", "REDIS_URL": "redis://x"} | {variable: ""}
    with pytest.raises(ServicesError) as caught, open_services(home, given, print):
        pass
    for words in ("pip install 'casebridge[local]'", "DATABASE_URL", "REDIS_URL"):
        assert words in str(caught.value)


def test_data_of_another_major_version_are_refused_untouched(home: Path) -> None:
    """Given data made by another PostgreSQL, the start refuses and says how to dump and restore."""
    given = {"REDIS_URL": "redis://x"}
    with open_services(home, given, print):
        pass
    version = Instance(home).data_folder / "postgresql" / "data" / "PG_VERSION"
    version.write_text("12\n")
    with (
        pytest.raises(ServicesError, match=r"made by PostgreSQL 12.*pg_dumpall.*psql -f"),
        open_services(home, given, print),
    ):
        pass
    assert version.read_text() == "12\n"


def test_a_server_that_cannot_start_shows_its_own_words(home: Path) -> None:
    """When the server ends at once, the error carries the end of its log."""
    given = {"REDIS_URL": "redis://x"}
    with open_services(home, given, print):
        pass
    settings = Instance(home).data_folder / "postgresql" / "data" / "postgresql.conf"
    settings.write_text("no_such_setting = 1\n")
    with pytest.raises(ServicesError, match="no_such_setting"), open_services(home, given, print):
        pass
    assert server_processes(home) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take another user's home")
def test_root_does_not_begin_an_empty_database_beside_a_users_data(home: Path) -> None:
    """Given a home in which an ordinary user's data lie, root is refused with the reason."""
    (Instance(home).home / "postgresql").mkdir()
    with pytest.raises(ServicesError, match="belong to an ordinary user"), open_services(home, {}, print):
        pass

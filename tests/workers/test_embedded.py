"""The embedded servers in ordinary life, with real servers and clients: started, shared, stopped, for any user."""

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from tests.workers.servers import ROOT, SECONDS, another_process, answers, fresh_home, ping, server_processes
from workers.embedded import ServicesError, binaries, open_services
from workers.embedded.postgres import SOCKET_NAME, SOCKET_PATH_LIMIT, socket_folder
from workers.instance import Instance, InstanceError, purge, stop_instance

OPEN_AS_NOBODY = """
import os, pwd, sys
from pathlib import Path
nobody = pwd.getpwnam("nobody")
os.setgroups([]); os.setgid(nobody.pw_gid); os.setuid(nobody.pw_uid)
from workers.embedded import open_services
from workers.embedded.postgres import socket_folder
from workers.instance import Instance, purge
home = Path(sys.argv[1])
with open_services(home, {}, print) as services:
    import psycopg
    with psycopg.connect(services.database_url) as connection:
        print("answer", connection.execute("select 40 + 2").fetchone()[0])
    print("data", (home / "postgresql" / "data" / "PG_VERSION").exists())
    print("sockets", socket_folder(Instance(home)))
purge(home, print)
print("gone", not home.exists())
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A fresh home."""
    with fresh_home(tmp_path / "home") as folder:
        yield folder


def test_a_cold_start_gives_two_working_servers(home: Path) -> None:
    """Given nothing but a folder, both servers answer real clients, with durable settings on."""
    with open_services(home, {}, print) as services:
        with psycopg.connect(services.database_url) as connection:
            row = connection.execute(
                "select current_database(), current_setting('fsync'), current_setting('synchronous_commit'),"
                " current_setting('server_encoding'), current_setting('listen_addresses'), lower('ÄÖÜ'), 'Z' < 'a'"
            ).fetchone()
        assert row == ("casebridge", "on", "on", "UTF8", "", "äöü", True)
        with redis.Redis.from_url(services.redis_url) as client:
            assert client.ping()
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            assert client.config_get("appendonly") == {"appendonly": "yes"}
            assert client.config_get("bind") == {"bind": "127.0.0.1"}
        assert services.embedded == ("postgresql", "redis")
        assert services.state() == {"postgresql": "running", "redis": "running"}


def test_strangers_on_the_machine_are_kept_out(home: Path) -> None:
    """Redis wants a password, PostgreSQL's socket folder and the record are for the owner alone."""
    with open_services(home, {}, print) as services:
        parts = urlsplit(services.redis_url)
        with socket.create_connection((parts.hostname, parts.port), timeout=SECONDS) as stranger:
            stranger.sendall(b"PING\r\n")
            assert stranger.recv(100).startswith(b"-NOAUTH")
        for private in (socket_folder(Instance(home)), home):
            assert private.stat().st_mode & 0o777 == 0o700
        for private in (home / "instance.json", home / "valkey" / "valkey.conf"):
            assert private.stat().st_mode & 0o777 == 0o600


def test_data_and_addresses_outlive_a_restart(home: Path) -> None:
    """What was committed before a stop is there after the next start, under the same addresses."""
    with open_services(home, {}, print) as before:
        with psycopg.connect(before.database_url) as connection:
            connection.execute("create table kept (x int)")
        with redis.Redis.from_url(before.redis_url) as client:
            client.set("kept", "yes")
    with open_services(home, {}, print) as after:
        with psycopg.connect(after.database_url) as connection:
            assert connection.execute("select count(*) from kept").fetchone() == (0,)
        with redis.Redis.from_url(after.redis_url) as client:
            assert client.get("kept") == b"yes"
        assert (after.database_url, after.redis_url) == (before.database_url, before.redis_url)


def test_a_second_start_attaches_and_leaves_the_servers_running(home: Path) -> None:
    """While one process runs the servers, another uses the same ones, and its end does not stop them."""
    with another_process(home) as (owner, _):
        with open_services(home, {}, print) as second:
            assert second.attached == ("postgresql", "redis")
            assert answers(second.database_url)
        assert ping(second.redis_url)
        servers = server_processes(home)
        owner.send_signal(signal.SIGINT)
        assert owner.wait(SECONDS) != 0
    assert not any(it.alive for it in servers)


def test_down_and_purge_leave_nothing(home: Path) -> None:
    """`down` stops the process that holds the servers, and they with it; purge then removes every trace."""
    with another_process(home) as (owner, _):
        servers = server_processes(home)
        data = Instance(home).data_folder
        said: list[str] = []
        with pytest.raises(InstanceError, match="is in use by process"):
            purge(home)
        assert stop_instance(home, said.append)
        assert owner.wait(SECONDS) == -signal.SIGTERM
        assert said[0] == f"stopping casebridge (process {owner.pid})"
    assert not any(it.alive for it in servers)
    purge(home, said.append)
    assert not home.exists()
    assert not data.exists()


def test_given_addresses_are_used_and_nothing_is_started(tmp_path: Path) -> None:
    """With both variables set, no home is made; Heroku's spelling of the scheme is normalised."""
    given = {"DATABASE_URL": "postgres://u:p@db.example/x", "REDIS_URL": "rediss://:p@redis.example:6380"}
    with open_services(tmp_path / "home", given, print) as services:
        assert services.database_url == "postgresql://u:p@db.example/x"
        assert services.redis_url == given["REDIS_URL"]
        assert services.embedded == ()
    assert not (tmp_path / "home").exists()


def test_one_given_address_leaves_the_other_server_to_us(home: Path) -> None:
    """With DATABASE_URL alone, only Redis is started."""
    with open_services(home, {"DATABASE_URL": "postgresql://db.example/x", "REDIS_URL": ""}, print) as services:
        assert services.database_url == "postgresql://db.example/x"
        assert services.embedded == ("redis",)
        assert ping(services.redis_url)


def test_the_systems_servers_serve_when_the_packages_are_absent(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the packages, PostgreSQL from PATH or Debian's folder is started the same way."""
    for name in ("_packaged_postgres", "_packaged_valkey"):
        monkeypatch.setattr(binaries, name, lambda: None)
    try:
        binaries.find_postgres(print)
    except ServicesError:
        pytest.skip("no PostgreSQL on this system")
    with open_services(home, {"REDIS_URL": "redis://x"}, print) as services:
        assert answers(services.database_url)


def readable_python() -> str | None:
    """An interpreter of our version that any user may run."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        if Path(candidate).exists():
            done = subprocess.run(
                ["/usr/bin/env", candidate, "-c", "pass"], user="nobody", check=False, capture_output=True
            )
            if done.returncode == 0:
                return candidate
    return None


@pytest.mark.skipif(os.geteuid() != 0, reason="this suite itself runs as an ordinary user")
def test_an_ordinary_user_needs_no_system_folder() -> None:
    """As `nobody`, in a home too deep for a socket, the data lie in the home, and purge leaves nothing."""
    python = readable_python()
    if python is None or "nobody" not in {it.pw_name for it in pwd.getpwall()}:
        pytest.skip("no interpreter of this version that the user nobody may run")
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    listing = ["/usr/bin/env", "ls", str(ROOT / "workers"), packages]
    if subprocess.run(listing, user="nobody", check=False, capture_output=True).returncode:
        pytest.skip("this checkout lies in a folder that the user nobody may not read")
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o777)
    try:
        done = subprocess.run(
            [python, "-c", OPEN_AS_NOBODY, str(folder / ("deep" * 25))],
            env={"PYTHONPATH": f"{ROOT}:{packages}", "PYTHONDONTWRITEBYTECODE": "1"},
            cwd="/", capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        shutil.rmtree(folder)
    assert done.returncode == 0, done.stderr
    said = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert (said["answer"], said["data"], said["gone"]) == ("42", "True", "True")
    assert len(said["sockets"] + "/" + SOCKET_NAME) <= SOCKET_PATH_LIMIT


@pytest.mark.skipif(os.geteuid() != 0, reason="the system folder is root's way")
def test_root_says_where_the_data_lie_and_the_server_is_not_root(home: Path) -> None:
    """As root, PostgreSQL runs as another user, from a copy that this user cannot change."""
    said: list[str] = []
    with open_services(home, {}, said.append):
        record = Instance(home).read()
        running = record.servers["postgresql"].process
        assert running is not None
        assert Path(f"/proc/{running.pid}").stat().st_uid != 0
        program = Path(f"/proc/{running.pid}/exe").readlink()
    assert any(f"/var/lib/casebridge/{record.id}" in line for line in said)
    assert program.is_relative_to("/var/lib/casebridge")
    assert program.stat().st_uid == 0
    assert json.loads((home / "instance.json").read_text())["id"] == record.id

"""The embedded servers, with real servers: started, shared, adopted, restarted, and never left behind."""

import contextlib
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
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from workers import process
from workers.embedded import ServicesError, binaries, open_services
from workers.embedded.postgres import SOCKET_NAME, SOCKET_PATH_LIMIT, socket_folder
from workers.instance import Instance, InstanceError, purge, stop_instance
from workers.process import Process, identify, wait_until

ROOT = Path(__file__).parents[2]
SECONDS = 20.0

OPEN_AND_WAIT = """
import sys, time
from pathlib import Path
from workers import process
from workers.embedded import open_services
if len(sys.argv) > 2:
    process.CHILD = Path(sys.argv[2])
with open_services(Path(sys.argv[1]), {}, lambda line: print(line, flush=True)):
    print("open", flush=True)
    time.sleep(600)
"""

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
    """A fresh home, purged afterwards (as root its data lie outside tmp_path)."""
    folder = tmp_path / "home"
    yield folder
    stop_instance(folder, print)
    purge(folder, print)


@contextlib.contextmanager
def another_process(home: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A process that holds the servers of a home open, and what it said until then."""
    command = [sys.executable, "-c", OPEN_AND_WAIT, str(home), *more]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        said: list[str] = []
        for line in running.stdout:
            said.append(line.strip())
            if said[-1] == "open":
                break
        assert "open" in said
        try:
            yield running, said
        finally:
            running.kill()


def ping(url: str) -> bool:
    """Whether a real client gets an answer."""
    with redis.Redis.from_url(url) as client:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False


def answers(url: str) -> bool:
    """Whether a real client gets a row."""
    try:
        with psycopg.connect(url) as connection:
            return connection.execute("select 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def server_processes(home: Path) -> list[Process]:
    """The servers' processes as recorded."""
    return [it.process for it in Instance(home).read().servers.values() if it.process]


def with_descendants(leaders: list[Process]) -> set[Process]:
    """These processes with all that they started, by Linux's process table."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    family = {it.pid for it in leaders}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return {it for it in map(identify, family) if it}


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


def test_a_taken_port_is_left_to_its_new_owner(home: Path) -> None:
    """When something else listens on the remembered port, Redis takes another one."""
    with open_services(home, {}, print) as before:
        port = urlsplit(before.redis_url).port
    with socket.create_server(("127.0.0.1", port or 0)), open_services(home, {}, print) as after:
        assert urlsplit(after.redis_url).port != port
        assert ping(after.redis_url)


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


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take another user's home")
def test_root_does_not_begin_an_empty_database_beside_a_users_data(home: Path) -> None:
    """Given a home in which an ordinary user's data lie, root is refused with the reason."""
    (Instance(home).home / "postgresql").mkdir()
    with pytest.raises(ServicesError, match="belong to an ordinary user"), open_services(home, {}, print):
        pass


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

"""One home: its record, the lock between runs, leftovers, `down` and `--purge`, with real processes."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from workers.instance import (
    SYSTEM_FOLDER,
    AlreadyRunningError,
    Instance,
    InstanceError,
    claim,
    purge,
    stop_instance,
)
from workers.process import Process, identify, spawn, start_time, this_process, wait_until
from workers.record import Record, Server

ROOT = Path(__file__).parents[2]
SECONDS = 20.0
SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(600)
"""
RUN = """
import sys, time
from pathlib import Path
from workers.instance import claim
with claim(Path(sys.argv[1]), print):
    print("claimed", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process that a test may signal."""
    with spawn(SLEEP, os.environ) as running:
        yield running
        running.kill()


@pytest.fixture
def run(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A run that holds the home `tmp_path`."""
    with spawn([sys.executable, "-c", RUN, str(tmp_path)], {"PYTHONPATH": str(ROOT)}) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"claimed\n"
        yield running
        running.kill()


def identity(running: subprocess.Popen[bytes]) -> Process:
    """The identity of a process that runs."""
    found = identify(running.pid)
    assert found is not None
    return found


def test_a_home_gets_its_own_random_id_and_keeps_it(tmp_path: Path) -> None:
    """Two homes differ, one home opened twice does not; nobody else may look inside."""
    first, second = Instance(tmp_path / "a"), Instance(tmp_path / "b")
    assert first.id != second.id
    assert Instance(tmp_path / "a").id == first.id
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700
    assert first.path.stat().st_mode & 0o777 == 0o600


def test_a_record_comes_back_as_it_was_written() -> None:
    """Reading what was written gives the same record."""
    here = Process(12, "boot:34")
    record = Record("0123456789ab", here, {"redis": Server("redis://x", 15, here, here)}, {"web": here}, {"web": 8000})
    assert Record.from_json(record.to_json()) == record
    assert record.everything == [here] * 4


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"id": "../../etc"}', '{"id": "0123456789ab", "run": 7}'])
def test_a_damaged_record_is_named_and_not_overwritten(tmp_path: Path, text: str) -> None:
    """Given a file that is no record, the error names it, and the file stays for a look."""
    instance = Instance(tmp_path)
    instance.path.write_text(text)
    with pytest.raises(InstanceError, match=r"instance\.json is damaged"):
        Instance(tmp_path).read()
    assert instance.path.read_text() == text


def test_a_change_that_fails_leaves_the_record_as_it_was(tmp_path: Path) -> None:
    """When an error ends an edit, nothing of it is written."""
    instance = Instance(tmp_path)

    def change_and_fail() -> None:
        with instance.edit() as record:
            record.ports["web"] = 8000
            raise LookupError

    with pytest.raises(LookupError):
        change_and_fail()
    assert instance.read().ports == {}


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    """Given a file where the home should be, the sentence names it and the variable."""
    (tmp_path / "file").touch()
    with pytest.raises(InstanceError, match=r"file cannot be used: .*CASEBRIDGE_HOME"):
        Instance(tmp_path / "file")


def test_an_identity_is_a_pid_with_its_start(bystander: subprocess.Popen[bytes]) -> None:
    """The running process is recognised; the same pid with another start is somebody else; an ended one is gone."""
    process = identity(bystander)
    assert process.alive
    assert not replace(process, started="another boot:1").alive
    bystander.kill()
    assert wait_until(lambda: not process.alive, SECONDS)  # a zombie: nobody has waited for it yet
    assert bystander.wait() == -signal.SIGKILL
    assert identify(bystander.pid) is None


def test_a_process_name_with_brackets_does_not_mislead(tmp_path: Path) -> None:
    """Given a program named "a) b (c", its start time is still read."""
    program = tmp_path / "a) b (c"
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([str(program), "600"]) as running:
        assert start_time(running.pid)
        running.kill()


def test_two_runs_in_one_home_collide_with_a_clear_sentence(tmp_path: Path, run: subprocess.Popen[bytes]) -> None:
    """While one run holds the home, a second is told its pid and what to do."""
    with pytest.raises(AlreadyRunningError) as caught, claim(tmp_path, print):
        pass
    assert f"process {run.pid}" in str(caught.value)
    assert "casebridge down" in str(caught.value)


def test_a_home_is_free_again_after_its_run(tmp_path: Path, run: subprocess.Popen[bytes]) -> None:
    """After the run was killed, even with kill -9, the next one takes over and is recorded."""
    run.kill()
    run.wait()
    with claim(tmp_path, print) as instance:
        assert instance.read().run == this_process()
    assert Instance(tmp_path).read().run is None


def test_workers_of_a_killed_run_are_stopped_and_said(tmp_path: Path, bystander: subprocess.Popen[bytes]) -> None:
    """Given a worker recorded by a run that is gone, the next run stops it before it begins."""
    Instance(tmp_path).record_process("dispatch", identity(bystander))
    said: list[str] = []
    with claim(tmp_path, said.append) as instance:
        assert bystander.wait(SECONDS) == -signal.SIGTERM
        assert instance.read().processes == {}
    assert said == [f"stopping dispatch (process {bystander.pid}), left by a run that was killed"]


def test_a_recycled_pid_is_never_signalled(tmp_path: Path, bystander: subprocess.Popen[bytes]) -> None:
    """Given a record whose pid now belongs to another process, neither a new run nor `down` touches it."""
    before = replace(identity(bystander), started="another boot:1")
    with Instance(tmp_path).edit() as record:
        record.run = before
        record.processes["web"] = before
        record.servers["redis"] = Server("redis://x", signal.SIGTERM, before, before)
    said: list[str] = []
    assert stop_instance(tmp_path, said.append) is False
    with claim(tmp_path, said.append):
        pass
    assert said == []
    assert bystander.poll() is None


def test_down_stops_the_run(tmp_path: Path, run: subprocess.Popen[bytes]) -> None:
    """`down` ends the run and says which process; a second `down` finds nothing."""
    said: list[str] = []
    assert stop_instance(tmp_path, said.append)
    assert run.wait() == -signal.SIGTERM
    assert said == [f"stopping casebridge (process {run.pid})"]
    assert not stop_instance(tmp_path, said.append)


def test_down_kills_what_does_not_listen(tmp_path: Path) -> None:
    """A run that ignores SIGTERM is killed after the wait, and that is said."""
    said: list[str] = []
    with spawn([sys.executable, "-c", STUBBORN], {}) as stubborn:
        assert stubborn.stdout is not None
        assert stubborn.stdout.readline() == b"ready\n"
        with Instance(tmp_path).edit() as record:
            record.run = identity(stubborn)
        assert stop_instance(tmp_path, said.append, seconds=0.2)
        assert stubborn.wait() == -signal.SIGKILL
    assert said[-1].endswith("did not end within 0 s and was killed")


def test_down_without_a_home_makes_none(tmp_path: Path) -> None:
    """Where nothing was ever started, `down` and purge change nothing."""
    home = tmp_path / "home"
    assert not stop_instance(home)
    purge(home)
    assert not home.exists()


def test_purge_removes_our_data_and_nothing_else(tmp_path: Path) -> None:
    """Our files and the named further ones go; a file of somebody else stays, and so does its folder."""
    home = tmp_path / "home"
    instance = Instance(home)
    for name in ("postgresql", "valkey", "documents"):
        (home / name).mkdir()
    (home / "theirs.txt").touch()
    instance.runtime_folder.mkdir()
    purge(home, print, also=["documents"])
    assert [it.name for it in home.iterdir()] == ["theirs.txt"]
    assert not instance.runtime_folder.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="the system folder is root's way")
def test_purge_removes_roots_data_folder(tmp_path: Path) -> None:
    """As root, the home's folder below the system folder goes, too; other homes' stay."""
    mine, other = Instance(tmp_path / "mine"), Instance(tmp_path / "other")
    mine.data_folder.mkdir(parents=True)
    other.data_folder.mkdir(parents=True)
    assert mine.data_folder.parent == SYSTEM_FOLDER
    purge(mine.home)
    assert not mine.data_folder.exists()
    assert other.data_folder.exists()
    purge(other.home)
    assert not mine.home.exists()


def test_purge_refuses_while_something_runs(tmp_path: Path, run: subprocess.Popen[bytes]) -> None:
    """While a run holds the home, purge removes nothing and says what to do first."""
    with pytest.raises(InstanceError, match="casebridge down"):
        purge(tmp_path)
    assert (tmp_path / "instance.json").exists()

"""The supervisor: restarts with growing pauses, one child's end is nobody else's, an ordered stop."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from workers.process import Process, wait_until
from workers.supervisor import Child, Supervisor

SECONDS = 20.0
STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)"
TALKATIVE = "import time; print('hello', flush=True); time.sleep(600)"


class Clock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def python(name: str, text: str = "import time; time.sleep(600)", **more: object) -> Child:
    """A child that runs a line of Python."""
    return Child(name, [sys.executable, "-c", text], {"PATH": os.defpath}, **more)  # type: ignore[arg-type]  # test helper: fields by name


class Stage:
    """A supervisor with what it said and recorded."""

    def __init__(self, *children: Child, **more: Callable[[], float]) -> None:
        self.said: list[str] = []
        self.recorded: dict[str, Process | None] = {}
        self.supervisor = Supervisor(children, say=self.said.append, record=self.recorded.__setitem__, **more)  # type: ignore[arg-type]  # clock by name

    def process(self, name: str) -> Process:
        """The recorded process of a child."""
        found = self.recorded[name]
        assert found is not None
        return found

    def hears(self, *lines: str) -> bool:
        """Whether these lines are said in time."""
        return wait_until(lambda: set(lines) <= set(self.said), SECONDS)

    def kill(self, name: str) -> None:
        """kill -9 a child and wait for its end."""
        victim = self.process(name)
        victim.signal(signal.SIGKILL)
        assert wait_until(lambda: not victim.alive, SECONDS)


@pytest.fixture
def stages() -> Iterator[Callable[..., Stage]]:
    """Makes stages and stops them."""
    made: list[Stage] = []

    def make(*children: Child, **more: Callable[[], float]) -> Stage:
        made.append(Stage(*children, **more))
        return made[-1]

    yield make
    for stage in made:
        stage.supervisor.stop()


def test_a_killed_child_comes_back_after_its_pause_and_the_others_live_on(stages: Callable[..., Stage]) -> None:
    """After kill -9 of one child: said in a line, restarted when a second has passed and not before, alone."""
    clock = Clock()
    stage = stages(python("web"), python("beat"), monotonic=clock)
    stage.supervisor.start()
    first, other = stage.process("web"), stage.process("beat")
    stage.kill("web")
    stage.supervisor.tick()
    assert stage.said == ["web was ended by SIGKILL; starting it again in 1 s"]
    assert stage.supervisor.state() == {"web": "restarting", "beat": "running"}
    assert stage.recorded["web"] is None
    clock.now += 0.9
    stage.supervisor.tick()
    assert stage.supervisor.state()["web"] == "restarting"
    clock.now += 0.1
    stage.supervisor.tick()
    assert stage.supervisor.state() == {"web": "running", "beat": "running"}
    assert stage.process("web") != first
    assert stage.process("beat") == other


def test_pauses_grow_from_end_to_end(stages: Callable[..., Stage]) -> None:
    """A child that always fails is started after 1, 2, 4 s, each said with its exit code."""
    clock = Clock()
    stage = stages(python("web", "raise SystemExit(3)"), monotonic=clock)
    stage.supervisor.start()
    for seconds in (1, 2, 4):
        assert wait_until(lambda: stage.supervisor.state()["web"] == "restarting", SECONDS)
        stage.supervisor.tick()
        assert stage.said[-1] == f"web ended with exit code 3; starting it again in {seconds} s"
        clock.now += seconds
        stage.supervisor.tick()


def test_a_command_that_does_not_exist_is_named(stages: Callable[..., Stage]) -> None:
    """Given a missing program, the child's line says so and the supervision goes on."""
    stage = stages(Child("web", ["/no/such/program"], {}), python("beat"))
    stage.supervisor.start()
    stage.supervisor.watch()
    assert stage.hears("web  | /no/such/program cannot be run: No such file or directory")
    assert stage.hears("web ended with exit code 1; starting it again in 1 s")
    assert stage.supervisor.state()["beat"] == "running"


def test_a_missing_folder_is_retried_like_an_end(stages: Callable[..., Stage], tmp_path: Path) -> None:
    """When a child cannot even be started, that is said, and it starts once the cause is gone."""
    clock = Clock()
    stage = stages(python("web", cwd=tmp_path / "later"), monotonic=clock)
    stage.supervisor.start()
    assert stage.said[0].startswith("web could not be started (")
    (tmp_path / "later").mkdir()
    clock.now += 1
    stage.supervisor.tick()
    assert stage.supervisor.state() == {"web": "running"}


def test_lines_carry_the_name_of_their_child(stages: Callable[..., Stage]) -> None:
    """What children print comes out line by line behind their names, aligned, without colour off a terminal."""
    stage = stages(python("web", TALKATIVE), python("dispatch", TALKATIVE))
    stage.supervisor.start()
    assert stage.hears("web      | hello", "dispatch | hello")


def test_bytes_that_are_no_text_do_not_stop_the_output(stages: Callable[..., Stage]) -> None:
    """Given a line that is not UTF-8, it is shown with marks and the next line follows."""
    stage = stages(python("web", r"import os, time; os.write(1, b'\xff\nnext\n'); time.sleep(600)"))
    stage.supervisor.start()
    assert stage.hears("web | �", "web | next")


def test_output_may_go_to_a_file(stages: Callable[..., Stage], tmp_path: Path) -> None:
    """A child with a log prints nothing on our output."""
    stage = stages(python("web", TALKATIVE, log=tmp_path / "web.log"))
    stage.supervisor.start()
    assert wait_until(lambda: (tmp_path / "web.log").read_bytes() == b"hello\n", SECONDS)
    assert stage.said == []


def test_a_record_that_cannot_be_written_does_not_end_the_supervision() -> None:
    """On a full disk the children run, and the trouble is said."""

    def full(_name: str, _process: Process | None) -> None:
        raise OSError(28, "No space left on device")

    said: list[str] = []
    supervisor = Supervisor([python("web")], say=said.append, record=full)
    supervisor.start()
    assert supervisor.state() == {"web": "running"}
    supervisor.stop()
    assert "No space left on device" in said[0]


def test_children_go_on_when_nobody_reads(tmp_path: Path) -> None:
    """After the reader of our output went away, a child that prints more than a pipe holds still gets its work done."""

    def gone(_line: str) -> None:
        raise BrokenPipeError

    text = f"print(('x' * 99 + chr(10)) * 5000, flush=True); open({str(tmp_path / 'done')!r}, 'w')"
    supervisor = Supervisor([python("web", text)], say=gone)
    supervisor.start()
    assert wait_until((tmp_path / "done").exists, SECONDS)
    supervisor.stop()


def test_children_stop_in_order(stages: Callable[..., Stage]) -> None:
    """The lower stop order has ended before the higher one is asked; all end and are forgotten."""
    farewell = (
        "import signal, sys, time\n"
        "signal.signal(15, lambda *_: (print('bye', flush=True), sys.exit()))\n"
        "print('ready', flush=True)\n"
        "time.sleep(600)"
    )
    stage = stages(python("web", farewell, stop_order=1), python("beat", farewell), python("work", farewell))
    stage.supervisor.start()
    assert stage.hears("web  | ready", "beat | ready", "work | ready")
    stage.supervisor.stop()
    assert stage.supervisor.state() == dict.fromkeys(("web", "beat", "work"), "stopped")
    assert stage.said[-1] == "web  | bye"
    assert set(stage.recorded.values()) == {None}


def test_a_child_that_overstays_its_grace_is_killed_and_named(stages: Callable[..., Stage]) -> None:
    """A child that ignores SIGTERM does not hold up the stop."""
    stage = stages(python("web", STUBBORN, grace_seconds=0.1))
    stage.supervisor.start()
    assert stage.hears("web | ready")
    process = stage.process("web")
    stage.supervisor.stop()
    assert not process.alive
    assert stage.said[-1] == "web is still running; killing it"


def test_an_adopted_process_is_watched_and_stopped(stages: Callable[..., Stage]) -> None:
    """A process started by somebody else counts as running, is replaced when it ends, and is stopped."""
    clock = Clock()
    before = stages(python("redis"))
    before.supervisor.start()
    stage = stages(python("redis"), monotonic=clock)
    stage.supervisor.start({"redis": before.process("redis")})
    assert stage.process("redis") == before.process("redis")
    stage.kill("redis")
    stage.supervisor.tick()
    assert stage.said == ["redis ended; starting it again in 1 s"]
    clock.now += 1
    stage.supervisor.tick()
    assert stage.supervisor.state() == {"redis": "running"}

"""`casebridge demo --once`: every built flow arrives, as often as one likes, and nothing keeps running."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from workers.instance import purge

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(240), pytest.mark.xdist_group("ports")]


def play(home: Path) -> "subprocess.CompletedProcess[str]":
    """One run in a home; embedded servers whatever the surroundings give."""
    given = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    argv = [sys.executable, "-m", "workers", "demo", "--once", "--json"]
    env = {**given, "CASEBRIDGE_HOME": str(home)}
    return subprocess.run(argv, env=env, capture_output=True, text=True, check=False, timeout=110)


def test_every_flow_arrives_in_a_fresh_home_and_in_a_used_one(tmp_path: Path) -> None:
    """The stand-ins begin anew each time, and so does what is remembered of them."""
    home = tmp_path / "home"
    try:
        for _ in range(2):
            done = play(home)
            assert done.returncode == 0, done.stderr
            flows = json.loads(done.stdout)["flows"]
            assert [(one["flow"], one["arrived"], one["missing"]) for one in flows] == [
                (flow, True, []) for flow in ("G1", "G2", "Z1", "Z2")
            ]
            assert all(one["effects"] and one["trigger"] and one["seconds"] > 0 for one in flows)
    finally:
        purge(home, say=lambda _line: None, also=("beat", "documents"))

"""Remove one branch at a time in copies of the project: the test that is named after it must turn red.

    python -m tests.flows.run_mutations [--only WORD] [--jobs 4]

Exit 0: every mutation was caught; 1: one survived, or a test is red without any mutation.
"""

import argparse
import importlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

from tests.flows.mutations import Mutation
from workers.embedded import open_services
from workers.instance import purge, stop_instance

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("pipeline", "schemas", "workers", "sandbox", "tests")
SECONDS = 180


def main() -> int:
    """Run what was asked for and say what survived."""
    options = _options()
    chosen = [one for one in found() if options.only in one.test or options.only in one.file]
    with tempfile.TemporaryDirectory(prefix="mutations-") as folder, _services(Path(folder)) as env:
        trees: SimpleQueue[Path] = SimpleQueue()
        for number in range(options.jobs):
            trees.put(_copy(Path(folder) / f"tree{number}"))
        with ThreadPoolExecutor(options.jobs) as pool:
            red = _red_already(chosen, trees, env)
            survived = [line for line in pool.map(lambda one: _try(one, trees, env), chosen) if line]
    summary = f"{len(chosen)} mutations, {len(chosen) - len(survived)} caught"
    sys.stdout.write("\n".join([*red, *survived, summary]) + "\n")
    return 1 if red or survived else 0


def found() -> list[Mutation]:
    """The mutations of every `mutations*.py` beside this file."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("mutations*.py"))
    modules = [importlib.import_module(f"tests.flows.{name}") for name in names]
    return [mutation for module in modules for mutation in module.MUTATIONS]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="a word in the test's or the file's name")
    parser.add_argument("--jobs", type=int, default=4)
    return parser.parse_args()


@contextmanager
def _services(folder: Path) -> Iterator[dict[str, str]]:
    """The environment with servers: those given, else embedded ones for this run."""
    if "DATABASE_URL" in os.environ and "REDIS_URL" in os.environ:
        yield dict(os.environ)
        return
    home = folder / "home"
    home.mkdir()
    with open_services(home, {}, print) as servers:
        yield {**os.environ, "DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url}
    stop_instance(home, say=print)
    purge(home, say=print)


def _copy(tree: Path) -> Path:
    """The project as it stands, without caches and data."""
    tree.mkdir()
    for name in COPIED:
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in [*ROOT.glob("*.toml"), *ROOT.glob("*.yaml")]:
        shutil.copy(path, tree)
    return tree


def _red_already(chosen: list[Mutation], trees: SimpleQueue[Path], env: dict[str, str]) -> list[str]:
    """Without any mutation all these tests must pass, else a red one proves nothing."""
    tree = trees.get()
    done = _pytest(tree, sorted({one.test for one in chosen}), env, limit=SECONDS * 5)
    trees.put(tree)
    return [] if done.returncode == 0 else [f"red without any mutation:\n{done.stdout[-3000:]}"]


def _try(mutation: Mutation, trees: SimpleQueue[Path], env: dict[str, str]) -> str:
    """'' when the test turned red; else what happened instead."""
    tree = trees.get()
    before = {file: (tree / file).read_text(encoding="utf-8") for file, _, _ in mutation.edits}
    try:
        for file, old, new in mutation.edits:
            if before[file].count(old) != 1:
                return f"{mutation.test}: found {before[file].count(old)} times in {file}: {old!r}"
            (tree / file).write_text(before[file].replace(old, new), encoding="utf-8")
        done = _pytest(tree, [mutation.test], env, limit=SECONDS)
    except subprocess.TimeoutExpired:
        return ""  # a test that never ends is red too
    finally:
        for file, text in before.items():
            (tree / file).write_text(text, encoding="utf-8")
        trees.put(tree)
    if done.returncode == 1:
        return ""
    return f"SURVIVED {mutation.test}: {mutation.file}: {mutation.old!r} (pytest ended with {done.returncode})"


def _pytest(tree: Path, tests: list[str], env: dict[str, str], *, limit: float) -> subprocess.CompletedProcess[str]:
    """pytest in a copy, which comes first on the path; compiled files are not kept, for a second is their grain."""
    argv = [sys.executable, "-m", "pytest", "-q", "-x", "-n0", "-p", "no:cacheprovider"]
    argv += [f"tests/flows/{test}" for test in tests]
    env = {**env, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(argv, cwd=tree, env=env, capture_output=True, text=True, timeout=limit, check=False)


if __name__ == "__main__":
    sys.exit(main())

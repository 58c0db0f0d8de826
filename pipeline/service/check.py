"""Before the start: is the environment whole, the configuration right, and does every system have what it names?"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pipeline.config import Config
from pipeline.configuration import load, yaml_text
from pipeline.connector import Connector
from pipeline.environment import Environment, mask_url, read
from pipeline.errors import CasebridgeError, ConfigurationError, Problem
from pipeline.http import Executor
from pipeline.tokens import Tokens

_PATH = re.compile(r"(?P<path>[a-z_]+(?:\.[^\s:]+)*): ")


@dataclass(frozen=True)
class Checked:
    """What one system said: `answers` None where it was not asked; `missing` is one sentence for each thing."""

    url: str
    answers: bool | None = None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """Everything that is wrong, at once; `environment` is what was understood, masked."""

    problems: tuple[Problem, ...]
    redis_url: str | None
    database_url: str | None
    targets: Mapping[str, Checked] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return not self.problems


def check(
    env: Mapping[str, str], connectors: Mapping[str, Connector], *, file: Path | None = None, offline: bool = False
) -> Report:
    """Look at everything; the network is asked only when environment and file are right, and then by reads alone."""
    problems: list[Problem] = []
    environment = _collected(problems, lambda: read(env, connectors))
    path = file or (environment.config if environment else Path(env.get("CASEBRIDGE_CONFIG") or "casebridge.yaml"))
    text = _collected(problems, lambda: read_file(path))
    config = None if text is None else _collected(problems, lambda: load(text, connectors, file=str(path)))
    report = Report(
        tuple(problems),
        redis_url=_shown(env.get("REDIS_URL")),
        database_url=_shown(env.get("DATABASE_URL")),
        environment=environment.masked() if environment else {},
    )
    if environment is None or config is None or text is None:
        return report
    return _with_targets(report, environment, config, text, connectors, offline=offline)


def read_file(path: Path) -> str:
    """The text of a configuration file. Raises ConfigurationError where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        found = error.strerror if isinstance(error, OSError) else "no UTF-8 text"
        expected = "a configuration file: start from casebridge.example.yaml, or set CASEBRIDGE_CONFIG"
        raise ConfigurationError([Problem(str(path), None, str(found).lower(), expected)]) from error


def as_json(report: Report) -> dict[str, Any]:
    """As decisions D18 fix it."""
    return {
        "ok": report.ok,
        "problems": [
            {"file": one.file, "line": one.line, "found": one.found, "expected": one.expected}
            for one in report.problems
        ],
        "redis_url": report.redis_url,
        "database_url": report.database_url,
        "targets": {
            name: {"url": one.url, "answers": one.answers, "missing": list(one.missing)}
            for name, one in report.targets.items()
        },
    }


def _with_targets(
    report: Report,
    environment: Environment,
    config: Config,
    text: str,
    connectors: Mapping[str, Connector],
    *,
    offline: bool,
) -> Report:
    tokens = Tokens(None, environment.secret_key)
    targets = {
        name: _ask(connector, environment, config, tokens, offline=offline) for name, connector in connectors.items()
    }
    document = yaml_text.read(text, config.file)
    found = [_located(document, sentence) for one in targets.values() for sentence in one.missing]
    return replace(report, problems=(*report.problems, *found), targets=targets)


def _ask(connector: Connector, environment: Environment, config: Config, tokens: Tokens, *, offline: bool) -> Checked:
    account = connector.account(environment.systems, config)
    if offline:
        return Checked(account.root_url)
    executor = Executor(account, tokens=tokens, limiter=None, mode="read")
    try:
        return Checked(account.root_url, True, tuple(connector.check(config, executor)))
    except CasebridgeError as error:
        sentence = f"{connector.title} at {account.root_url} could not be asked: {error}"
        return Checked(account.root_url, False, (sentence,))
    finally:
        executor.close()


def _located(document: yaml_text.Document, sentence: str) -> Problem:
    """A connector's sentence with the line of the configuration that it begins with, where it names one."""
    match = _PATH.match(sentence)
    expected = "what casebridge.yaml names, at its system; or another name here"
    path = tuple(match["path"].split(".")) if match else ()
    if not path or path[0] not in document.data:
        return Problem("environment" if "could not be asked" in sentence else document.file, None, sentence, expected)
    return Problem(document.file, document.line(path), sentence, expected)


def _collected(problems: list[Problem], load_it: Any) -> Any:
    """The loaded value; None after its faults were noted."""
    try:
        return load_it()
    except ConfigurationError as error:
        problems += error.problems
        return None


def _shown(url: str | None) -> str | None:
    return mask_url(url) if url else None


def listed(problems: Iterable[Problem]) -> str:
    """One line a problem."""
    return "\n".join(f"  {problem}" for problem in problems)

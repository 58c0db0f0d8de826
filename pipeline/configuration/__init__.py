"""Reads casebridge.yaml: every fault at once, each with its line, what stands there and what to write (D17)."""

import hashlib
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from pipeline.config import Config, Partner, Settings
from pipeline.configuration import checks, explain, yaml_text
from pipeline.configuration.json_schema import json_schema
from pipeline.connector import Connector
from pipeline.errors import ConfigurationError, Problem
from schemas.config import config_schema

__all__ = ["canonical", "json_schema", "load"]


def load(text: str, connectors: Mapping[str, Connector], *, file: str = "casebridge.yaml") -> Config:
    """The validated configuration. A section that is left out, or empty, counts as one with all its defaults.

    Raises ConfigurationError with all problems in the order of their lines; text that is no YAML has only its first.
    """
    document = yaml_text.read(text, file)
    titles = {name: connector.title for name, connector in connectors.items()}
    schema = config_schema({name: connector.section for name, connector in connectors.items()}, titles)
    problems = [*document.problems, *checks.cross(document, titles)]
    loaded: dict[str, Any] = {}
    try:
        loaded = schema.load(_with_sections(document.data, connectors))
    except ValidationError as error:
        problems += explain.problems(error.messages, schema, document)
    if problems:
        raise ConfigurationError(sorted(problems, key=_line))
    return _config(loaded, connectors, text, file)


def canonical(text: str) -> bytes:
    """The bytes that `Config.sha256` is made of: UTF-8, no byte order mark, LF at the end of every line."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    return f"{lines.rstrip()}\n".encode()


def _with_sections(data: Mapping[str, Any], connectors: Mapping[str, Connector]) -> dict[str, Any]:
    given = {name: value for name, value in data.items() if value is not None}
    return {**{name: {} for name in connectors}, **given}


def _config(loaded: Mapping[str, Any], connectors: Mapping[str, Connector], text: str, file: str) -> Config:
    return Config(
        version=loaded["version"],
        partners=tuple(_partner(row, connectors) for row in loaded["partners"]),
        sections={name: loaded[name] for name in connectors},
        settings=Settings(**loaded["settings"]),
        sha256=hashlib.sha256(canonical(text)).hexdigest(),
        file=file,
    )


def _partner(row: Mapping[str, Any], connectors: Mapping[str, Connector]) -> Partner:
    return Partner(
        key=row["key"],
        name=row["name"],
        ids={name: row[name] for name in connectors if name in row},
        calendar=row["calendar"],
        settings=row["settings"],
    )


def _line(problem: Problem) -> int:
    return problem.line or 0

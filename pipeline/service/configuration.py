"""casebridge.yaml in an operator's hands: apply a file as the active version, show a version, publish the schema."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.configuration import json_schema, load
from pipeline.connector import Connector
from pipeline.service.errors import NotFoundError
from pipeline.store import config_versions
from pipeline.store.pool import Conn


@dataclass(frozen=True)
class Version:
    """One stored version; `text` is the file as it was applied."""

    version: int
    text: str
    applied_at: datetime
    applied_by: str
    active: bool


def apply(conn: Conn, text: str, *, file: str, connectors: Mapping[str, Connector], actor: str) -> tuple[int, bool]:
    """Validate and activate; (version, whether that changed anything). Raises ConfigurationError with all faults."""
    load(text, connectors, file=file)
    return config_versions.apply(conn, text, actor=actor)


def show(conn: Conn, version: int | None = None) -> Version:
    """A version, the active one by default. Raises NotFoundError."""
    row = config_versions.text(conn, version)
    if row is None:
        what = "There is no active configuration." if version is None else f"There is no version {version}."
        raise NotFoundError(what, "Apply a file: `casebridge config apply casebridge.yaml`.")
    active = config_versions.active(conn)
    return Version(*row, active=active is not None and active[0] == row[0])


def versions(conn: Conn) -> list[dict[str, Any]]:
    """The newest fifty, newest first, without their texts."""
    names = ("version", "sha256", "applied_at", "applied_by", "active")
    return [dict(zip(names, row, strict=True)) for row in config_versions.versions(conn)]


def schema(connectors: Mapping[str, Connector]) -> dict[str, Any]:
    """The JSON Schema for editors."""
    return json_schema(connectors)

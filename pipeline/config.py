"""The active configuration as the rest of the pipeline sees it: partners, one section per system, settings (D17)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Partner:
    """One partner: `key` is ours, `ids` are how each system knows it (text or a mapping of names to text)."""

    key: str
    name: str = ""
    ids: Mapping[str, Any] = field(default_factory=dict)
    calendar: str = "default"
    settings: Mapping[str, Any] = field(default_factory=dict)

    def id_at(self, system: str, name: str = "") -> str | None:
        """The partner's id at a system: the plain text, or the named member of the mapping."""
        value = self.ids.get(system)
        if isinstance(value, Mapping):
            value = value.get(name) if name else next(iter(value.values()), None)
        return None if value is None else str(value)


@dataclass(frozen=True)
class Settings:
    """Numbers and switches that hold for all systems."""

    status_settle_seconds: float = 60.0
    join_window_days: int = 30
    webhook_tolerance_seconds: int = 86_400
    recheck_after_seconds: float = 30.0
    share_internal: bool = False


@dataclass(frozen=True)
class Config:
    """One version of casebridge.yaml, loaded and validated. `sections` hold what each connector's schema loaded."""

    version: int = 1
    partners: tuple[Partner, ...] = ()
    sections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)
    sha256: str = ""
    file: str = "casebridge.yaml"

    def partner(self, key: str) -> Partner | None:
        return next((partner for partner in self.partners if partner.key == key), None)

    def partner_at(self, system: str, external_id: str) -> Partner | None:
        """The partner that a system knows by this id, under whatever member of its mapping."""
        return next((p for p in self.partners if external_id in _ids(p.ids.get(system))), None)


def _ids(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, Mapping):
        return tuple(str(item) for item in value.values())
    return (str(value),)

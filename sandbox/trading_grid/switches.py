"""What a test may set at `/_sandbox/trading_grid`: limits, old error bodies, scan delay, surprises."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Switches:
    """The settings; everything is off at the start, so that load tests measure casebridge."""

    rate_limit: bool = False
    requests_per_minute: int = 600
    burst: int = 50
    retry_after_as_date: bool = False
    legacy_errors: str = "none"
    """none, cms or communications: which old OpenText error body replaces problem+json."""
    scan_delay_seconds: float = 0.0
    token_seconds: int = 900
    surprises: bool = False
    """Answers carry an unknown member and events an unknown type: readers must ignore both."""

    def changed(self, **changes: Any) -> Switches:
        """A copy with some settings changed; raises ValueError on an unknown name or value
        and TypeError on a wrong type."""
        known = {item.name: type(getattr(self, item.name)) for item in fields(self)}
        for name, value in changes.items():
            if name not in known:
                raise ValueError(f"unknown switch {name}")
            if not isinstance(value, (int, float) if known[name] is float else known[name]):
                raise TypeError(f"{name} must be {known[name].__name__}")
        if changes.get("legacy_errors", "none") not in ("none", "cms", "communications"):
            raise ValueError("legacy_errors must be none, cms or communications")
        return replace(self, **changes)

    def shown(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return asdict(self)

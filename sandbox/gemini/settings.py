"""Switches for everything about Gemini that is inferred or unknown, set live at `/_sandbox/gemini`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any

_CHOICES = {
    "login_refusal": ("403", "null", "anonymous"),
    "sanitiser": ("off", "scripts", "rewrite"),
    "webhook_encoding": ("utf-8", "windows-1252"),
    "revised_after_grain": ("day", "second"),
}


@dataclass(slots=True)
class Settings:
    """How this site behaves; see the system sheet's sections in brackets."""

    login_refusal: str = "403"  # what a wrong login gets [1]
    revoked: list[str] = field(default_factory=list)  # user names whose key no longer holds
    user_groups: dict[str, list[int]] = field(default_factory=dict)  # other groups, by user name
    auto_mark_as_assigned: bool = False  # event app [12.2]
    auto_open_closed_item: bool = False  # event app [12.2]
    enforce_workflow: bool = True  # [4.3]
    sanitiser: str = "scripts"  # what happens to HTML before it is stored [12.7]
    default_comment_visibility: int = 1  # group of a comment that names none [5]
    store_comments_for_group: int | None = None  # a site that stores another group than asked for [5]
    comment_raises_revised: bool = True  # [7]
    comment_originator: bool = True  # whether comments keep OriginatorType and OriginatorData [5]
    impersonation: bool = False  # whether UserId of somebody else is taken [5]
    originator_lookup: bool = True  # whether items/originator exists [4.2]
    custom_put_without_id: bool = True  # whether PUT of a custom value without row id upserts [3.3]
    encode_custom_values: bool = False  # whether custom values come out entity-encoded [12.7]
    attachment_content: bool = True  # whether GET of an attachment holds its bytes [6]
    attachment_site_link: bool = True  # whether API credentials open the web site's download link [6]
    revised_after_grain: str = "day"  # [7]
    revised_fraction: bool = False  # whether item times hold fractions of a second (recorded: no) [3.1]
    max_request_bytes: int = 44_000_000  # above it IIS answers 404.13 [8]
    webhook: bool = True  # the Webhooks app is on [7]
    webhook_encoding: str = "utf-8"  # [7]
    webhook_references: bool = False  # $id, $ref, $values [7]

    def shown(self) -> dict[str, Any]:
        """The settings as JSON-ready values."""
        return asdict(self)

    def change(self, changes: dict[str, Any]) -> None:
        """Set some switches; raises ValueError on an unknown name, type or value, before anything is set."""
        known = {item.name for item in fields(self)}
        for name, value in changes.items():
            if name not in known:
                raise ValueError(f"unknown setting {name!r}; one of {', '.join(sorted(known))}")
            if name in _CHOICES and value not in _CHOICES[name]:
                raise ValueError(f"{name} is one of {', '.join(_CHOICES[name])}, not {value!r}")
            if isinstance(getattr(self, name), bool) and not isinstance(value, bool):
                raise ValueError(f"{name} is true or false, not {value!r}")  # noqa: TRY004 -- one error for all
        for name, value in changes.items():
            setattr(self, name, value)

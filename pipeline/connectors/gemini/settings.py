"""What a customer sets for Gemini: environment, the section `gemini` of casebridge.yaml, the account made of both."""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta, tzinfo
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from marshmallow import Schema, ValidationError, fields, validates_schema
from marshmallow.validate import OneOf, Range

from pipeline.config import Config
from pipeline.connector import Account, Limit, Variable
from pipeline.domain.milestones import AWAITING, STATES
from pipeline.plan import Request

SYSTEM = "gemini"
SHIPPED_MAX_FILE_BYTES = 33_000_000  # 44,000,000 x 3/4 of the shipped request filter (sheet, section 6)
STATUSES = (*STATES, *(f"awaiting_partner:{reason}" for reason in AWAITING))
PRIORITIES = frozenset({"low", "normal", "high", "urgent"})

VARIABLES = (
    Variable("GEMINI_URL", "address of the site, with its virtual directory where it has one"),
    Variable("GEMINI_USERNAME", "user name of casebridge's own account at the site"),
    Variable("GEMINI_API_KEY", "API key from that user's profile, tab Password", secret=True),
    Variable("GEMINI_WEBHOOK_TOKEN", "unguessable last part of the wake-up address /hooks/gemini/...", secret=True),
    Variable("GEMINI_WEBHOOK_TOKEN_PREVIOUS", "accepted too while the token is changed", secret=True, required=False),
)


@dataclass(frozen=True)
class Options:
    """The settings as the rest of the connector reads them; ids are the site's numbers, labels its spellings."""

    root: str
    username: str
    project: int
    types: Mapping[str, str]  # role (case, task, ...) -> label
    internal_group: int
    partner_group: int
    escalation_priority: str
    priorities: Mapping[str, str]  # low, normal, high, urgent -> label
    field_ids: Mapping[str, int]  # purpose -> custom field id
    statuses: Mapping[str, str]  # label -> canonical state, perhaps with `:awaiting reason`
    roles: Mapping[str, tuple[str, ...]]  # role -> user names
    zone: tzinfo
    max_file_bytes: int
    overlap: timedelta
    partner_label: str
    instance: str

    @classmethod
    def of(cls, env: Mapping[str, str], config: Config) -> "Options":
        """Environment and loaded section together; without environment there are no addresses and no user name."""
        section = config.sections[SYSTEM]
        return cls(
            root=env.get("GEMINI_URL", "").rstrip("/"),
            username=env.get("GEMINI_USERNAME", ""),
            project=section["project"],
            types=section["types"],
            internal_group=section["groups"]["internal"],
            partner_group=section["groups"]["partner"],
            escalation_priority=section.get("escalation_priority", ""),
            priorities=section.get("priorities", {}),
            field_ids=section.get("fields", {}),
            statuses=section.get("statuses", {}),
            roles={role: tuple(names) for role, names in section.get("roles", {}).items()},
            zone=zone_of(section.get("time_zone", "UTC")),
            max_file_bytes=section.get("max_file_bytes", SHIPPED_MAX_FILE_BYTES),
            overlap=timedelta(seconds=section.get("poll_overlap_seconds", 300)),
            partner_label=section.get("partner_label", "{name} (partner)"),
            instance=section.get("instance", "casebridge"),
        )

    def item_url(self, item_id: str | int) -> str:
        """The item's page for people."""
        return f"{self.root}/workspace/{self.project}/item/{item_id}"

    def file_url(self, item_id: str | int, attachment_id: str | int) -> str:
        """The link that the item's page draws for one attachment."""
        return f"{self.root}/project/{self.project}/item/attachment?issueid={item_id}&fileid={attachment_id}"


def zone_of(name: str) -> tzinfo:
    """The zone of values without offset. Raises ValidationError for an unknown name."""
    if name.upper() == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValidationError(f"found {name!r}, expected a time zone name such as UTC or Europe/Berlin") from error


def account(env: Mapping[str, str], config: Config) -> Account:
    """User name and API key as HTTP Basic (RFC 7617), the only log-in that works on vendor-hosted sites too."""
    section = config.sections[SYSTEM]
    pair = f"{env['GEMINI_USERNAME']}:{env['GEMINI_API_KEY']}".encode()
    return Account(
        system=SYSTEM,
        root_url=env["GEMINI_URL"].rstrip("/"),
        api_path="/api",
        headers={"Authorization": f"Basic {base64.b64encode(pair).decode()}", "Accept": "application/json"},
        limits=tuple(Limit(**limit) for limit in section.get("limits", ())),
        allow_private=section.get("allow_private", False),
        allow_http=section.get("allow_http", False),
        secret_members=("ApiKey",),  # a privileged caller is sent every user's key (sheet, trap 15)
        health=who_am_i(env["GEMINI_USERNAME"], step="health"),
    )


def who_am_i(username: str, step: str = "me") -> Request:
    """Our own user. The answers `null`, Id 0 or another name are a refused log-in (sheet, section 1)."""
    return Request(step, "GET", f"/users/username/{quote(username, safe='')}", reads=True, keeps_seconds=300)


def _message(expected: str) -> dict[str, Any]:
    found, missing = f"found {{input!r}}, expected {expected}", f"found nothing, expected {expected}"
    return {"invalid": found, "too_large": found, "required": missing, "null": missing}


def _whole(expected: str, **options: Any) -> fields.Integer:
    return fields.Integer(strict=True, error_messages=_message(expected), **options)


def _text(expected: str, **options: Any) -> fields.String:
    return fields.String(
        error_messages={**_message(expected), "invalid": f"found no text, expected {expected}"}, **options
    )


def _one_of(values: Iterable[str]) -> OneOf:
    return OneOf(sorted(values), error="found {input!r}, expected one of {choices}")


def _names_partner(value: str) -> None:
    if value.replace("{name}", "").count("{") or "{name}" not in value:
        raise ValidationError(f"found {value!r}, expected a text with {{name}} in it")


class _Strict(Schema):
    error_messages = {  # noqa: RUF012 -- marshmallow reads it from the class
        "unknown": "found a name that Gemini's section does not know, expected none",
        "type": "found another value, expected names with values",
    }


class Groups(_Strict):
    """User groups that a comment's Visibility may name; Everyone (1) would include anonymous visitors."""

    internal = _whole("the id of the user group for internal comments", required=True)
    partner = _whole("the id of the user group whose comments are for the partner", required=True)

    @validates_schema
    def apart(self, data: dict[str, int], **_: Any) -> None:
        """Two groups, neither of them Everyone."""
        if data.get("internal") == data.get("partner"):
            raise ValidationError(f"found group {data.get('partner')} twice, expected two groups", "partner")
        for name, value in data.items():
            if value == 1:
                raise ValidationError("found 1 (Everyone), expected a group of its own", name)


class LimitSection(_Strict):
    """A limit that the site's operators asked for; the vendor documents none."""

    name = _text("a name", required=True)
    amount = _whole("a number of calls", required=True, validate=Range(min=1))
    seconds = _whole("a number of seconds", required=True, validate=Range(min=1))
    method = _text("an HTTP method", load_default="")
    path_prefix = _text("the beginning of a path", load_default="")


class GeminiSection(_Strict):
    """The part `gemini` of casebridge.yaml (decisions D17)."""

    project = _whole("the number of the project", required=True)
    types = fields.Dict(_text("a role"), _text("the label of a type"), required=True)
    groups = fields.Nested(Groups, required=True)
    escalation_priority = _text("the label of a priority", load_default="")
    priorities = fields.Dict(
        _text("a priority", validate=_one_of(PRIORITIES)), _text("the label of a priority"), load_default=dict
    )
    custom_fields = fields.Dict(
        _text("a purpose"), _whole("the id of a custom field"), data_key="fields", attribute="fields",
        load_default=dict,
    )  # fmt: skip
    statuses = fields.Dict(_text("a status label"), _text("a state", validate=_one_of(STATUSES)), required=True)
    roles = fields.Dict(_text("a role"), fields.List(_text("a user name")), load_default=dict)
    time_zone = _text("a time zone", load_default="UTC", validate=zone_of)
    max_file_bytes = _whole(
        "a number of bytes", load_default=SHIPPED_MAX_FILE_BYTES, validate=Range(1, error="expected above 0")
    )
    poll_overlap_seconds = _whole(
        "seconds", load_default=300, validate=Range(0, 43_200, error="found {input}, expected 0 to 43200")
    )
    partner_label = _text("a text", load_default="{name} (partner)", validate=_names_partner)
    instance = _text("a name for this installation", load_default="casebridge")
    limits = fields.List(fields.Nested(LimitSection), load_default=list)
    allow_private = fields.Boolean(load_default=False)
    allow_http = fields.Boolean(load_default=False)

    @validates_schema
    def has_case_type(self, data: dict[str, Any], **_: Any) -> None:
        """Creating needs to know what a case is called."""
        if "case" not in data.get("types", {}):
            raise ValidationError("found no line `case`, expected the label of the type for cases", "types")

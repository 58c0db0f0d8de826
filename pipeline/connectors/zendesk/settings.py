"""What Zendesk's connector is told: environment variables, its section of casebridge.yaml, the account to log in to."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from pipeline.config import Config
from pipeline.connector import Account, Limit, Variable
from pipeline.errors import ConfigurationError, Problem
from pipeline.plan import Request

SYSTEM = "zendesk"
KIND = "ticket"
API_PATH = "/api/v2"
STATUSES = ("new", "open", "pending", "hold", "solved")  # `closed` is never written: only automations set it
DEFAULT_STATUSES = {  # the state map of flows.md
    "new": "open", "received": "open", "assigned": "open", "in_progress": "open",
    "awaiting_partner": "pending", "awaiting_approval": "hold", "resolved": "solved", "closed": "solved",
}  # fmt: skip
DEFAULT_LIMITS = {"account": 400, "update": 100, "incremental": 10}  # calls a minute, plan Growth (sheet 6)
PER_TICKET_SECONDS = 600  # 30 updates of one ticket by one user within it (sheet 6)
TOKEN_SECONDS = 1800  # what clients made after 2026-04-30 get by default (sheet 0.2)

VARIABLES = (
    Variable("ZENDESK_URL", "the account's own address, e.g. https://example.zendesk.com (never a host-mapped one)"),
    Variable("ZENDESK_CLIENT_ID", "OAuth client for the grant client_credentials", required=False),
    Variable("ZENDESK_CLIENT_SECRET", "secret of that OAuth client", secret=True, required=False),
    Variable("ZENDESK_EMAIL", "legacy log-in: the agent's address; ends on 2027-04-30", required=False),
    Variable("ZENDESK_API_TOKEN", "legacy log-in: the agent's API token", secret=True, required=False),
    Variable("ZENDESK_WEBHOOK_SECRET", "signing secret of our webhook, as shown", secret=True, required=False),
    Variable("ZENDESK_WEBHOOK_SECRET_PREVIOUS", "the one before, while it is rotated", secret=True, required=False),
)


def _number(expected: str) -> fields.Integer:
    return fields.Integer(
        strict=True,
        error_messages={"invalid": f"expected {expected}, a whole number"},
        validate=validate.Range(min=1, error=f"found {{input}}, expected {expected} above 0"),
    )


def _status() -> fields.String:
    return fields.String(validate=validate.OneOf(STATUSES, error="found {input!r}, expected one of {choices}"))


def _name() -> fields.String:
    return fields.String(validate=validate.Length(min=1, error="found an empty text, expected a name"))


class Section(Schema):
    """`zendesk:` in casebridge.yaml (decisions D17); unknown keys are refused by name."""

    escalate_tag = fields.String(load_default="b2b_partner_issue")
    onboarding_tag = fields.String(load_default="b2b_onboarding")
    partner_comment_prefix = fields.String(
        load_default="#partner",
        validate=validate.Regexp(r"^\S{2,40}$", error="found {input!r}, expected 2 to 40 characters without blanks"),
    )
    fields_ = fields.Dict(
        keys=_name(), values=_number("the id of a ticket field"), data_key="fields", attribute="fields",
        load_default=dict,
    )  # fmt: skip
    allow_private = fields.Boolean(load_default=False)
    allow_http = fields.Boolean(load_default=False)
    share_subject = fields.Boolean(load_default=True)
    reopen_solved = fields.Boolean(load_default=True)
    when_full = fields.String(
        load_default="park",
        validate=validate.OneOf(("park", "new_ticket"), error="found {input!r}, expected one of {choices}"),
    )
    per_ticket_limit = fields.Integer(load_default=30, validate=validate.Range(min=1, max=300))  # in 10 minutes
    group = fields.Integer(load_default=None, allow_none=True)
    statuses = fields.Dict(keys=_name(), values=_status(), load_default=dict)
    update_fields = fields.Dict(keys=_name(), values=_name(), load_default=dict)
    instance = fields.String(load_default="default")
    limits = fields.Dict(
        keys=fields.String(validate=validate.OneOf(tuple(DEFAULT_LIMITS), error="expected one of {choices}")),
        values=_number("calls a minute"),
        load_default=dict,
    )
    user_id = fields.Integer(load_default=None, allow_none=True)

    @validates_schema
    def update_fields_are_declared(self, data: Mapping[str, Any], **_: Any) -> None:
        """A typed update can only fill a field whose id is known."""
        unknown = sorted(set(data["update_fields"].values()) - set(data["fields"]))
        if unknown:
            raise ValidationError(f"found {', '.join(unknown)}, expected names that stand in `fields`", "update_fields")


@dataclass(frozen=True)
class Options:
    """The section as the connector reads it; `fields` maps a purpose to the id of its ticket field."""

    escalate_tag: str
    onboarding_tag: str
    partner_comment_prefix: str
    allow_private: bool
    allow_http: bool
    reopen_solved: bool
    when_full: str
    per_ticket_limit: int
    group: int | None
    user_id: int | None
    instance: str
    fields: Mapping[str, int] = field(default_factory=dict)
    statuses: Mapping[str, str] = field(default_factory=dict)
    update_fields: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)

    @staticmethod
    def of(config: Config) -> "Options":
        """The section's values over the defaults; a section that was never loaded gives the defaults alone."""
        section = {**_defaults(), **config.sections.get(SYSTEM, {})}
        section["statuses"] = {**DEFAULT_STATUSES, **section["statuses"]}
        section["limits"] = {**DEFAULT_LIMITS, **section["limits"]}
        return Options(**{name: section[name] for name in Options.__dataclass_fields__})


def _defaults() -> dict[str, Any]:
    return dict(Section().load({}))


def root_of(env: Mapping[str, str]) -> str:
    """ZENDESK_URL without its trailing slash."""
    return env.get("ZENDESK_URL", "").rstrip("/")


def account(env: Mapping[str, str], config: Config) -> Account:
    """How to log in: OAuth client credentials, or the legacy token. Raises ConfigurationError with neither."""
    options = Options.of(config)
    headers, token = _log_in(env)
    return Account(
        system=SYSTEM,
        root_url=root_of(env),
        api_path=API_PATH,
        headers=headers,
        token=token,
        limits=(
            Limit("account", options.limits["account"], 60),
            Limit("update", options.limits["update"], 60, "PUT", "/tickets/"),
            Limit("incremental", options.limits["incremental"], 60, "GET", "/incremental/"),
        ),
        per_object=Limit("ticket", options.per_ticket_limit, PER_TICKET_SECONDS),
        allow_private=options.allow_private,
        allow_http=options.allow_http,
        secret_members=("authenticity_token",),
        guard_members=("updated_at",),
        health=Request("health", "GET", "/users/me.json", reads=True),
    )


def _log_in(env: Mapping[str, str]) -> tuple[dict[str, str], Request | None]:
    if env.get("ZENDESK_CLIENT_ID") and env.get("ZENDESK_CLIENT_SECRET"):
        return {}, _token_request(env["ZENDESK_CLIENT_ID"], env["ZENDESK_CLIENT_SECRET"])
    if env.get("ZENDESK_EMAIL") and env.get("ZENDESK_API_TOKEN"):
        pair = f"{env['ZENDESK_EMAIL']}/token:{env['ZENDESK_API_TOKEN']}"
        return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}, None
    found = ", ".join(sorted(name for name in env if name.startswith("ZENDESK_"))) or "nothing"
    expected = "ZENDESK_CLIENT_ID and ZENDESK_CLIENT_SECRET (or the legacy ZENDESK_EMAIL and ZENDESK_API_TOKEN)"
    raise ConfigurationError([Problem("environment", None, found, expected)])


def _token_request(client_id: str, client_secret: str) -> Request:
    body = {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "client_secret": client_secret,
        "scope": "read write",  # one text: an array yields a token that answers 403 to everything (sheet 1)
        "expires_in": TOKEN_SECONDS,
    }
    return Request("token", "POST", "/oauth/tokens", body=body, root=True)

"""Settings of the Trading Grid connector: its environment, its section of casebridge.yaml, its account."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from marshmallow import RAISE, Schema, fields, validate

from pipeline.config import Config, Partner
from pipeline.connector import Account, Limit, Variable
from pipeline.connectors.trading_grid.vocabulary import NAME
from pipeline.plan import Request

API_PATH = "/active-community/v1"
REQUESTS_PER_MINUTE = 600  # systems/trading_grid.md 7
LONGEST_POLL_SECONDS = 30

URL = Variable("TRADING_GRID_URL", "root below which /tenants/... and /active-community/v1 live")
TENANT = Variable("TRADING_GRID_TENANT", "tenant id (UUID) in the token's address")
CLIENT_ID = Variable("TRADING_GRID_CLIENT_ID", "OAuth client; its writes are recognised as casebridge's own")
CLIENT_SECRET = Variable("TRADING_GRID_CLIENT_SECRET", "secret of the OAuth client", secret=True)
WEBHOOK_SECRET = Variable("TRADING_GRID_WEBHOOK_SECRET", "whsec_... printed once by `casebridge connect`", secret=True)
PREVIOUS_SECRET = Variable(
    "TRADING_GRID_WEBHOOK_SECRET_PREVIOUS", "accepted too while the secret is rotated", secret=True, required=False
)
VARIABLES = (URL, TENANT, CLIENT_ID, CLIENT_SECRET, WEBHOOK_SECRET, PREVIOUS_SECRET)

# What a partner reads above a text, by the system where it was written: a role, never a person.
DEFAULT_LABELS = {"gemini": "Resolution team", "zendesk": "Support"}
DEFAULT_LABEL = "The team"


class Limits(Schema):
    """Rate limits of the account."""

    class Meta:
        unknown = RAISE

    requests_per_minute = fields.Integer(
        load_default=REQUESTS_PER_MINUTE,
        validate=validate.Range(min=1, error="found {input}, expected at least 1 request a minute"),
    )


class Section(Schema):
    """`trading_grid:` in casebridge.yaml (decisions D17)."""

    class Meta:
        unknown = RAISE

    milestone_to = fields.String(
        load_default="thread",
        validate=validate.OneOf(("thread", "workspace", "both"), error="found {input}, expected one of {choices}"),
    )
    instance = fields.String(
        load_default="default",
        validate=validate.Length(min=1, max=100, error="found {input}, expected 1 to 100 characters"),
    )
    allow_private = fields.Boolean(load_default=False)
    allow_http = fields.Boolean(load_default=False)
    long_poll_seconds = fields.Integer(
        load_default=0,
        validate=validate.Range(min=0, max=LONGEST_POLL_SECONDS, error="found {input}, expected 0 to {max} seconds"),
    )
    redact_on_narrow = fields.Boolean(load_default=True)
    thread_url = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Regexp(r"^https?://.*\{id\}", error="found {input}, expected an address with {{id}} in it"),
    )
    labels = fields.Dict(keys=fields.String(), values=fields.String(validate=validate.Length(min=1, max=80)),
                         load_default=lambda: dict(DEFAULT_LABELS))  # fmt: skip
    teams = fields.Dict(
        keys=fields.String(),
        values=fields.Dict(keys=fields.String(), values=fields.String()),
        load_default=dict,
        metadata={"description": "partner key -> exception type or `default` -> id of a team group of that partner"},
    )
    limits = fields.Nested(Limits, load_default=lambda: dict(Limits().load({})))


def section_of(config: Config) -> dict[str, Any]:
    """The loaded section, with every default where casebridge.yaml has none."""
    loaded = config.sections.get(NAME)
    return dict(loaded) if loaded is not None else dict(Section().load({}))


def account(env: Mapping[str, str], config: Config) -> Account:
    """How to reach and log in: OAuth 2 client credentials in a JSON body (systems/trading_grid.md 2)."""
    section = section_of(config)
    amount = int(section["limits"]["requests_per_minute"])
    return Account(
        system=NAME,
        root_url=env[URL.name].rstrip("/"),
        api_path=API_PATH,
        token=_token(env),
        limits=(Limit("requests", amount, 60),),
        allow_private=bool(section["allow_private"]),
        allow_http=bool(section["allow_http"]),
        guard_members=("revision",),
        health=Request("service_info", "GET", "/service-info", reads=True),
    )


def thread_page(env: Mapping[str, str], config: Config) -> str:
    """Where people look at a thread, with `{id}` in it: setting `thread_url`, else its address in the API."""
    given = section_of(config)["thread_url"]
    return str(given) if given else f"{env[URL.name].rstrip('/')}{API_PATH}/threads/{{id}}"


def partner_id_of(partner: Partner | None) -> str | None:
    """The partner's id at Trading Grid: the plain text, the member `id`, or the first of the mapping."""
    return (partner.id_at(NAME, "id") or partner.id_at(NAME)) if partner is not None else None


def secrets_of(env: Mapping[str, str]) -> tuple[str, ...]:
    """The webhook secrets that are accepted now: the current one and, while it is rotated, the one before."""
    return tuple(secret for name in (WEBHOOK_SECRET.name, PREVIOUS_SECRET.name) if (secret := env.get(name, "")))


def _token(env: Mapping[str, str]) -> Request:
    return Request(
        "token",
        "POST",
        f"/tenants/{quote(env[TENANT.name], safe='')}/oauth2/token",
        body={
            "grant_type": "client_credentials",
            "client_id": env[CLIENT_ID.name],
            "client_secret": env[CLIENT_SECRET.name],
        },
        root=True,
    )

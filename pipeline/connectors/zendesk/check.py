"""Start-up check and registration of the webhook."""

from collections.abc import Iterator

from pipeline.config import Config
from pipeline.connector import Http
from pipeline.connectors.zendesk import calls, wire
from pipeline.connectors.zendesk.settings import SYSTEM, Options
from pipeline.connectors.zendesk.wire import identifier
from pipeline.plan import Plan, Request

HOOK_PATH = "/hooks/zendesk"
WEBHOOK = "casebridge"
# Each wakes a reading of the whole ticket, so a family that is missing here costs the minute until the next poll.
EVENTS = (
    "created", "comment_added", "comment_made_private", "comment_redacted", "attachment_linked_to_comment",
    "attachment_redacted_from_comment", "status_changed", "custom_status_changed", "priority_changed", "type_changed",
    "subject_changed", "tags_changed", "custom_field_changed", "organization_changed", "agent_assignment_changed",
    "group_assignment_changed", "merged", "soft_deleted", "undeleted", "permanently_deleted",
)  # fmt: skip


def check(config: Config, http: Http) -> Iterator[str]:
    """One sentence for each user right, ticket field, group and organization that Zendesk does not have.

    Tags cannot be listed in full, so they are not looked for.
    """
    options = Options.of(config)
    yield from _unfit_user(options, http)
    yield from _missing_fields(options, http)
    if options.group is not None and calls.find(http, "group", f"/groups/{options.group}") is None:
        yield f"zendesk.group: found {options.group}, expected the id of a group; Zendesk has none by it"
    yield from _missing_organizations(config, http)


def connect(public_url: str) -> Plan:
    """List the webhooks of our name, then create ours; skip the write when the list holds one of exactly that name."""
    query = (("filter[name_contains]", WEBHOOK),)
    listed = Request("webhooks", "GET", "/webhooks", query=query, reads=True)
    webhook = {
        "name": WEBHOOK,
        "status": "active",
        "endpoint": public_url.rstrip("/") + HOOK_PATH,
        "http_method": "POST",
        "request_format": "json",
        "subscriptions": [f"zen:event-type:ticket.{event}" for event in EVENTS],
    }
    created = Request("webhook", "POST", "/webhooks", body={"webhook": webhook})
    return Plan(
        SYSTEM,
        (listed, created),
        by_hand="Put the signing secret into ZENDESK_WEBHOOK_SECRET: GET /api/v2/webhooks/ID/signing_secret, or "
        f"Admin Center > Apps and integrations > Webhooks > {WEBHOOK} > Reveal secret.",
    )


def _unfit_user(options: Options, http: Http) -> Iterator[str]:
    user = calls.myself(http)
    name = f"{user.get('name')} ({user['id']})"
    if user.get("role") != "admin":
        yield f"Zendesk: the log-in acts for {name}, role {user.get('role')}; the ticket export needs an admin"
    if options.user_id is not None and str(options.user_id) != str(user["id"]):
        yield f"zendesk.user_id: found {options.user_id}, but the log-in acts for {name}"


def _missing_fields(options: Options, http: Http) -> Iterator[str]:
    if not options.fields:
        return
    pages = calls.pages(http, "ticket_fields", "/ticket_fields", "ticket_fields")
    known = {identifier(row.get("id")): row for rows, _ in pages for row in rows}
    for purpose, number in options.fields.items():
        row = known.get(str(number))
        if row is None:
            yield f"zendesk.fields.{purpose}: found {number}, expected the id of a ticket field; Zendesk has none by it"
        elif row.get("active") is False:
            yield f"zendesk.fields.{purpose}: ticket field {number} ({row.get('title')}) is inactive"


def _missing_organizations(config: Config, http: Http) -> Iterator[str]:
    wanted = {partner.key: partner.id_at(SYSTEM, "organization") for partner in config.partners}
    ids = sorted({number for number in map(identifier, wanted.values()) if number})
    known: set[str | None] = set()
    for start in range(0, len(ids), calls.PAGE_SIZE):
        query = (("ids", ",".join(ids[start : start + calls.PAGE_SIZE])),)
        rows = wire.parse(calls.get(http, "organizations", "/organizations/show_many", query), "organizations")
        known |= {identifier(row.get("id")) for row in rows}
    for key, number in wanted.items():
        if number is not None and number not in known:
            yield f"partners: {key} has the Zendesk organization {number}, which Zendesk does not know"

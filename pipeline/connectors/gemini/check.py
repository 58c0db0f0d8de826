"""The start-up check: what the configuration names and the site does not have; and what to enter by hand."""

from collections.abc import Iterable, Iterator

from pipeline.connector import Http
from pipeline.connectors.gemini.settings import SYSTEM, Options
from pipeline.connectors.gemini.site import Site
from pipeline.connectors.gemini.wire import entity, optional, plain
from pipeline.errors import AuthError
from pipeline.plan import Plan

# what flows.md expects a help desk to be able to say; a template without one of them can never say it
EXPECTED_STATES = {
    "assigned": "assigned",
    "in_progress": "in progress",
    "awaiting_partner": "awaiting partner input",
    "awaiting_approval": "awaiting internal approval",
    "resolved": "resolved",
    "closed": "closed",
}
EXPECTED_FIELDS = ("PublicResolution", "EvidenceRequested", "EvidenceDue")


def check(options: Options, http: Http) -> Iterator[str]:
    """One sentence for each thing that is missing. Raises TransientError where the site cannot be asked.

    Whether the site takes us for who we are is the health call's part: it knows our user name.
    """
    site = Site(http, options)
    try:
        project = site.one(f"/projects/{options.project}")
    except AuthError as error:
        yield f"Gemini refuses the log-in: {error}"
        return
    template = optional(entity(project).get("TemplateId")) if project is not None else None
    if template is None:
        yield f"gemini.project: {options.project} is not a project of this site, or our user may not view it"
        return
    yield from _labels(site, template)
    yield from _states(options)
    yield from _groups(site)
    yield from _fields(site, template)
    yield from _roles(site)


def by_hand(public_url: str) -> Plan:
    """No call registers a webhook at Gemini: an empty plan, and what an administrator enters."""
    address = f"{public_url.rstrip('/')}/hooks/gemini/<GEMINI_WEBHOOK_TOKEN>"
    return Plan(
        SYSTEM,
        by_hand="In Gemini open Customize, Apps, Event Apps, enable Webhooks and add one row: "
        f"Description casebridge, Url {address}, Fire on Create yes, Fire on Update yes. "
        "Put the same token into the environment as GEMINI_WEBHOOK_TOKEN, and let only the site's address reach it.",
    )


def _labels(site: Site, template: int) -> Iterator[str]:
    """Types, statuses and priorities by (template, label): equal labels of another template do not count."""
    options = site.options
    wanted = {
        "type": {f"types.{role}": label for role, label in options.types.items()},
        "status": {f"statuses.{label}": label for label in options.statuses},
        "priority": {f"priorities.{name}": label for name, label in options.priorities.items()},
    }
    if options.escalation_priority:
        wanted["priority"]["escalation_priority"] = options.escalation_priority
    for kind, lines in wanted.items():
        there = {plain(entity(row).get("Label")) for row in site.table(f"/{kind}/template/{template}")}
        folded = {label.casefold() for label in there}
        for line, label in lines.items():
            if label.casefold() not in folded:
                yield f"gemini.{line}: {label!r} is not a {kind} of this template, which has {_listed(there)}"


def _states(options: Options) -> Iterator[str]:
    """States that no status stands for; the shipped help desk lacks 'awaiting partner input' (flows.md G2.10)."""
    mapped = {state.partition(":")[0] for state in options.statuses.values()}
    for state, words in EXPECTED_STATES.items():
        if state not in mapped:
            yield f"gemini.statuses: {words} is not a status of this template: no line maps a label to {state}"


def _groups(site: Site) -> Iterator[str]:
    """Groups that comments are written for. Which of them the user is in, the API does not tell (README)."""
    there = {optional(entity(row).get("Id")): plain(entity(row).get("Name")) for row in site.table("/groups")}
    named = {"internal": site.options.internal_group, "partner": site.options.partner_group}
    known = _listed(f"{number} ({name})" for number, name in there.items())
    for name, number in named.items():
        if number not in there:
            yield f"gemini.groups.{name}: {number} is not a group of this site, which has {known}"


def _fields(site: Site, template: int) -> Iterator[str]:
    options = site.options
    there = [entity(row) for row in site.table("/customfields")]
    names = {optional(row.get("Id")): plain(row.get("Name")) for row in there if row.get("TemplateId") == template}
    for purpose, number in options.field_ids.items():
        if number not in names:
            yield f"gemini.fields.{purpose}: {number} is not a custom field of this template"
    for purpose in EXPECTED_FIELDS:
        if purpose not in options.field_ids:
            yield f"gemini.fields: no line {purpose}, so its part of the flows stays silent"


def _roles(site: Site) -> Iterator[str]:
    for role, names in site.options.roles.items():
        for name in names:
            if site.id_of(name) is None:
                yield f"gemini.roles.{role}: {name!r} is not a user of this site"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"

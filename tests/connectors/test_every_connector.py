"""What every connected system keeps to, whichever it is: found by being a folder, checked by being found."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any, get_type_hints

import pytest
import yaml
from marshmallow import ValidationError
from msgspec import structs

from pipeline import connectors
from pipeline.config import Config, Partner
from pipeline.connector import Connector, Link, SignatureError, Work
from pipeline.connectors import discover
from pipeline.domain.identity import delivery_key, idem_key, mark_of
from pipeline.errors import CasebridgeError, VisibilityError
from pipeline.plan import Plan
from schemas.content import Author, File, Format, Side, Text, Visibility
from schemas.operation import AnyOperation, Attach, Bind, Comment, Create, Fields, Redact, State, Title

CONNECTORS = discover()
SKELETON = yaml.safe_load("""
version: 1
partners: [{key: acme, trading_grid: prt_acme, zendesk: {organization: "500"}, calendar: default}]
gemini: {project: 12, types: {case: Investigation, task: Task}, groups: {internal: 4, partner: 5}, escalation_priority: High,
         fields: {PublicResolution: 31, EvidenceRequested: 32, EvidenceDue: 33}, statuses: {Assigned: assigned, "In Progress": in_progress}, roles: {waive: [anna]}}
zendesk: {escalate_tag: b2b_partner_issue, onboarding_tag: b2b_onboarding, partner_comment_prefix: "#partner",
          fields: {partner: 360001, exception_type: 360002, po_number: 360003, claim_number: 360004, partner_description: 360005}}
trading_grid: {milestone_to: thread}
settings: {status_settle_seconds: 60, join_window_days: 30}
""")  # noqa: E501 -- decisions D17, word for word
ANYTHING = "3ff7eac6-7f8c-4b6e-9a30-0c8e6a1b2c3d"
SECRET = "whsec_c2VjcmV0LW9mLXRoZS10ZXN0cw=="
NOW = datetime(2026, 11, 2, 11, 0, tzinfo=UTC)
OUTSIDE = Text("For the partner.", Format.PLAIN, Visibility.PARTNER)
INSIDE = Text("For the team alone.")
COLLEAGUE = Author(Side.HUB, "7", "Jo Hidden")
FILE = File("f1", "note.txt", "text/plain", 4, Visibility.PARTNER)
THREAD = {"revision": 1, "state": "received", "partner_id": "prt_acme"}  # what Trading Grid's plans compare with
SHA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
OBJECTS = {"trading_grid": "thread", "gemini": "item", "zendesk": "ticket"}

each = pytest.mark.parametrize("connector", CONNECTORS.values(), ids=CONNECTORS)
each_partner_facing = pytest.mark.parametrize(
    "connector",
    [connector for connector in CONNECTORS.values() if connector.partner_facing],
    ids=[name for name, connector in CONNECTORS.items() if connector.partner_facing],
)


def environment(connector: Connector) -> dict[str, str]:
    """A value for each of its variables, of a shape that any of them may have."""
    given = {variable.name: SECRET if variable.secret else ANYTHING for variable in connector.variables}
    return {name: "https://target.example" if name.endswith("_URL") else value for name, value in given.items()}


def config() -> Config:
    """The skeleton of decisions D17, each section as its connector loads it."""
    sections = {name: connector.section().load(SKELETON[name]) for name, connector in CONNECTORS.items()}
    ids = {"trading_grid": "prt_acme", "zendesk": {"organization": "500"}}
    return Config(partners=(Partner("acme", "Acme", ids),), sections=sections)


def work(connector: Connector, operation: AnyOperation) -> Work:
    links = {
        1: Link(1, connector.name, OBJECTS.get(connector.name, "object"), "1001"),
        2: Link(2, "other", "case", "2002", url="https://other.example/2002"),
        3: Link(3, connector.name, OBJECTS.get(connector.name, "object"), None),
    }
    key, settings = delivery_key("conformance"), config()
    parts = {"other:case:2002#5": (("comment", "5"), ("post", "5"))}
    return Work(operation, 1, idem_key(key, 1), mark_of(key), links, settings, settings.partners[0], parts, since=NOW)


def operations(connector: Connector) -> list[AnyOperation]:
    """One operation of each kind, meant for the partner."""
    kind = OBJECTS.get(connector.name, "object")
    return [
        Create(link_id=3, object_kind=kind, title=OUTSIDE, body=OUTSIDE, partner="acme", type="exception",
               origin="other:case:2002", author=COLLEAGUE),
        Bind(link_id=1, counterpart_link_id=2),
        Comment(link_id=1, text=OUTSIDE, author=COLLEAGUE, at=NOW, origin="other:case:2002#5"),
        State(link_id=1, state="in_progress", label="In progress", public_note=OUTSIDE),
        Title(link_id=1, title=OUTSIDE),
        Fields(link_id=1, values={}),
        Redact(link_id=1, origin="other:case:2002#5"),
        Attach(link_id=1, file=FILE, stored=SHA, text=OUTSIDE),
    ]  # fmt: skip


def told(call: Callable[..., Any], *arguments: Any) -> Any:
    """What a pure function answers, or how it refuses: whatever it is, it is the same every time."""
    try:
        return call(*arguments)
    except (CasebridgeError, LookupError, TypeError, AttributeError) as refusal:  # a connector's own facts are missing
        return (type(refusal), str(refusal))


def outcome(connector: Connector, operation: AnyOperation) -> Any:
    """The plan on facts that say next to nothing, or its refusal."""
    target = connector.target(environment(connector), config())
    return told(target.plan, work(connector, operation), {"thread": THREAD})


def modules(connector: Connector) -> Iterator[ModuleType]:
    package = importlib.import_module(f"{connectors.__name__}.{connector.name}")
    for entry in pkgutil.iter_modules(package.__path__):
        yield importlib.import_module(f"{package.__name__}.{entry.name}")


def test_there_are_connectors() -> None:
    """Given the folder, when searched, then the three systems of the product are there."""
    assert {"gemini", "trading_grid", "zendesk"} <= set(CONNECTORS)


@each
def test_names_are_spelled_as_agreed(connector: Connector) -> None:
    """Given a connector, when its names are compared, then Python, URL and environment say the same (D20)."""
    assert connector.name.isidentifier()
    assert connector.slug == connector.name.replace("_", "-")
    assert connector.title[:1].isupper()
    assert len({variable.name for variable in connector.variables}) == len(connector.variables)
    assert all(variable.name.startswith(f"{connector.name.upper()}_") for variable in connector.variables)


@each
def test_secrets_are_declared_as_secrets(connector: Connector) -> None:
    """Given a variable that holds a secret, when declared, then it is masked; each says what it means."""
    words = ("SECRET", "API_KEY", "API_TOKEN", "PASSWORD", "WEBHOOK_TOKEN")
    for variable in connector.variables:
        assert variable.secret == any(word in variable.name for word in words), variable.name
        assert variable.meaning


@each
def test_each_folder_explains_itself(connector: Connector) -> None:
    """Given a connector's folder, when opened, then a README tells how to log in and which limits hold."""
    readme = Path(inspect.getfile(type(connector))).parent / "README.md"
    text = readme.read_text().lower()
    assert len(text) > 1_000
    assert all(word in text for word in ("limit", "log"))


@each
def test_the_agreed_skeleton_loads(connector: Connector) -> None:
    """Given the skeleton of decisions D17, when its section is loaded, then nothing is missing or unknown."""
    assert connector.section().load(SKELETON[connector.name])


@each
def test_an_unknown_setting_is_refused(connector: Connector) -> None:
    """Given a misspelled setting, when its section is loaded, then it is named instead of ignored."""
    with pytest.raises(ValidationError) as caught:
        connector.section().load({**SKELETON[connector.name], "misspelled_setting": 1})
    assert "misspelled_setting" in str(caught.value.messages)


@each
def test_the_account_keeps_its_secrets(connector: Connector) -> None:
    """Given the environment, when the account is made, then it is this system's, and its repr shows no secret."""
    account = connector.account(environment(connector), config())
    assert account.system == connector.name
    assert account.root_url == "https://target.example"
    assert (account.allow_private, account.allow_http) == (False, False)
    assert account.health is not None
    assert account.health.reads
    assert SECRET not in repr(account)


@each
def test_plans_are_pure(connector: Connector) -> None:
    """Given one operation of each kind, when planned twice, then the plans (or refusals) and reads are equal."""
    target = connector.target(environment(connector), config())
    planned = 0
    for operation in operations(connector):
        first, second = outcome(connector, operation), outcome(connector, operation)
        assert first == second
        planned += isinstance(first, Plan)
        delivery = work(connector, operation)
        assert told(target.facts, delivery) == told(target.facts, delivery)
        assert told(target.find, delivery) == told(target.find, delivery)
    assert planned


@each
def test_reads_before_a_plan_change_nothing(connector: Connector) -> None:
    """Given facts and look-ups, when listed, then each request is declared as a read of this very system."""
    target = connector.target(environment(connector), config())
    made = [told(ask, work(connector, one)) for one in operations(connector) for ask in (target.facts, target.find)]
    plans = [plan for plan in made if isinstance(plan, Plan) and plan]
    assert plans
    assert all(request.reads for plan in plans for request in plan.requests)
    assert {plan.system for plan in plans} == {connector.name}


@each
def test_steps_of_a_plan_have_names_of_their_own(connector: Connector) -> None:
    """Given a plan, when its steps are listed, then each name stands once, since slots go by it."""
    for operation in operations(connector):
        made = outcome(connector, operation)
        if isinstance(made, Plan):
            steps = [request.step for request in made.requests]
            assert len(steps) == len(set(steps))
            assert not any("." in step for step in steps)


@pytest.mark.parametrize(
    "connector",
    [connector for connector in CONNECTORS.values() if not connector.hook_secret_in_path],
    ids=[name for name, connector in CONNECTORS.items() if not connector.hook_secret_in_path],
)
def test_nothing_unsigned_comes_in(connector: Connector) -> None:
    """Given a system that signs, when a webhook comes without a signature, then it is refused."""
    source = connector.source(environment(connector), config())
    with pytest.raises(SignatureError):
        source.receive({}, b"{}", NOW)


def internal_variants(operation: AnyOperation) -> Iterator[AnyOperation]:
    """The operation with each of its texts and files turned internal, one at a time."""
    for name in operation.__struct_fields__:
        value = getattr(operation, name)
        if isinstance(value, Text):
            yield structs.replace(operation, **{name: INSIDE})
        if isinstance(value, File):
            yield structs.replace(operation, **{name: structs.replace(value, visibility=Visibility.INTERNAL)})


@each_partner_facing
def test_internal_words_are_refused_at_run_time(connector: Connector) -> None:
    """Given an operation with an internal text or file, when planned for partners, then it is refused."""
    variants = [variant for operation in operations(connector) for variant in internal_variants(operation)]
    assert len(variants) >= 6
    for variant in variants:
        refused = outcome(connector, variant)
        assert refused[0] is VisibilityError, variant


@each_partner_facing
def test_internal_words_are_refused_by_type(connector: Connector) -> None:
    """Given a partner-facing writer, when its functions are listed, then none takes a bare text or file."""
    takers = {
        f"{module.__name__}.{name}"
        for module in modules(connector)
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        for parameter, hint in get_type_hints(function).items()
        if parameter != "return" and ({hint, *getattr(hint, "__args__", ())} & {Text, File})
        and "Cleared" not in str(hint)
    }  # fmt: skip
    assert takers == set()

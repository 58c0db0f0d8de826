"""Registering our webhook at a system: reads first, one write if it is not there yet, then what a person does."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.answers import judge_by_status
from pipeline.config import Config
from pipeline.connector import Connector
from pipeline.environment import Environment
from pipeline.http import Executor
from pipeline.plan import Answers, Plan, Request, Verdict
from pipeline.service.errors import RefusedError, WrongUseError
from pipeline.tokens import Tokens

_SECRET_VARIABLE = re.compile(r"_WEBHOOK_(SECRET|TOKEN)\Z")


@dataclass(frozen=True)
class Connected:
    """`registered`: this call did it; else it was there, or only `by_hand` helps. `secret` is shown once, by them."""

    address: str
    registered: bool
    existing: bool
    by_hand: str
    variable: str | None
    secret: str | None = field(default=None, repr=False)


def connect(connector: Connector, environment: Environment, config: Config, public_url: str) -> Connected:
    """Register our webhook, once. Raises RefusedError when the system does not answer or refuses."""
    plan = connector.connect(public_url, config)
    address = f"{public_url.rstrip('/')}/hooks/{connector.slug}"
    variable = next((one.name for one in connector.variables if _SECRET_VARIABLE.search(one.name)), None)
    if not plan:
        return Connected(address, registered=False, existing=False, by_hand=plan.by_hand, variable=variable)
    executor = Executor(
        connector.account(environment.systems, config), tokens=Tokens(None, environment.secret_key), limiter=None
    )
    try:
        reads = Plan(plan.system, tuple(one for one in plan.requests if one.reads))
        writes = Plan(plan.system, tuple(one for one in plan.requests if not one.reads))
        answers = _run(executor, reads, {}, connector.title)
        if any(_is_there(answers, write, address) for write in writes.requests):
            return Connected(address, registered=False, existing=True, by_hand=plan.by_hand, variable=variable)
        answers = _run(executor, writes, answers, connector.title)
    finally:
        executor.close()
    secret = next((found for write in writes.requests for found in _secrets(answers[write.step].json)), None)
    return Connected(address, True, False, plan.by_hand, variable, secret)


def system_named(text: str, connectors: Mapping[str, Connector]) -> Connector:
    """The connector of a name in either spelling. Raises WrongUseError."""
    connector = connectors.get(text.replace("-", "_"))
    if connector is None:
        names = ", ".join(one.slug for one in connectors.values())
        raise WrongUseError(f"{text} is no connected system.", f"Name one of: {names}.")
    return connector


def _run(executor: Executor, plan: Plan, known: Answers, title: str) -> Answers:
    sent = executor.run(plan, judge=judge_by_status, known=known)
    if plan and sent.outcome.verdict not in {Verdict.DONE, Verdict.ALREADY}:
        raise RefusedError(
            f"{title} did not register the webhook: {sent.outcome.detail or sent.outcome.reason.sentence}",
            "Run `casebridge check`; what was done stays, so that this can be repeated.",
        )
    return sent.answers


def _is_there(answers: Answers, write: Request, address: str) -> bool:
    """Whether a listed row has our address, or the very name that the write would give."""
    names = {row["name"] for row in _rows(write.body) if isinstance(row.get("name"), str)}
    rows = [row for answer in answers.values() for row in _rows(answer.json)]
    return any(address in row.values() or (row.get("name") in names) for row in rows if "id" in row)


def _rows(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every JSON object in a value, at any depth."""
    if isinstance(value, Mapping):
        yield value
        for member in value.values():
            yield from _rows(member)
    elif isinstance(value, list):
        for item in value:
            yield from _rows(item)


def _secrets(value: Any) -> Iterator[str]:
    for row in _rows(value):
        if isinstance(row.get("secret"), str):
            yield row["secret"]

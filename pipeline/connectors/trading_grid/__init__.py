"""OpenText Trading Grid, Active Community: threads shared with one partner each (README.md beside this file)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marshmallow import Schema

from pipeline.config import Config
from pipeline.connector import Account, Content, Facts, Headers, Http, Page, Pending, Reading, Signal, Variable, Work
from pipeline.connectors.trading_grid import check as checks
from pipeline.connectors.trading_grid import feed, judge, plan, settings
from pipeline.connectors.trading_grid import receive as hooks
from pipeline.connectors.trading_grid.fetch import reading, segment
from pipeline.connectors.trading_grid.read import Reader
from pipeline.connectors.trading_grid.vocabulary import NAME
from pipeline.plan import Answer, Answers, Outcome, Plan, Receipt, Request
from schemas.change import Change, ObjectRef
from schemas.content import File


@dataclass(frozen=True)
class TradingGridSource:
    """The reading half: the feed is the truth, a webhook only wakes it."""

    reader: Reader
    keys: tuple[bytes, ...]
    long_poll_seconds: int = 0

    def receive(self, headers: Headers, raw: bytes, now: datetime) -> Signal:
        """See receive.receive."""
        return hooks.receive(headers, raw, now, self.keys)

    def object_of(self, raw: bytes) -> str | None:
        """See receive.object_of."""
        return hooks.object_of(raw)

    def start(self, http: Http) -> Mapping[str, Any]:
        """See feed.start."""
        return feed.start(http)

    def poll(self, cursor: Mapping[str, Any], http: Http) -> Page:
        """See feed.poll."""
        return feed.poll(cursor, http, self.long_poll_seconds)

    def read(self, pending: Pending, http: Http) -> Reading:
        """See read.Reader.read."""
        return self.reader.read(pending, http)

    def recheck(self, change: Change, http: Http) -> bool:  # noqa: ARG002 -- the socket's signature
        """Always: D9 asks for it where texts of Zendesk or Gemini origin go to partners, never the other way."""
        return True

    def content(self, ref: ObjectRef, file: File) -> Sequence[Content]:  # noqa: ARG002 -- the socket's signature
        """The API streams a document's current version after an access check; there are no signed addresses."""
        return (Content(reading("content", f"/documents/{segment(file.external_id)}/content")),)


@dataclass(frozen=True)
class TradingGridTarget:
    """The writing half; all of it pure. `thread_page` is where people look at a thread, with `{id}` in it."""

    thread_page: str

    def facts(self, work: Work) -> Plan:
        """See plan.facts_for."""
        return plan.facts_for(work)

    def plan(self, work: Work, facts: Facts) -> Plan:
        """See plan.plan_for."""
        return plan.plan_for(work, facts)

    def find(self, work: Work) -> Plan:
        """See plan.find_for."""
        return plan.find_for(work)

    def found(self, work: Work, answers: Answers) -> Receipt | None:
        """See judge.found."""
        return judge.found(work, answers, self.thread_page)

    def judge(self, work: Work, request: Request, answer: Answer) -> Outcome:
        """See judge.judge."""
        return judge.judge(work, request, answer)

    def receipt(self, work: Work, answers: Answers) -> Receipt:
        """See judge.receipt."""
        return judge.receipt(work, answers, self.thread_page)


class TradingGrid:
    """The connector as the core finds it."""

    slug = "trading-grid"
    name = NAME
    title = "Trading Grid"
    section: type[Schema] = settings.Section
    variables: Sequence[Variable] = settings.VARIABLES
    hook_secret_in_path = False
    partner_facing = True

    def account(self, env: Mapping[str, str], config: Config) -> Account:
        """See settings.account."""
        return settings.account(env, config)

    def source(self, env: Mapping[str, str], config: Config) -> TradingGridSource:
        """The source of the configured tenant. Raises ConfigurationError for a webhook secret that is none."""
        section = settings.section_of(config)
        reader = Reader(
            client_id=env[settings.CLIENT_ID.name],
            root_url=env[settings.URL.name].rstrip("/"),
            thread_page=settings.thread_page(env, config),
        )
        keys = tuple(hooks.parse_secret(secret) for secret in settings.secrets_of(env))
        return TradingGridSource(reader, keys, int(section["long_poll_seconds"]))

    def target(self, env: Mapping[str, str], config: Config) -> TradingGridTarget:
        """The target; what else it needs to know comes with each delivery."""
        return TradingGridTarget(settings.thread_page(env, config))

    def check(self, config: Config, http: Http) -> Iterable[str]:
        """See check.check."""
        return checks.check(config, http)

    def connect(self, public_url: str, config: Config) -> Plan:  # noqa: ARG002 -- the socket's signature
        """See check.connect."""
        return checks.connect(public_url)


CONNECTOR = TradingGrid()

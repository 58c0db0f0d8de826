"""Zendesk Support: tickets of the help desk (README.md beside this file)."""

from collections.abc import Iterable, Mapping, Sequence

from marshmallow import Schema

from pipeline.config import Config
from pipeline.connector import Account, Http, Variable
from pipeline.connectors.zendesk import check as checks
from pipeline.connectors.zendesk import settings
from pipeline.connectors.zendesk.plan import ZendeskTarget
from pipeline.connectors.zendesk.read import ZendeskSource
from pipeline.plan import Plan


class Zendesk:
    """The connector as the core finds it."""

    slug = "zendesk"
    name = settings.SYSTEM
    title = "Zendesk"
    section: type[Schema] = settings.Section
    variables: Sequence[Variable] = settings.VARIABLES
    hook_secret_in_path = False
    partner_facing = False  # public comments reach the end customer, and casebridge writes none (decisions D8)

    def account(self, env: Mapping[str, str], config: Config) -> Account:
        """See settings.account."""
        return settings.account(env, config)

    def source(self, env: Mapping[str, str], config: Config) -> ZendeskSource:
        """The reading half."""
        return ZendeskSource(env, config)

    def target(self, env: Mapping[str, str], config: Config) -> ZendeskTarget:
        """The writing half."""
        return ZendeskTarget(env, config)

    def check(self, config: Config, http: Http) -> Iterable[str]:
        """See check.check."""
        return checks.check(config, http)

    def connect(self, public_url: str, config: Config) -> Plan:  # noqa: ARG002 -- the socket's signature
        """See check.connect."""
        return checks.connect(public_url)


CONNECTOR = Zendesk()

"""Countersoft Gemini: the tracker in which the hub's teams investigate (README.md beside this file)."""

from collections.abc import Iterable, Mapping, Sequence

from marshmallow import Schema

from pipeline.config import Config
from pipeline.connector import Account, Http, Variable
from pipeline.connectors.gemini import check as checks
from pipeline.connectors.gemini import settings
from pipeline.connectors.gemini.plan import GeminiTarget
from pipeline.connectors.gemini.read import GeminiSource
from pipeline.plan import Plan


class Gemini:
    """The socket's names, filled."""

    slug = "gemini"
    name = "gemini"
    title = "Gemini"
    section: type[Schema] = settings.GeminiSection
    variables: Sequence[Variable] = settings.VARIABLES
    hook_secret_in_path = True
    partner_facing = False  # partners do not log in here; the partner group is what the hub marks its words with

    def account(self, env: Mapping[str, str], config: Config) -> Account:
        """How to reach and log in to the site."""
        return settings.account(env, config)

    def source(self, env: Mapping[str, str], config: Config) -> GeminiSource:
        """The reading half."""
        return GeminiSource(settings.Options.of(env, config))

    def target(self, env: Mapping[str, str], config: Config) -> GeminiTarget:
        """The writing half."""
        return GeminiTarget(settings.Options.of(env, config))

    def check(self, config: Config, http: Http) -> Iterable[str]:
        """What is missing at the site, one sentence each."""
        return checks.check(settings.Options.of({}, config), http)

    def connect(self, public_url: str, config: Config) -> Plan:  # noqa: ARG002 -- nothing of it is needed here
        """An empty plan, and what an administrator enters."""
        return checks.by_hand(public_url)


CONNECTOR = Gemini()

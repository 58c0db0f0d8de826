"""Reads the environment: casebridge's own variables and every connector's, all faults at once (design 6)."""

import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.connector import Connector
from pipeline.environment import parse
from pipeline.environment.address import mask_url
from pipeline.environment.variables import CORE, variables
from pipeline.errors import ConfigurationError

__all__ = ["CORE", "Environment", "mask_url", "read", "redis_options", "variables"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Environment:
    """What the environment says. Secrets stand in no repr; `masked` is for people."""

    database_url: str | None = field(repr=False)  # None: embedded; never `postgres://`
    redis_url: str | None = field(repr=False)  # None: embedded; without TLS options, see redis_options
    redis_ca_cert: Path | None
    redis_tls_verify: bool
    home: Path
    documents_url: str | None = field(repr=False)  # None: the folder `documents` below home
    config: Path
    port: int | None  # None: not given, so 8000 or the next free one
    public_url: str | None  # without a slash at its end
    secret_key: str = field(repr=False)
    poll_seconds: float
    sweep_seconds: float
    redis_prefix: str
    metrics_token: str | None = field(repr=False)
    lease_seconds: float
    senders: int
    retry_scale: float
    systems: Mapping[str, str] = field(repr=False)  # the connectors' variables that are set, by name
    given: Mapping[str, str] = field(repr=False)  # every known variable that is set, as text
    secrets: frozenset[str] = frozenset()  # names of the variables whose values are never shown

    def masked(self) -> dict[str, str]:
        """Every variable that is set, for printing: secrets as `***`, addresses without their passwords."""
        return {name: self._shown(name, value) for name, value in sorted(self.given.items())}

    def _shown(self, name: str, value: str) -> str:
        if name.endswith("_URL"):
            return mask_url(value)
        return "***" if name in self.secrets else value


def read(env: Mapping[str, str], connectors: Mapping[str, Connector]) -> Environment:
    """The environment, understood; empty values count as not set.

    Raises ConfigurationError that names every missing and every wrong variable at once, and shows no secret.
    """
    known = variables(connectors)
    given, unread = parse.collect(env, known)
    core, wrong = parse.values(given, known, skip=frozenset(unread))
    if problems := [*unread.values(), *wrong]:
        raise ConfigurationError(problems)
    own = {variable.name for connector in connectors.values() for variable in connector.variables}
    return Environment(
        **core,
        systems={name: value for name, value in given.items() if name in own},
        given=given,
        secrets=frozenset(variable.name for variable in known if variable.secret),
    )


def redis_options(environment: Environment) -> dict[str, Any]:
    """TLS for everyone who speaks to Redis; empty mappings for `redis://`.

    `celery` holds broker_use_ssl and redis_backend_use_ssl, `client` what redis.from_url takes. Both are needed:
    options in the address alone leave Flower's broker page behind (toolbox 1.5). Logs a warning when the
    certificate is not verified, so call it once a process.
    """
    if environment.redis_url is None or not environment.redis_url.startswith("rediss://"):
        return {"celery": {}, "client": {}}
    verify = environment.redis_tls_verify
    if not verify:
        log.warning("the certificate of Redis is not verified; set REDIS_CA_CERT or REDIS_TLS_VERIFY=required")
    authority = {"ssl_ca_certs": str(environment.redis_ca_cert)} if environment.redis_ca_cert else {}
    celery = {"ssl_cert_reqs": ssl.CERT_REQUIRED if verify else ssl.CERT_NONE, **authority}
    client = {"ssl_cert_reqs": "required" if verify else "none", "ssl_check_hostname": verify, **authority}
    return {"celery": {"broker_use_ssl": celery, "redis_backend_use_ssl": dict(celery)}, "client": client}

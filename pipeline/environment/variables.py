"""The core's environment variables as data: what is read, what is secret, what must be there (design 6)."""

from collections.abc import Mapping

from pipeline.connector import Connector, Variable

CORE = (
    Variable("DATABASE_URL", "PostgreSQL; not set: an embedded one below CASEBRIDGE_HOME", True, False),
    Variable("REDIS_URL", "Redis or Valkey, redis:// or rediss://; not set: an embedded one", True, False),
    Variable("REDIS_CA_CERT", "PEM file with the authority that signed the certificate of rediss://", False, False),
    Variable("REDIS_TLS_VERIFY", "required or none; default: required with REDIS_CA_CERT, else none", False, False),
    Variable("CASEBRIDGE_HOME", "folder of this installation's own files (.casebridge)", False, False),
    Variable("CASEBRIDGE_DOCUMENTS_URL", "where copied files are kept (a folder below CASEBRIDGE_HOME)", False, False),
    Variable("CASEBRIDGE_CONFIG", "the configuration file (casebridge.yaml)", False, False),
    Variable("PORT", "port of the web process (8000, the next free one if it is taken)", False, False),
    Variable("CASEBRIDGE_PUBLIC_URL", "the address others reach the web process at", False, False),
    Variable("CASEBRIDGE_SECRET_KEY", "at least 16 random characters, e.g. from `openssl rand -hex 32`", True, True),
    Variable("CASEBRIDGE_HOOK_MAX_BYTES", "bytes that a webhook's body may have (1048576)", False, False),
    Variable("CASEBRIDGE_FLOWER_URL", "where people find Flower, for the link on the status page", False, False),
    Variable("FORWARDED_ALLOW_IPS", "routers whose X-Forwarded-* headers are believed (none)", False, False),
    Variable("CASEBRIDGE_POLL_SECONDS", "seconds between two polls of a source (60)", False, False),
    Variable("CASEBRIDGE_SWEEP_SECONDS", "seconds between two sweeps for stranded work (5)", False, False),
    Variable("CASEBRIDGE_REDIS_PREFIX", "stands before every Redis key and queue, for a shared Redis", False, False),
    Variable("CASEBRIDGE_METRICS_TOKEN", "bearer for /metrics from outside the private network", True, False),
    Variable("CASEBRIDGE_LEASE_SECONDS", "seconds that a silent dispatcher keeps its lanes (60)", False, False),
    Variable("CASEBRIDGE_SENDERS", "connections a dispatcher sends on at once (16)", False, False),
    Variable("CASEBRIDGE_RETRY_SCALE", "factor on the waits between retries, for tests only (1)", False, False),
)


def variables(connectors: Mapping[str, Connector]) -> tuple[Variable, ...]:
    """Every variable that is read, the core's first. A secret may also come from a file: `<NAME>_FILE`."""
    return (*CORE, *(variable for connector in connectors.values() for variable in connector.variables))

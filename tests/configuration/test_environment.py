"""The environment is understood whole, or every missing and wrong variable is named at once, and no secret is shown."""

import logging
import ssl
from collections.abc import Mapping
from pathlib import Path

import pytest
import redis
from celery import Celery

from pipeline.connectors import discover
from pipeline.environment import Environment, mask_url, read, redis_options
from pipeline.errors import ConfigurationError
from tests.configuration.systems import systems

KEY = "0123456789abcdef"
GIVEN = {"CASEBRIDGE_SECRET_KEY": KEY, "DOCK_URL": "https://dock.example/root", "DOCK_SECRET": "dock-secret-value"}


def environment(**more: str) -> Environment:
    """What is read with these variables beside the required ones."""
    return read(GIVEN | more, systems())


def told(env: Mapping[str, str]) -> list[str]:
    """The problems that reading ends with."""
    with pytest.raises(ConfigurationError) as caught:
        read(env, systems())
    assert all((problem.file, problem.line) == ("environment", None) for problem in caught.value.problems)
    return [f"{problem.found} | {problem.expected}" for problem in caught.value.problems]


def test_with_the_required_variables_alone_all_others_have_their_defaults() -> None:
    """Nothing but secrets and addresses has to be given."""
    found = environment(PORT="", CASEBRIDGE_POLL_SECONDS="  ")
    assert (found.database_url, found.redis_url, found.port, found.public_url) == (None, None, None, None)
    assert (found.home, found.config) == (Path(".casebridge"), Path("casebridge.yaml"))
    assert (found.poll_seconds, found.sweep_seconds, found.lease_seconds) == (60.0, 5.0, 60.0)
    assert (found.senders, found.retry_scale, found.redis_prefix, found.metrics_token) == (16, 1.0, "", None)
    assert found.secret_key == KEY
    assert found.systems == {"DOCK_URL": "https://dock.example/root", "DOCK_SECRET": "dock-secret-value"}


def test_given_values_are_used() -> None:
    """Numbers become numbers, paths paths, and the addresses one spelling."""
    found = environment(
        DATABASE_URL="postgres://me:pw@db.example/cases?sslmode=require", REDIS_URL="redis://localhost:6379/1",
        PORT="8080", CASEBRIDGE_PUBLIC_URL="https://cases.example/bridge/", CASEBRIDGE_HOME="/srv/cases",
        CASEBRIDGE_CONFIG="/etc/cases.yaml", CASEBRIDGE_SWEEP_SECONDS="0.5", CASEBRIDGE_SENDERS="4",
        CASEBRIDGE_REDIS_PREFIX="cases:", CASEBRIDGE_RETRY_SCALE="0.01", DESK_USER=" robot ",
    )  # fmt: skip
    assert found.database_url == "postgresql://me:pw@db.example/cases?sslmode=require"
    assert (found.redis_url, found.port) == ("redis://localhost:6379/1", 8080)
    assert (found.public_url, found.home) == ("https://cases.example/bridge", Path("/srv/cases"))
    assert (found.config, found.sweep_seconds, found.senders) == (Path("/etc/cases.yaml"), 0.5, 4)
    assert (found.redis_prefix, found.retry_scale, found.systems["DESK_USER"]) == ("cases:", 0.01, "robot")


def test_every_missing_variable_is_named_at_once() -> None:
    """An empty environment tells the whole list, and where secrets may come from."""
    assert told({}) == [
        (
            "CASEBRIDGE_SECRET_KEY: not set | at least 16 random characters, e.g. from `openssl rand -hex 32`"
            " (or its file in CASEBRIDGE_SECRET_KEY_FILE)"
        ),
        "DOCK_URL: not set | address of the dock",
        "DOCK_SECRET: not set | its secret (or its file in DOCK_SECRET_FILE)",
    ]


WRONG = {
    "DATABASE_URL": ("mysql://me:hidden@db/x", "'mysql://me:***@db/x' | postgresql://..."),
    "REDIS_URL": ("me:hidden@cache", "'me:***@cache' | redis://... or rediss://..."),
    "REDIS_CA_CERT": ("/no/such.pem", "'/no/such.pem' | a file that is there"),
    "REDIS_TLS_VERIFY": ("yes", "'yes' | required or none"),
    "PORT": ("http", "'http' | a whole number of 0 to 65535"),
    "CASEBRIDGE_PUBLIC_URL": ("cases.example", "'cases.example' | https://HOST, perhaps with a path"),
    "CASEBRIDGE_SECRET_KEY": ("hidden", ("a value of 6 characters | at least 16 random characters, e.g. from"
                              " `openssl rand -hex 32`")),
    "CASEBRIDGE_POLL_SECONDS": ("nan", "'nan' | a number of 0.1 to 86,400"),
    "CASEBRIDGE_SWEEP_SECONDS": ("0", "'0' | a number of 0.1 to 3,600"),
    "CASEBRIDGE_REDIS_PREFIX": ("a b", "'a b' | 1 to 40 letters, digits, or characters of : . _ -"),
    "CASEBRIDGE_LEASE_SECONDS": ("soon", "'soon' | a number of 1 to 3,600"),
    "CASEBRIDGE_SENDERS": ("1.5", "'1.5' | a whole number of 1 to 256"),
    "CASEBRIDGE_RETRY_SCALE": ("-1", "'-1' | a number of 0.0001 to 1,000"),
    "DOCK_URL": ("https://me:hidden@dock.example", "'https://me:***@dock.example' | https://HOST, perhaps with a path"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_is_told_with_what_belongs_there(name: str) -> None:
    """One sentence for each variable; of a secret no more than its length."""
    value, sentence = WRONG[name]
    assert told(GIVEN | {name: value}) == [f"{name}: {sentence}"]


def test_all_wrong_values_are_named_at_once_and_no_secret_with_them() -> None:
    """Everything wrong together is one answer."""
    problems = told(GIVEN | {name: value for name, (value, _) in WRONG.items()})
    assert sorted(problem.partition(":")[0] for problem in problems) == sorted(WRONG)
    assert "hidden" not in "".join(problems)


def test_secrets_may_come_from_files(tmp_path: Path) -> None:
    """As containers mount them; the line's end is not part of the secret."""
    (tmp_path / "key").write_text("fedcba9876543210\n", encoding="utf-8")
    found = read(
        {"CASEBRIDGE_SECRET_KEY_FILE": str(tmp_path / "key"), "DOCK_URL": "http://d", "DOCK_SECRET": "x"}, systems()
    )
    assert found.secret_key == "fedcba9876543210"


def test_a_secret_that_cannot_be_had_from_its_file_is_one_problem(tmp_path: Path) -> None:
    """Absent, empty, no text, or given twice: said once each, not again as `not set`."""
    (tmp_path / "empty").touch()
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    place = f"DOCK_SECRET_FILE: '{tmp_path}/"
    for file, said in (("absent", "absent' (no such file or directory)"), ("empty", "empty', which is empty"),
                       ("binary", "binary' (no utf-8 text)")):  # fmt: skip
        env = {**GIVEN, "DOCK_SECRET": "", "DOCK_SECRET_FILE": str(tmp_path / file)}
        (problem,) = told(env)
        assert problem.startswith(f"{place}{said} | a file that holds the secret")
    assert told(GIVEN | {"DOCK_SECRET_FILE": "x"}) == ["both DOCK_SECRET and DOCK_SECRET_FILE | one of them"]


def test_no_secret_stands_in_a_repr_or_in_what_is_printed() -> None:
    """Logs and `check` may show both."""
    found = environment(
        DATABASE_URL="postgres://me:hidden@db.example/x", REDIS_URL="rediss://:hidden@cache.example:6380",
        CASEBRIDGE_METRICS_TOKEN="hidden-metrics",
    )  # fmt: skip
    printed = repr(found) + str(found.masked())
    assert not any(secret in printed for secret in ("hidden", KEY, "dock-secret-value"))
    assert found.masked()["DATABASE_URL"] == "postgres://me:***@db.example/x"
    assert found.masked()["DOCK_SECRET"] == "***"
    assert found.masked()["DOCK_URL"] == "https://dock.example/root"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:hidden@db.example:5432/x", "postgresql://me:***@db.example:5432/x"),
        ("postgresql://me:hid/d#e@n@db.example/x", "postgresql://me:***@db.example/x"),
        ("postgresql://db.example/x?user=me&password=hidden&sslmode=require",
         "postgresql://db.example/x?user=me&password=***&sslmode=require"),
        ("redis://:hidden@127.evil.example/0", "redis://:***@127.evil.example/0"),
        ("redis://:own@127.0.0.1:6379/0", "redis://:own@127.0.0.1:6379/0"),
        ("redis://:own@[::1]:6379/0", "redis://:own@[::1]:6379/0"),
        ("postgresql://postgres:own@/casebridge?host=/run/sockets", "postgresql://postgres:own@/casebridge?host=/run/sockets"),
        ("https://example.zendesk.com", "https://example.zendesk.com"),
    ],
)  # fmt: skip
def test_passwords_are_masked_unless_the_server_is_this_machine(url: str, shown: str) -> None:
    """Loopback and the machine's own sockets are shown whole (decisions D18), also when a password needs escaping."""
    assert mask_url(url) == shown


def test_the_connectors_variables_are_read_with_the_rest() -> None:
    """The real connectors: what an empty environment lacks is what they declare as required."""
    with pytest.raises(ConfigurationError) as caught:
        read({}, discover())
    named = {problem.found.partition(":")[0] for problem in caught.value.problems}
    required = {variable.name for one in discover().values() for variable in one.variables if variable.required}
    assert named == {"CASEBRIDGE_SECRET_KEY", *required}


def test_plain_redis_needs_no_options() -> None:
    """`redis://`, and an embedded server, take none: redis-py would refuse them."""
    assert redis_options(environment(REDIS_URL="redis://cache")) == redis_options(environment()) == {
        "celery": {}, "client": {}
    }  # fmt: skip


def test_an_unverified_certificate_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    """Hosts with certificates of their own making work out of the box, but not silently."""
    with caplog.at_level(logging.WARNING, logger="pipeline.environment"):
        options = redis_options(environment(REDIS_URL="rediss://:x@cache:6380/0"))
    assert [record.message for record in caplog.records if record.name == "pipeline.environment"] == [
        "the certificate of Redis is not verified; set REDIS_CA_CERT or REDIS_TLS_VERIFY=required"
    ]
    assert options["celery"]["broker_use_ssl"] == {"ssl_cert_reqs": ssl.CERT_NONE}
    assert options["client"] == {"ssl_cert_reqs": "none", "ssl_check_hostname": False}


def test_an_authority_means_that_the_certificate_is_verified(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """REDIS_CA_CERT alone is enough; no warning then."""
    authority = tmp_path / "ca.pem"
    authority.touch()
    options = redis_options(environment(REDIS_URL="rediss://cache", REDIS_CA_CERT=str(authority)))
    verified = {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_ca_certs": str(authority)}
    assert options["celery"] == {"broker_use_ssl": verified, "redis_backend_use_ssl": verified}
    assert options["client"]["ssl_cert_reqs"] == "required"
    assert not [record for record in caplog.records if record.name == "pipeline.environment"]


@pytest.mark.parametrize(
    ("url", "verify", "verified"),
    [
        ("rediss://cache", "required", True),
        ("rediss://cache?ssl_cert_reqs=required&db=2", "", True),
        ("rediss://cache?ssl_cert_reqs=CERT_NONE", "", False),
        ("rediss://cache?ssl_cert_reqs=none", "required", True),
    ],
)
def test_what_the_address_says_of_tls_moves_into_the_options(url: str, verify: str, verified: bool) -> None:
    """Flower's broker page does not read it there (toolbox 1.5); the variable goes before the address."""
    found = environment(REDIS_URL=url, REDIS_TLS_VERIFY=verify)
    assert found.redis_tls_verify is verified
    assert found.redis_url == ("rediss://cache?db=2" if "db=2" in url else "rediss://cache")


def test_redis_and_celery_take_the_options() -> None:
    """The real libraries: a TLS connection that verifies nothing, and a broker address that Celery does not refuse."""
    found = environment(REDIS_URL="rediss://:x@cache.example:6380/0")
    options = redis_options(found)
    assert found.redis_url is not None
    connection = redis.Redis.from_url(found.redis_url, **options["client"]).connection_pool.make_connection()
    assert isinstance(connection, redis.SSLConnection)
    assert (connection.cert_reqs, connection.check_hostname) == (ssl.CERT_NONE, False)
    app = Celery(broker=found.redis_url, set_as_current=False)
    app.conf.update(options["celery"])
    assert app.connection_for_write().ssl == {"ssl_cert_reqs": ssl.CERT_NONE}

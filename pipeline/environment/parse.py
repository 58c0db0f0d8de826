"""From text to values with environs; a variable is judged once and told once, and no secret is ever shown."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from environs import Env, EnvValidationError
from marshmallow import ValidationError
from marshmallow.validate import Length, OneOf, Range, Regexp

from pipeline.connector import Variable
from pipeline.environment.address import mask_url, postgresql, split_tls
from pipeline.environment.variables import CORE
from pipeline.errors import Problem

WHERE = "environment"  # what stands in Problem.file
SHORTEST_SECRET_KEY = 16  # characters; it seals access tokens in Redis and signs sessions
LONGEST_SHOWN = 80

_WEB = r"https?://[^\s/?#@]+(/[^\s?#@]*)?"  # no log-in, no query: they would end up in logs
_DATABASE = r"postgres(ql)?://\S*"
_REDIS = r"rediss?://\S+"
_DOCUMENTS = r"(s3|gs|az|file)://\S+"


class _Parser(Env):
    """Environs over a mapping: its only way to a value is replaced, since it reads os.environ and nothing else."""

    def __init__(self, given: Mapping[str, str]) -> None:
        super().__init__(eager=False)
        self._given = given

    def _get_value(self, env_key: str, default: Any) -> Any:
        return self._given.get(env_key, default)

    def faults(self) -> Mapping[str, Sequence[str]]:
        """Messages by variable."""
        try:
            self.seal()
        except EnvValidationError as error:
            return dict(error.error_messages) if isinstance(error.error_messages, Mapping) else {}
        return {}


def collect(env: Mapping[str, str], known: Collection[Variable]) -> tuple[dict[str, str], dict[str, Problem]]:
    """The texts of all known variables that are set, files read in; and a problem for each that cannot be read."""
    given: dict[str, str] = {}
    problems: dict[str, Problem] = {}
    for variable in known:
        text, file = env.get(variable.name, ""), env.get(f"{variable.name}_FILE", "") if variable.secret else ""
        if text and file:
            found = f"both {variable.name} and {variable.name}_FILE"
            problems[variable.name] = Problem(WHERE, None, found, "one of them")
        elif file:
            _from_file(variable.name, file, given, problems)
        elif text.strip():
            given[variable.name] = text.strip()
    return given, problems


def values(
    given: Mapping[str, str], known: Collection[Variable], skip: Collection[str]
) -> tuple[dict[str, Any], list[Problem]]:
    """The core's values as Environment names them, and a problem for every variable that is missing or wrong."""
    parser = _Parser(given)
    core = _core(parser)
    for variable in known:
        if variable not in CORE:
            _system(parser, variable)
    by_name = {variable.name: variable for variable in known}
    faults = {name: messages for name, messages in parser.faults().items() if name not in skip}
    return core, [_problem(by_name[name], given.get(name), messages[0]) for name, messages in faults.items()]


def _from_file(name: str, file: str, given: dict[str, str], problems: dict[str, Problem]) -> None:
    try:
        text = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "no UTF-8 text"
        found = f"{name}_FILE: {file!r} ({reason.lower()})"
        problems[name] = Problem(WHERE, None, found, "a file that holds the secret and can be read")
        return
    if text:
        given[name] = text
    else:
        problems[name] = Problem(WHERE, None, f"{name}_FILE: {file!r}, which is empty", "a file that holds the secret")


def _core(parser: _Parser) -> dict[str, Any]:
    redis_url, tls = split_tls(_matching(parser, "REDIS_URL", _REDIS, "redis://... or rediss://...") or "")
    authority = _file(parser, "REDIS_CA_CERT") or (Path(tls["ssl_ca_certs"]) if "ssl_ca_certs" in tls else None)
    public_url = _matching(parser, "CASEBRIDGE_PUBLIC_URL", _WEB, "https://HOST, perhaps with a path")
    return {
        "database_url": postgresql(_matching(parser, "DATABASE_URL", _DATABASE, "postgresql://...") or "") or None,
        "redis_url": redis_url or None,
        "redis_ca_cert": authority,
        "redis_tls_verify": _verify(parser, authority, tls),
        "documents_url": _matching(parser, "CASEBRIDGE_DOCUMENTS_URL", _DOCUMENTS, "s3://, gs://, az:// or file://"),
        "home": Path(parser.str("CASEBRIDGE_HOME", ".casebridge") or ".casebridge"),
        "config": Path(parser.str("CASEBRIDGE_CONFIG", "casebridge.yaml") or "casebridge.yaml"),
        "port": _whole(parser, "PORT", None, 0, 65_535),
        "public_url": public_url.rstrip("/") if public_url else None,
        "secret_key": _secret_key(parser),
        "poll_seconds": _number(parser, "CASEBRIDGE_POLL_SECONDS", 60.0, 0.1, 86_400),
        "sweep_seconds": _number(parser, "CASEBRIDGE_SWEEP_SECONDS", 5.0, 0.1, 3_600),
        "redis_prefix": _prefix(parser),
        "metrics_token": parser.str("CASEBRIDGE_METRICS_TOKEN", None),
        "lease_seconds": _number(parser, "CASEBRIDGE_LEASE_SECONDS", 60.0, 1, 3_600),
        "senders": _whole(parser, "CASEBRIDGE_SENDERS", 16, 1, 256),
        "retry_scale": _number(parser, "CASEBRIDGE_RETRY_SCALE", 1.0, 0.0001, 1_000),
    }


def _system(parser: _Parser, variable: Variable) -> None:
    """A connector's variable is text; that one is an address is told by its name."""
    check = _like(_WEB, "https://HOST, perhaps with a path") if variable.name.endswith("_URL") else None
    if variable.required:
        parser.str(variable.name, validate=check)
    else:
        parser.str(variable.name, None, validate=check)


def _matching(parser: _Parser, name: str, pattern: str, expected: str) -> str | None:
    return parser.str(name, None, validate=_like(pattern, expected))


def _like(pattern: str, expected: str) -> Regexp:
    return Regexp(rf"(?:{pattern})\Z", error=expected)


def _number(parser: _Parser, name: str, default: float, low: float, high: float) -> Any:
    return _ranged(parser.float, name, default, Range(low, high, error=f"a number of {low:g} to {high:,g}"))


def _whole(parser: _Parser, name: str, default: int | None, low: int, high: int) -> Any:
    return _ranged(parser.int, name, default, Range(low, high, error=f"a whole number of {low} to {high}"))


def _ranged(method: Any, name: str, default: float | None, check: Range) -> Any:
    """What is no number at all is answered like one out of range. Environs hands the messages on, but does not say so
    in its types."""
    return method(
        name, default, validate=check, error_messages=dict.fromkeys(("invalid", "special", "too_large"), check.error)
    )


def _secret_key(parser: _Parser) -> str | None:
    expected = f"at least {SHORTEST_SECRET_KEY} random characters, e.g. from `openssl rand -hex 32`"
    return parser.str("CASEBRIDGE_SECRET_KEY", validate=Length(min=SHORTEST_SECRET_KEY, error=expected))


def _prefix(parser: _Parser) -> str:
    check = Regexp(r"[A-Za-z0-9:._-]{1,40}\Z", error="1 to 40 letters, digits, or characters of : . _ -")
    return parser.str("CASEBRIDGE_REDIS_PREFIX", "", validate=check) or ""


def _verify(parser: _Parser, authority: Path | None, tls: Mapping[str, str]) -> bool:
    """As REDIS_TLS_VERIFY says, else as the address does, else whenever there is an authority to verify against."""
    said = parser.str("REDIS_TLS_VERIFY", None, validate=OneOf(("required", "none"), error="required or none"))
    if said is not None:
        return said == "required"
    if "ssl_cert_reqs" in tls:
        return tls["ssl_cert_reqs"].lower().removeprefix("cert_") != "none"
    return authority is not None


def _file(parser: _Parser, name: str) -> Path | None:
    found = parser.path(name, None, validate=_readable)
    return Path(found) if found is not None else None


def _readable(path: Path) -> None:
    if not path.is_file():
        raise ValidationError("a file that is there")


def _problem(variable: Variable, text: str | None, message: str) -> Problem:
    if text is None:
        file = f" (or its file in {variable.name}_FILE)" if variable.secret else ""
        return Problem(WHERE, None, f"{variable.name}: not set", f"{variable.meaning}{file}")
    return Problem(WHERE, None, f"{variable.name}: {_shown(variable, text)}", message)


def _shown(variable: Variable, text: str) -> str:
    """As much of a wrong value as may be seen: of a secret only its length."""
    if variable.secret and not variable.name.endswith("_URL"):
        return f"a value of {len(text)} characters"
    shown = mask_url(text) if variable.name.endswith("_URL") else text
    return repr(shown if len(shown) <= LONGEST_SHOWN else f"{shown[:LONGEST_SHOWN]}...")

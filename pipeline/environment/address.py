"""Addresses of servers: one spelling for each, passwords taken out before anyone sees them."""

import re
from ipaddress import ip_address
from urllib.parse import parse_qsl, urlencode

MASK = "***"
# Up to the last @, so that a password with an unescaped @, / or # in it is still masked whole.
_USERINFO = re.compile(
    r"^(?P<scheme>(?:[A-Za-z][\w+.-]*://)?)(?P<user>[^:@/]*):(?P<password>.*)@(?P<rest>.*)$", re.DOTALL
)
_PARAMETER = re.compile(r"([?&][^=&#]*(?:password|token|secret|key)[^=&#]*=)[^&#]*", re.IGNORECASE)
_TLS_OPTION = re.compile(r"^ssl_")


def mask_url(url: str) -> str:
    """The address without its password, unless it leads to this machine's own socket or loopback (decisions D18)."""
    match = _USERINFO.match(url)
    if match is None:
        return _PARAMETER.sub(rf"\1{MASK}", url)
    if _is_here(match["rest"]):
        return url
    return f"{match['scheme']}{match['user']}:{MASK}@" + _PARAMETER.sub(rf"\1{MASK}", match["rest"])


def postgresql(url: str) -> str:
    """The spelling that libpq and SQL tools agree on (Heroku gives `postgres://`)."""
    return f"postgresql://{url.removeprefix('postgres://')}" if url.startswith("postgres://") else url


def split_tls(url: str) -> tuple[str, dict[str, str]]:
    """A rediss:// address without its `ssl_...` parameters, and these: Flower fails when they stand there alone."""
    address, _, query = url.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    tls = {name: value for name, value in pairs if _TLS_OPTION.match(name)}
    if not tls:
        return url, {}
    kept = urlencode([(name, value) for name, value in pairs if name not in tls])
    return f"{address}?{kept}" if kept else address, tls


def _is_here(rest: str) -> bool:
    host = re.split(r"[/?#]", rest, maxsplit=1)[0]
    name = host.partition("]")[0].removeprefix("[") if host.startswith("[") else host.partition(":")[0]
    if name in {"", "localhost"}:
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False

"""Whether two requests are the same in the sense of decisions D9: what was shown, and what the socket saw."""

from urllib.parse import parse_qsl, urlsplit

from pipeline.http.wire import Wire

_IGNORED_HEADERS = frozenset({"authorization", "date", "traceparent", "tracestate", "baggage"})
_TRANSPORT_HEADERS = frozenset({"host", "connection"})  # written by the HTTP library from the URL, not by us


def equal(shown: Wire, wire: Wire) -> bool:
    """Same method, path, query, headers (but authorization, date, trace) and body bytes."""
    return not differences(shown, wire)


def differences(shown: Wire, wire: Wire) -> tuple[str, ...]:
    """One sentence for each difference, for the message of a failing test. `url` of `wire` may be a bare path."""
    pairs = {
        "method": (shown.method, wire.method),
        "path": (urlsplit(shown.url).path, urlsplit(wire.url).path),
        "query": (_query(shown), _query(wire)),
        "headers": (_headers(shown), _headers(wire)),
        "body": (shown.body or b"", wire.body or b""),
    }
    return tuple(f"{name}: shown {ours!r}, sent {theirs!r}" for name, (ours, theirs) in pairs.items() if ours != theirs)


def _query(wire: Wire) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(wire.url).query, keep_blank_values=True)


def _headers(wire: Wire) -> dict[str, str]:
    ignored = _IGNORED_HEADERS | _TRANSPORT_HEADERS
    return {name.lower(): value for name, value in wire.headers.items() if name.lower() not in ignored}

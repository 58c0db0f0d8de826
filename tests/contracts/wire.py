"""Every request that casebridge sent in a story, checked against the contract of the system that it was sent to."""

import base64
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import parse_qsl

from pipeline.http.wire import USER_AGENT
from tests.contracts.validate import SHARED, Contract, ContractError
from workers.demo.people import People

Entry = dict[str, Any]
CONTRACTS: dict[str, tuple[str, Callable[[], Contract]]] = {
    "trading_grid": ("/active-community/v1", Contract.trading_grid),
    "gemini": ("/gemini/api", Contract.gemini),
    "zendesk": ("", Contract.zendesk),
}  # system -> (what the contract's paths leave out, the contract)
UNDESCRIBED = (
    re.compile(r"zendesk /oauth/tokens"),  # the log-in is described beside the support API's file, not in it
    re.compile(r"gemini /gemini/project/\d+/item/attachment"),  # the site's own link for people, no part of the API
)


def violations(people: People) -> list[str]:
    """What the wire logs of all systems hold against their contracts, one text a request; empty is right.

    Zendesk's own file is read beside the project; where that folder is absent (never in CI) its requests are left out.
    """
    known = [name for name in people.urls if name != "zendesk" or SHARED.is_dir() or os.environ.get("CI")]
    return [line for system in known for line in of_entries(system, people.look(system, "wire")["entries"])]


def require_by_contract(people: People) -> None:
    """Fail the calling test with every request that a contract refuses."""
    wrong = violations(people)
    assert not wrong, f"{len(wrong)} requests that a contract refuses:\n" + "\n".join(wrong[:5])


def of_entries(system: str, entries: Iterable[Entry]) -> Iterator[str]:
    """The violations among one system's exchanges; only casebridge's own and whole requests are looked at."""
    base, contract = CONTRACTS[system]
    for entry in entries:
        if entry["request_headers"].get("user-agent") != USER_AGENT or not _came_whole(entry):
            continue
        if any(known.fullmatch(f"{system} {entry['path']}") for known in UNDESCRIBED):
            continue
        query = parse_qsl(entry["query"], keep_blank_values=True)
        path = entry["path"].removeprefix(base)
        try:
            contract().check_request(entry["method"], path, query, entry["request_headers"], _body(entry))
        except ContractError as error:
            yield f"{system}, request {entry['n']}: {error}\n  sent: {entry.get('request_body', '')[:500]}"


def _came_whole(entry: Entry) -> bool:
    """A connection that a fault cut, or a document longer than what the log keeps, is no body to judge by."""
    announced = entry["request_headers"].get("content-length")
    return announced is None or int(announced) == len(_raw(entry))


def _body(entry: Entry) -> Any:
    """A JSON value, raw bytes of any other kind, None for no body."""
    raw = _raw(entry)
    if not raw:
        return None
    return json.loads(raw) if "json" in entry["request_headers"].get("content-type", "") else raw


def _raw(entry: Entry) -> bytes:
    if "request_body_b64" in entry:
        return base64.b64decode(entry["request_body_b64"])
    return str(entry.get("request_body", "")).encode()

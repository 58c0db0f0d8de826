"""What was foretold against what a sandbox's socket saw: slots are filled, then both must be the same bytes."""

import base64
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from pipeline.http.equal import differences
from pipeline.http.wire import Wire
from pipeline.service.explain import Explanation
from pipeline.service.foretell import ShownDelivery, ShownRequest
from tests.town import Town

Entry = dict[str, Any]
LOG_INS = ("/oauth/", "/tenants/")
SEARCH = "/items/filtered"  # Gemini reads by POST
SLOT = re.compile(r"(\"?)\{\{([^{}]+)\}\}(\"?)")
GUARDS = (".revision", ".updated_at", ".header:etag")  # every write moves them, so each request has its own
DOCUMENT = re.compile(r"<document ([0-9a-f]{64}), \d+ bytes, (raw|base64)>")


@dataclass
class Log:
    """The wire logs of all systems from a moment on."""

    town: Town
    since: dict[str, int] = field(default_factory=dict)

    @classmethod
    def now(cls, town: Town) -> "Log":
        """What comes from here on."""
        ends = {name: town.people.look(name, "wire")["entries"] for name in town.people.urls}
        return cls(town, {name: entries[-1]["n"] if entries else 0 for name, entries in ends.items()})

    def entries(self, system: str) -> list[Entry]:
        """The exchanges but for log-ins, oldest first."""
        found = self.town.people.look(system, f"wire?since={self.since[system]}")["entries"]
        return [entry for entry in found if not any(part in entry["path"] for part in LOG_INS)]

    def writes(self, system: str) -> list[Entry]:
        """Those that are meant to change something."""
        return [e for e in self.entries(system) if e["method"] != "GET" and SEARCH not in e["path"]]

    def reads(self, system: str) -> list[Entry]:
        """Every read of the whole log: labels and our own user are kept from earlier answers."""
        return [entry for entry in self.town.people.look(system, "wire")["entries"] if entry["method"] == "GET"]

    def answers(self) -> str:
        """Everything that any system has answered, for looking up where a slot's value came from."""
        logs = (self.town.people.look(name, "wire")["entries"] for name in self.since)
        return "\n".join(f"{entry['response_headers']}{entry['response_body']}" for log in logs for entry in log)


def compare(explanation: Explanation, log: Log) -> list[str]:
    """The differences between everything foretold and everything sent since, one line each; none is the promise kept.

    Reads may have been answered from what was kept (labels, our own user), so they may be missing on the wire.
    """
    foretold = [delivery for change in explanation.changes for delivery in change.deliveries]
    slots: dict[str, str] = {}
    found = [line for system in log.since for line in _of_system(system, foretold, log, slots)]
    answered = log.answers()
    return found + [f"slot {name}: {value!r} is in no answer" for name, value in slots.items() if value not in answered]


def _of_system(system: str, foretold: Sequence[ShownDelivery], log: Log, slots: dict[str, str]) -> Iterator[str]:
    mine = [delivery for delivery in foretold if delivery.target == system]
    planned = [(delivery.name, request) for delivery in mine for request in delivery.writes]
    shown = [(name, request) for name, request in planned if request.method != "GET"]
    sent = log.writes(system)
    if len(shown) != len(sent):
        names = [f"{name} {request.method} {request.url}" for name, request in shown]
        yield f"{system}: foretold {names}, sent {[(e['method'], e['path']) for e in sent]}"
    for (name, request), entry in zip(shown, sent, strict=False):
        for line in _unequal(request, entry, slots, log.town):
            yield f"{system} {name} {request.method} {request.url}: {line}"
    looked = [(delivery.name, request) for delivery in mine for request in delivery.reads]
    for name, request in [*looked, *(one for one in planned if one[1].method == "GET")]:
        if all(any(_unequal(request, entry, dict(slots), log.town)) for entry in log.reads(system)):
            yield f"{system} {name} reads {request.method} {request.url}: not on the wire"


def _unequal(shown: ShownRequest, entry: Entry, slots: dict[str, str], town: Town) -> Iterator[str]:
    sent = _sent(entry)
    path = unquote(urlsplit(shown.url).path)
    query = urlsplit(shown.url).query
    body = _with_documents(shown.body.encode(), town)
    filled = _fill(body, sent.body if isinstance(sent.body, bytes) else b"", slots)
    headers = {name: _fill(text.encode(), sent.headers.get(name, "").encode(), slots).decode()
               for name, text in shown.headers.items()}  # fmt: skip
    if "content-length" in headers:
        headers["content-length"] = str(len(filled))
    url = _fill(path.encode(), urlsplit(sent.url).path.encode(), slots).decode()
    yield from differences(Wire(shown.method, url + (f"?{query}" if query else ""), headers, filled or None), sent)


def _sent(entry: Entry) -> Wire:
    body = (
        base64.b64decode(entry["request_body_b64"]) if "request_body_b64" in entry else entry["request_body"].encode()
    )
    url = entry["path"] + (f"?{entry['query']}" if entry["query"] else "")
    return Wire(entry["method"], url, entry["request_headers"], body or None)


def _fill(shown: bytes, sent: bytes, slots: dict[str, str]) -> bytes:
    """The shown text with its slots filled from the sent one, if it fits; a slot has one value wherever it stands."""
    text = shown.decode("utf-8", "surrogateescape")
    names = [match[2] for match in SLOT.finditer(text)]
    pattern, at = "", 0
    for match in SLOT.finditer(text):
        whole = match[1] and match[3]  # a JSON value of its own: may be a number
        pattern += re.escape(text[at : match.start()]) + (
            r"(\"[^\"]*\"|\d+)" if whole else re.escape(match[1]) + r"([^\"]*?)" + re.escape(match[3])
        )
        at = match.end()
    found = re.fullmatch(pattern + re.escape(text[at:]), sent.decode("utf-8", "surrogateescape"), re.DOTALL)
    if found is None:
        return shown
    for name, value in zip(names, found.groups(), strict=True):
        plain = value.strip('"')
        if not name.endswith(GUARDS) and slots.get(name, plain) != plain:
            return shown
        slots[name] = plain
    return sent


def _with_documents(body: bytes, town: Town) -> bytes:
    def content(match: "re.Match[bytes]") -> bytes:
        stored = b"".join(town.world.documents.open(match[1].decode()))
        return base64.b64encode(stored) if match[2] == b"base64" else stored

    return re.sub(DOCUMENT.pattern.encode(), content, body)

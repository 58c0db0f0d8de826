"""One thing in full: raw bytes, the canonical change, the operation, and every attempt with its masked exchanges."""

import base64
from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from pipeline.http.mask import Masker
from pipeline.service.errors import NotFoundError, WrongUseError
from pipeline.service.subject import Event, Own, parse
from pipeline.store import dead_letters, trace
from pipeline.store.pool import Conn

LATER = "Retention may have removed it; see `casebridge why` for what is left."


def show(conn: Conn, text: str, systems: Collection[str]) -> dict[str, Any]:
    """Everything kept of a signal, change, delivery or dead letter. Raises NotFoundError and WrongUseError."""
    subject = parse(text, systems)
    if isinstance(subject, Event):
        subject = _named(conn, subject, systems)
    if not isinstance(subject, Own):
        raise WrongUseError(f"{text} is an object, of which many things are kept.", f"See `casebridge why {text}`.")
    return _SHOWN[subject.kind](conn, subject.number)


def _named(conn: Conn, event: Event, systems: Collection[str]) -> Own:
    """A source's own name: the change if there is one, else the signal."""
    for kind, ids in (("change", trace.changes_named), ("signal", trace.signals_named)):
        if found := ids(conn, event.name, systems):
            return Own(kind, found[0])
    raise NotFoundError(f"The ledger holds nothing by the name {event.name}.", "Find its number with `casebridge why`.")


def _signal(conn: Conn, number: int) -> dict[str, Any]:
    rows = trace.signals(conn, [number])
    if not rows:
        raise NotFoundError(f"There is no signal {number}.", LATER)
    kept = trace.inbox(conn, number)
    headers, raw = kept if kept is not None else ({}, b"")
    return {
        "id": f"signal:{number}", **_plain(rows[0], drop=("id",)),
        "headers": Masker(()).headers(headers), **_bytes(raw),
    }  # fmt: skip


def _change(conn: Conn, number: int) -> dict[str, Any]:
    rows = trace.changes(conn, [number])
    if not rows:
        raise NotFoundError(f"There is no change {number}.", LATER)
    record = msgspec.json.decode(trace.record(conn, number))
    return {"id": f"change:{number}", **_plain(rows[0], drop=("id",)), "record": record}


def _delivery(conn: Conn, number: int) -> dict[str, Any]:
    rows = trace.deliveries(conn, [number])
    if not rows:
        raise NotFoundError(f"There is no delivery {number}.", LATER)
    return {
        "id": f"delivery:{number}",
        **_plain(rows[0], drop=("id",)),
        "operation": msgspec.json.decode(trace.operation(conn, number)),
        "attempts": [_attempt(row) for row in trace.attempts(conn, number)],
    }


def _letter(conn: Conn, number: int) -> dict[str, Any]:
    letter = dead_letters.get(conn, number)
    if letter is None:
        raise NotFoundError(f"There is no dead letter {number}.", "See `casebridge dead list`.")
    kind, _, of = letter.subject.partition(":")
    waiting = dead_letters.dependants(conn, letter) if letter.delivery_id is not None else 0
    return {
        "id": f"dead:{number}", **_plain(letter, drop=("id", "signal_id", "change_id", "delivery_id")),
        "subject": letter.subject, "dependants": waiting, "of": _SHOWN[kind](conn, int(of)),
    }  # fmt: skip


def _attempt(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "exchanges": msgspec.json.decode(bytes(row["exchanges"]))}


def _plain(row: object, *, drop: Collection[str]) -> dict[str, Any]:
    values: dict[str, Any] = msgspec.to_builtins(row)
    return {name: value for name, value in values.items() if name not in drop}


def _bytes(raw: bytes) -> dict[str, str]:
    """As text with what is named like a secret masked; what is no text as base64."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        return {"raw_base64": base64.b64encode(raw).decode()}
    return {"raw": Masker(()).body(raw)}


_SHOWN = {"signal": _signal, "change": _change, "delivery": _delivery, "dead": _letter}

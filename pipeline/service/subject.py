"""What people name when they ask: `delivery:17`, `zendesk:ticket:35`, or an event as its source calls it."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from pipeline.service.errors import WrongUseError
from schemas.change import ObjectRef

OWN = ("signal", "change", "delivery", "dead")
FORMS = "signal:N, change:N, delivery:N, dead:N, an object such as zendesk:ticket:35, or an event's id at its source"
_OWN = re.compile(rf"({'|'.join(OWN)})(?:_letter)?[:/](\d{{1,18}})", re.ASCII)


@dataclass(frozen=True)
class Own:
    """A row of the ledger: its kind (one of OWN) and number."""

    kind: str
    number: int

    def __str__(self) -> str:
        return f"{self.kind}:{self.number}"


@dataclass(frozen=True)
class Event:
    """What a source calls one of its events or changes: `evt_01H...`, `comment:77`."""

    name: str

    def __str__(self) -> str:
        return self.name


Subject = Own | ObjectRef | Event


def parse(text: str, systems: Collection[str]) -> Subject:
    """The subject that a text names; `systems` tell objects from events. Raises WrongUseError for an empty text."""
    wanted = text.strip()
    if not wanted:
        raise WrongUseError("Nothing was named.", f"Name one of: {FORMS}.")
    if match := _OWN.fullmatch(wanted):
        return Own(match[1], int(match[2]))
    system, _, rest = wanted.partition(":")
    kind, _, external_id = rest.partition(":")
    name = system.replace("-", "_")
    if name in systems and kind and external_id:
        return ObjectRef(name, kind, external_id)
    return Event(wanted)

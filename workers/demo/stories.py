"""The flows as short stories: somebody does something at one system, and it must show at the others."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from workers.demo.people import Ids, People

WAIT_SECONDS = 45.0
OURS = ("client:casebridge", "api:casebridge", "api:9001")  # casebridge's own accounts at the three systems


@dataclass(frozen=True)
class Effect:
    """What must appear at a system: an entry of its own log by casebridge that fits."""

    system: str
    says: str  # for people: "item HELP opened"
    effect: str
    fits: Callable[[Ids], bool]


@dataclass(frozen=True)
class Story:
    """One flow: its code, what somebody does, and what follows from it."""

    flow: str
    title: str
    trigger: str
    effects: Sequence[Effect]


@dataclass
class Played:
    """How one story went. `seconds` from the act to the last effect; `arrived` only if every effect was seen."""

    flow: str
    title: str
    trigger: str
    arrived: bool = False
    seconds: float = 0.0
    effects: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The shape that `casebridge demo --json` prints."""
        return {
            "flow": self.flow,
            "title": self.title,
            "arrived": self.arrived,
            "seconds": round(self.seconds, 2),
            "trigger": self.trigger,
            "effects": self.effects,
            "missing": self.missing,
        }


def play(people: People, *, wait_seconds: float = WAIT_SECONDS) -> Iterator[Played]:
    """Play the flows one after the other; each result comes as soon as it is known."""
    marks = {system: _last(people, system) for system in people.urls}
    for story in _script(people):
        yield _watch(people, story, marks, wait_seconds)
        marks = {system: _last(people, system) for system in people.urls}


def _script(people: People) -> Iterator[Story]:
    """Act, then say what must follow; each act needs what the one before it made."""
    yield _exception(people)
    yield _milestone(people, _newest(people, "gemini", "item_created"))
    yield _escalation(people)
    yield _correction(people, _newest(people, "trading_grid", "thread_created"))


def _exception(people: People) -> Story:
    title = "Short shipment on PO 4711"
    words = "Two of twelve pallets are missing. Please advise."
    made = people.open_thread("acme", title, words, exception_type="short_shipment", po_number="4711")
    return Story(
        "G1",
        "Partner exception becomes a case",
        f"Acme Logistics opens the thread '{title}'",
        (
            Effect("gemini", "an item opens with the partner, the references and the text", "item_created", _any),
            Effect("gemini", "its fields name the thread", "custom_value_set", _is("field", "ExternalReference")),
            Effect("trading_grid", "the thread is bound to the item", "reference_put", _is("obj", made["thread_id"])),
            Effect("trading_grid", "the partner reads the case number", "post_created", _has("case number is HELP-")),
        ),
    )


def _milestone(people: People, item: str) -> Story:
    people.set_status(item, "Assigned")
    people.set_status(item, "In Progress", comment="They are right, the carrier lost them.", group="4")
    return Story(
        "G2",
        "Milestones go back to the partner",
        "Anna sets the item to In Progress, with an internal comment",
        (
            Effect("trading_grid", "the thread is in progress", "thread_transitioned", _is("new", "in_progress")),
            Effect("trading_grid", "the partner reads the milestone", "post_created", _has("in progress")),
        ),
    )


def _escalation(people: People) -> Story:
    subject, customer = "Invoice INV-2207 does not match", "My customer asks why he pays twice."
    fields = {
        "field_360002": "invoice_mismatch",
        "field_360007": "INV-2207",
        "field_360005": "Please compare invoice INV-2207 with your delivery note.",
    }
    ticket = people.open_ticket(501, subject, customer, **fields)["ticket_id"]
    people.escalate(ticket)
    return Story(
        "Z1",
        "Ticket is escalated to the partner",
        f"An agent marks ticket {ticket} for Globex Retail",
        (
            Effect("trading_grid", "a thread opens for the partner", "thread_created", _has("INV-2207", "title")),
            Effect("trading_grid", "with the words written for it", "post_created", _has("delivery note")),
            Effect("zendesk", "the agent reads what was sent", "comment_added", _has("Sent to Globex Retail")),
        ),
    )


def _correction(people: People, thread: str) -> Story:
    words = "We billed the wrong quantity; a credit note follows."
    people.post("globex", thread, words, update_type="invoice_correction")
    return Story(
        "Z2",
        "Partner update returns to the ticket",
        "Globex Retail posts a correction in the thread",
        (Effect("zendesk", "a private note in the ticket", "comment_added", _private_with("credit note follows")),),
    )


def _newest(people: People, system: str, effect: str) -> str:
    return str([entry["obj"] for entry in people.journal(system) if entry["effect"] == effect][-1])


def _watch(people: People, story: Story, marks: dict[str, int], wait_seconds: float) -> Played:
    """Look into the systems' own logs until every effect is there."""
    played, started = Played(story.flow, story.title, story.trigger), time.monotonic()
    open_ = list(story.effects)
    while open_ and time.monotonic() - started < wait_seconds:
        for effect in list(open_):
            if _seen(people, effect, marks[effect.system]):
                open_.remove(effect)
                played.effects.append(f"{_title(effect.system)}: {effect.says}")
                played.seconds = time.monotonic() - started
        if open_:
            time.sleep(0.1)
    played.arrived = not open_
    played.missing = [f"{_title(effect.system)}: {effect.says}" for effect in open_]
    return played


def _seen(people: People, effect: Effect, since: int) -> bool:
    entries = people.journal(effect.system, since)
    return any(e["effect"] == effect.effect and e["by"] in OURS and effect.fits(e) for e in entries)


def _last(people: People, system: str) -> int:
    return max((int(entry["n"]) for entry in people.journal(system)), default=0)


def _any(_entry: Ids) -> bool:
    return True


def _is(name: str, value: str) -> Callable[[Ids], bool]:
    return lambda entry: str(entry.get(name)) == value


def _has(words: str, name: str = "body") -> Callable[[Ids], bool]:
    return lambda entry: words in str(entry.get(name))


def _private_with(words: str) -> Callable[[Ids], bool]:
    return lambda entry: entry.get("public") is False and words in str(entry.get("body"))


def _title(system: str) -> str:
    return system.replace("_", " ").title()

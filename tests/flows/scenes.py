"""What stories about Trading Grid and Gemini begin with: a partner's exception and its item, and what to look at."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from pipeline.connector import Signal
from pipeline.store import signals
from pipeline.store.signals import Incoming
from tests.town import Town

INTERNAL, PARTNERS = 4, 5  # the sandbox's user groups for comments


@dataclass(frozen=True)
class Case:
    """A thread and the item that casebridge made of it."""

    thread: str
    item: str


def open_case(town: Town, partner: str = "acme", **fields: str) -> Case:
    """A partner opens a thread about a short shipment; casebridge makes its item."""
    thread = open_thread(town, partner, **fields)
    before = {entry["obj"] for entry in town.by_us("gemini", "item_created")}
    town.run()
    made = [entry["obj"] for entry in town.by_us("gemini", "item_created") if entry["obj"] not in before]
    assert len(made) == 1, (made, town.dead())
    return Case(thread, made[0])


def open_thread(town: Town, partner: str = "acme", **fields: str) -> str:
    """A partner opens a thread; nothing has run yet. Returns the thread's id."""
    given = {
        "title": "Short shipment",
        "text": "We received 3 of 5 cartons.",
        "exception_type": "short_shipment",
        "po_number": "PO-4711",
    }
    page = {**given, **fields}
    ids = town.people.open_thread(partner, page.pop("title"), page.pop("text"), **page)  # type: ignore[arg-type]
    return str(ids["thread_id"])


def move(town: Town, case: Case, *statuses: str) -> None:
    """A resolver moves the item, status by status, and casebridge runs after each."""
    for status in statuses:
        town.people.set_status(case.item, status)
        town.run()


def resolve(town: Town, case: Case, text: str = "We have sent the missing cartons.") -> None:
    """A resolver writes the resolution for the partner and resolves the item."""
    town.people.set_field(case.item, "PublicResolution", text)
    move(town, case, "Assigned", "In Progress", "Resolved")


def deliver_again(town: Town) -> None:
    """The readers' memory of every object is lost, and every event is delivered again under another id."""
    with town.world.connection() as conn:
        conn.execute("update source_object set known = '{}' where object <> '*'")
        rows = conn.execute(
            "select source, object, raw from signal join inbox on signal_id = id where object <> '*' order by id"
        ).fetchall()
        again = [(source, Signal(f"again:{uuid4()}", name, bytes(raw))) for source, name, raw in rows]
        signals.receive(conn, [Incoming(source, signal, {}, via="operator") for source, signal in again])


def items(town: Town) -> list[str]:
    """The items that casebridge created, oldest first."""
    return [entry["obj"] for entry in town.by_us("gemini", "item_created")]


def said_in_gemini(town: Town, item: str = "") -> list[str]:
    """The texts of casebridge's comments, on one item or on all."""
    wanted = {"parent": item} if item else {}
    return [entry["body"] for entry in town.by_us("gemini", "comment_added", **wanted)]


def said_to_partner(town: Town, thread: str = "") -> list[str]:
    """What casebridge posted in a thread (or all) that a partner can read."""
    wanted = {"thread_id": thread} if thread else {}
    return [entry["body"] for entry in town.by_us("trading_grid", "post_created", visibility="partner", **wanted)]


def states_of(town: Town, thread: str) -> list[str]:
    """The states that casebridge moved a thread to, in order."""
    return [entry["new"] for entry in town.by_us("trading_grid", "thread_transitioned", obj=thread)]


def state_of(town: Town, thread: str) -> str:
    """The state that the thread is in, whoever moved it there."""
    moved = [entry["new"] for entry in town.effects("trading_grid", "thread_transitioned", obj=thread)]
    return moved[-1] if moved else "new"


def status_of(town: Town, item: str) -> str:
    """The status that the item has, whoever set it."""
    made = [entry["status"] for entry in town.effects("gemini", "item_created", obj=item)]
    set_since = [entry["new"] for entry in town.effects("gemini", "status_changed", obj=item)]
    return str([*made, *set_since][-1])


def calls(town: Town, system: str, method: str, part: str) -> list[dict[str, Any]]:
    """The exchanges with a system whose path holds `part`, oldest first."""
    entries = town.people.look(system, "wire")["entries"]
    return [entry for entry in entries if entry["method"] == method and part in entry["path"]]


def pushed(town: Town, case: Case) -> list[dict[str, Any]]:
    """The transitions that casebridge sent for a thread, whatever came of them."""
    return calls(town, "trading_grid", "POST", f"/threads/{case.thread}/transitions")


def body_of(exchange: dict[str, Any]) -> dict[str, Any]:
    """The JSON that was sent."""
    return dict(json.loads(exchange["request_body"]))

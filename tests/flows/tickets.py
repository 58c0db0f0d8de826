"""What stories about Zendesk and Trading Grid begin with: an escalated ticket and its thread, and what to look at."""

from dataclasses import dataclass
from typing import Any

from tests.flows.scenes import body_of, calls
from tests.town import Town

ACME, GLOBEX, NOBODYS = 500, 501, 0  # the sandbox's organizations; a ticket of nobody's has none
PARTNER, EXCEPTION, PURCHASE_ORDER, DESCRIPTION, QUANTITY = (
    "field_360001",
    "field_360002",
    "field_360003",
    "field_360005",
    "field_360006",
)  # the forms' names of the ticket fields


@dataclass(frozen=True)
class Escalation:
    """A ticket and the thread that its partner got."""

    ticket: int
    thread: str


def open_ticket(
    town: Town, fields: dict[str, str] | None = None, *, organization: int = ACME, subject: str = "Cartons missing"
) -> int:
    """An agent takes down what a customer said; nothing has run yet. Returns the ticket's number."""
    ids = town.people.open_ticket(organization, subject, "The customer waits for two cartons.", **(fields or {}))
    return int(ids["ticket_id"])


def escalate(town: Town, organization: int = ACME, order: str = "PO-4711") -> Escalation:
    """An agent escalates a ticket with words for the partner; casebridge opens the thread."""
    words = {DESCRIPTION: f"Two cartons of {order} have not arrived.", PURCHASE_ORDER: order}
    ticket = open_ticket(town, words, organization=organization)
    before = {entry["obj"] for entry in threads(town)}
    town.people.escalate(ticket)
    town.run()
    made = [entry["obj"] for entry in threads(town) if entry["obj"] not in before]
    assert len(made) == 1, (made, town.dead())
    return Escalation(ticket, made[0])


def partner_says(town: Town, case: Escalation, text: str, **fields: str) -> str:
    """The partner posts and casebridge runs. Returns the post's id."""
    post = str(town.people.post("acme", case.thread, text, **fields)["post_id"])
    town.run()
    return post


def close(town: Town, ticket: int) -> None:
    """An agent solves the ticket, and it is closed for good."""
    town.people.ticket_form(ticket, "status", status="solved")
    town.people.ticket_form(ticket, "close")
    town.run()


def threads(town: Town) -> list[dict[str, Any]]:
    """The threads that casebridge opened, oldest first."""
    return town.by_us("trading_grid", "thread_created")


def posts(town: Town, thread: str) -> list[str]:
    """What casebridge said in a thread after its opening text, milestones left aside."""
    made = town.by_us("trading_grid", "post_created", thread_id=thread, kind="message")
    return [entry["body"] for entry in made if entry["sequence"] > 1 or entry["body"] not in _openings(town)]


def notes(town: Town, ticket: int | str) -> list[str]:
    """The texts of casebridge's comments on a ticket."""
    return [entry["body"] for entry in town.by_us("zendesk", "comment_added", ticket_id=int(ticket))]


def relayed(town: Town, ticket: int | str) -> list[str]:
    """Those of casebridge's comments that carry a partner's words."""
    return [body for body in notes(town, ticket) if "(partner) wrote" in body]


def updates(town: Town, ticket: int) -> list[dict[str, Any]]:
    """The updates of a ticket that were sent to Zendesk, oldest first."""
    return calls(town, "zendesk", "PUT", f"/tickets/{ticket}")


def sent(exchange: dict[str, Any]) -> dict[str, Any]:
    """The ticket in an exchange's request body."""
    return dict(body_of(exchange)["ticket"])


def _openings(town: Town) -> set[str]:
    return {entry["description"] for entry in threads(town)}

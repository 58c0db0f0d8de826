"""The values of `{{…}}` placeholders in agents' comments and in trigger templates."""

from __future__ import annotations

from .account import Account
from .actor import Actor
from .data import JsonObject


def values(account: Account, ticket: JsonObject, actor: Actor) -> dict[str, str]:
    """Placeholder name -> what it becomes."""
    requester = account.users.get(ticket["requester_id"] or 0, {})
    organization = account.organizations.get(ticket["organization_id"] or 0, {})
    found = {
        "ticket.id": ticket["id"],
        "ticket.title": ticket["subject"],
        "ticket.status": (ticket["status"] or "").capitalize(),
        "ticket.priority": (ticket["priority"] or "").capitalize(),
        "ticket.external_id": ticket["external_id"],
        "ticket.tags": " ".join(ticket["tags"]),
        "ticket.updated_at_with_timestamp": ticket["updated_at"],
        "ticket.requester.name": requester.get("name"),
        "ticket.requester.email": requester.get("email"),
        "ticket.organization.name": organization.get("name"),
        "current_user.id": actor.id,
        "current_user.name": actor.user["name"],
        "current_user.email": actor.user["email"],
    }
    return {name: "" if value is None else str(value) for name, value in found.items()}

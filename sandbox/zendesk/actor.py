"""Who acts on a ticket, and by which way."""

from __future__ import annotations

from dataclasses import dataclass

from .data import JsonObject


@dataclass(frozen=True, slots=True)
class Actor:
    """The signed-in user with the way in: `api` for programs, `web` for people at the pages."""

    user: JsonObject
    channel: str = "api"
    client: str = ""
    ip_address: str = "127.0.0.1"

    @property
    def id(self) -> int:
        """The user's id."""
        return int(self.user["id"])

    @property
    def is_staff(self) -> bool:
        """Whether the user is an agent or an admin."""
        return str(self.user["role"]) != "end-user"

    @property
    def by(self) -> str:
        """The name under which the journal keeps what this user does."""
        if self.channel == "api":
            return f"api:{self.id}"
        return f"agent:{self.id}" if self.is_staff else f"user:{self.id}"

    @property
    def event_channel(self) -> str:
        """The channel as webhook events spell it: API writes read `web_service` there."""
        return "web_service" if self.channel == "api" else self.channel

    @property
    def via(self) -> JsonObject:
        """The `via` of what this user makes."""
        return {"channel": self.channel, "source": {"from": {}, "to": {}, "rel": None}}

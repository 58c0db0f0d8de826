"""Who is who at Zendesk: our own user, and whether an author is an agent; remembered while the process lives."""

from collections.abc import Iterable

from pipeline.connector import Http
from pipeline.connectors.zendesk import calls
from pipeline.connectors.zendesk.wire import Json, People, identifier

USERS_REMEMBERED = 10_000


class Directory:
    """Users by id. A role that changes is seen after the next start: agents rarely become customers."""

    def __init__(self, user_id: int | None) -> None:
        self._me = None if user_id is None else str(user_id)
        self._users: dict[str, Json] = {}

    def people(self, wanted: Iterable[object], sideloaded: Iterable[Json], http: Http) -> People:
        """Everybody in `wanted` (ids as Zendesk writes them); asks only for those whom no answer brought along."""
        if len(self._users) > USERS_REMEMBERED:
            self._users.clear()
        self._remember(sideloaded)
        numbers = {number for number in map(identifier, wanted) if number is not None}
        missing = numbers - self._users.keys()
        if missing:
            self._remember(calls.users(http, missing))
        me = self.me(http)
        return People(me, {number: self._users[number] for number in numbers if number in self._users})

    def me(self, http: Http) -> str:
        """The id of the user whom our token acts for: configured, or asked for once."""
        if self._me is None:
            user = calls.myself(http)
            self._remember([user])
            self._me = str(user["id"])
        return self._me

    def _remember(self, users: Iterable[Json]) -> None:
        for user in users:
            number = identifier(user.get("id"))
            if number is not None:
                self._users[number] = {"role": user.get("role"), "name": user.get("name")}

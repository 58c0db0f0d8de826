"""A Gemini sandbox in a thread and its API client that checks each answer against the contract."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from sandbox.gemini.app import create
from sandbox.kit.app import Kit
from sandbox.kit.serve import running
from tests.contracts.validate import Contract

INTERNAL, PARTNER, EVERYONE = 4, 5, 1
KEYS = {"casebridge": "sandbox-gemini-key", "anna": "sandbox-gemini-anna", "ben": "sandbox-gemini-ben"}
UNASSIGNED, ASSIGNED, IN_PROGRESS, AWAITING, RESOLVED, CLOSED = 51, 52, 53, 54, 56, 57


class HelpDesk:
    """What a test does with the site."""

    def __init__(self, url: str, kit: Kit) -> None:
        self.url, self.kit = url, kit
        self.session = requests.Session()

    def ask(self, method: str, path: str, body: Any = None, *, user: str = "casebridge", key: str = "") -> Any:
        """A checked API call; returns the decoded body of a 200."""
        answer = self.try_to(method, path, body, user=user, key=key)
        assert answer.status_code == 200, answer.text[:400]
        return answer.json()

    def try_to(
        self, method: str, path: str, body: Any = None, *, user: str = "casebridge", key: str = ""
    ) -> requests.Response:
        """An API call whose answer is checked against the contract when it is JSON and not the null of a log-in."""
        answer = self.session.request(method, f"{self.url}/gemini/api{path}", json=body, auth=(user, key or KEYS[user]))
        if answer.headers.get("content-type", "").startswith("application/json") and answer.text != "null":
            Contract.gemini().check_answer(method, path, answer.status_code, answer.json())
        return answer

    def item(self, **members: Any) -> Any:
        """Create an item; returns its IssueDto."""
        return self.ask("POST", "/items", {"ProjectId": 12, "Title": "Short delivery", **members})

    def move(self, item_id: int, *statuses: int) -> Any:
        """Walk the item along a status path; returns the last answer."""
        answer = None
        for status in statuses:
            answer = self.change(item_id, StatusId=status)
        return answer

    def change(self, item_id: int, **members: Any) -> Any:
        """Read, change, PUT the whole entity back."""
        entity = self.ask("GET", f"/items/{item_id}")["BaseEntity"]
        return self.ask("PUT", "/items", {**entity, **members})

    def comment(self, item_id: int, text: str = "<p>Checked.</p>", *, user: str = "casebridge", **members: Any) -> Any:
        """Add a comment; returns its Dto."""
        body = {"IssueId": item_id, "Comment": text, **members}
        return self.ask("POST", f"/items/{item_id}/comments", body, user=user)

    def search(self, *, user: str = "casebridge", **filters: Any) -> list[Any]:
        """`POST items/filtered`."""
        found: list[Any] = self.ask("POST", "/items/filtered", {"Projects": "12", **filters}, user=user)
        return found

    def set(self, **switches: Any) -> None:
        """Change the site's switches."""
        answer = self.session.put(f"{self.url}/_sandbox/gemini", json=switches)
        assert answer.status_code == 200, answer.text

    def submit(self, path: str, *, who: str = "anna", expect: int = 200, **fields: str) -> Any:
        """Send a person page's form as somebody and read its JSON answer."""
        wanted = {"Accept": "application/json"}
        answer = self.session.post(f"{self.url}/gemini/person{path}", data={"as": who, **fields}, headers=wanted)
        assert answer.status_code == expect, answer.text
        return answer.json()

    def effects(self, *names: str) -> list[dict[str, Any]]:
        """The journal's entries, of these effects when some are named."""
        return [entry for entry in self.kit.journal.entries() if not names or entry["effect"] in names]


@contextmanager
def running_desk(hooks_to: str | None = None) -> Iterator[HelpDesk]:
    """A fresh site; its webhooks go to `hooks_to`."""
    kit = Kit.create("gemini", hooks_to=hooks_to)
    with running(create(kit)) as url:
        desk = HelpDesk(url, kit)
        with desk.session:
            yield desk

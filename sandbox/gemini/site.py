"""The site's memory: items by id, people, groups, settings, and what each reader may see of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sandbox.kit.app import Kit

from . import data
from .errors import RefusedError
from .model import EVERYONE, Comment, File, Item, User
from .settings import Settings


class Site:
    """All state of one Gemini site, used from one event loop only."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.reset()

    def reset(self) -> None:
        """Back to the start data: no items, settings as shipped."""
        self.settings = Settings()
        self.users = data.users()
        self.by_username = {user.username: user for user in self.users.values()}
        self._start_groups = {user.id: user.groups for user in self.users.values()}
        self.items: dict[int, Item] = {}  # ordered by last revision, newest last
        self.by_origin: dict[tuple[int, str], list[int]] = {}
        self.numbers = {
            kind: itertools.count(start)
            for kind, start in (
                ("item", 1001),
                ("comment", 5001),
                ("file", 7001),
                ("row", 3001),
                ("audit", 9001),
                ("version", 43_000),
                ("link", 301),
            )
        }

    def configure(self, changes: dict[str, Any]) -> None:
        """Change settings; raises ValueError. Encoded items are dropped, since settings change them."""
        self.settings.change(changes)
        for user in self.users.values():
            chosen = self.settings.user_groups.get(user.username)
            user.groups = self._start_groups[user.id] if chosen is None else frozenset(chosen)
        for item in self.items.values():
            item.encoded.clear()
            for comment in item.comments.values():
                comment.encoded = ""

    def next(self, kind: str) -> int:
        """The next id of a kind."""
        return next(self.numbers[kind])

    def now(self) -> datetime:
        """The sandbox's time."""
        return self.kit.clock.now()

    def item(self, item_id: int, reader: User) -> Item:
        """The item; raises RefusedError 404 when it does not exist or the reader may not see it."""
        item = self.items.get(item_id)
        if item is None or not may_read(reader, item.fields["Visibility"]):
            raise RefusedError(404, f"There is no item {item_id}")
        return item

    def touch(self, item: Item, by: User, *, revise: bool = True) -> None:
        """Note a change: drop the encoded forms and, with `revise`, move Revised and the row version on."""
        item.encoded.clear()
        if revise:
            item.revised, item.reviser, item.version = self.now(), by, self.next("version")
            self.items.pop(item.id, None)
            self.items[item.id] = item

    def newest_first(self) -> Iterator[Item]:
        """Items by last revision, newest first."""
        return iter(reversed(self.items.values()))

    def originated(self, kind: int, mark: str) -> list[Item]:
        """Items created with (or set to) this originator, oldest first."""
        return [self.items[item_id] for item_id in self.by_origin.get((kind, mark), ())]

    def index_origin(self, item: Item, old: tuple[int, str] | None = None) -> None:
        """Make the item findable by its OriginatorData, and no longer by an `old` one."""
        if old is not None and item.id in self.by_origin.get(old, ()):
            self.by_origin[old].remove(item.id)
        new = (item.fields["OriginatorType"], item.fields["OriginatorData"])
        if new[1]:
            self.by_origin.setdefault(new, []).append(item.id)


def may_read(reader: User, group: int) -> bool:
    """Whether somebody sees what only this group may see."""
    return group == EVERYONE or group in reader.groups


def readable_comments(item: Item, reader: User) -> list[Comment]:
    """The item's comments that the reader may see, oldest first."""
    return [comment for comment in item.comments.values() if may_read(reader, comment.visibility)]


def readable_files(item: Item, reader: User) -> list[File]:
    """The item's files that the reader may see: a comment's file has the comment's readers."""
    return [file for file in item.files.values() if may_read_file(item, file, reader)]


def may_read_file(item: Item, file: File, reader: User) -> bool:
    """Whether the reader sees the file."""
    comment = item.comments.get(file.comment_id) if file.comment_id else None
    return comment is None or may_read(reader, comment.visibility)

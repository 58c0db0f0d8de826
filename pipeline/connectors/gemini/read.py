"""The reading half: webhooks wake, the poll finds, a reading tells what is new on one item."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pipeline.connector import Content, Headers, Http, Page, Pending, Reading, Signal
from pipeline.connectors.gemini import receive, search
from pipeline.connectors.gemini.changes import Observation, changes_of, remember
from pipeline.connectors.gemini.content import ways_to
from pipeline.connectors.gemini.recheck import still_for_partner
from pipeline.connectors.gemini.records import Comment, Item
from pipeline.connectors.gemini.settings import SYSTEM, Options
from pipeline.connectors.gemini.site import Site
from pipeline.connectors.gemini.snapshot import make_snapshot
from pipeline.errors import InvalidPayloadError
from schemas.change import Change, ChangeKind, ObjectRef, Snapshot
from schemas.content import Author, File, Side


@dataclass(frozen=True)
class GeminiSource:
    """Reads one project of one site."""

    options: Options

    def receive(self, headers: Headers, raw: bytes, now: datetime) -> Signal:  # noqa: ARG002 -- unsigned: nothing to check
        """The item that a webhook names; the secret in the path was compared by the web. Raises UnreadableError."""
        return receive.receive(raw)

    def object_of(self, raw: bytes) -> str | None:
        """The item that a body names. Raises UnreadableError."""
        return receive.receive(raw).object

    def start(self, http: Http) -> Mapping[str, Any]:
        """The largest Revised now; the past comes only by a backfill."""
        return search.start(Site(http, self.options))

    def poll(self, cursor: Mapping[str, Any], http: Http) -> Page:
        """All items revised since the cursor, in one page."""
        return search.poll(Site(http, self.options), cursor)

    def read(self, pending: Pending, http: Http) -> Reading:
        """What is new on one item. Raises AuthError, TransientError, InvalidPayloadError."""
        site = Site(http, self.options)
        item = site.item(_item_id(pending.object))
        if item is None:
            return self._missing(site, pending)
        if item.project != self.options.project and not pending.known:
            return Reading((), pending.known)  # a webhook of another project; one moved there later is still followed
        return self._observed(site, item, pending.known)

    def recheck(self, change: Change, http: Http) -> bool:
        """Whether the change's words may still go to a partner, by the site as it is right now."""
        return still_for_partner(change, Site(http, self.options))

    def content(self, ref: ObjectRef, file: File) -> Sequence[Content]:
        """The API's base64, and the site's own link where the API answers without it (sheet, section 6)."""
        return ways_to(ref, file)

    def _observed(self, site: Site, item: Item, known: Mapping[str, Any]) -> Reading:
        comments, attachments = site.comments(item), site.attachments(item)
        history = site.history(item.id)
        gone, left_out = self._lost(site, item, comments, known)
        comments += left_out
        me = site.verify()  # last: a log-in that holds now vouches for everything read before it
        seen = Observation(
            item=item, comments=comments, attachments=attachments, history=history,
            snapshot=make_snapshot(item, comments, attachments, self.options, me),
            options=self.options, me=me, roles=self._roles(site), gone=gone,
        )  # fmt: skip
        return Reading(changes_of(seen, known), remember(seen, known))

    def _lost(
        self, site: Site, item: Item, comments: tuple[Comment, ...], known: Mapping[str, Any]
    ) -> tuple[tuple[int, ...], tuple[Comment, ...]]:
        """Comments known before that are gone, and those that the list alone left out: each is asked for by its id."""
        present = {comment.id for comment in comments}
        missing = sorted({int(key) for key in known.get("comments", {})} - present)
        asked = {number: site.comment(item.id, number) for number in missing}
        gone = tuple(number for number, comment in asked.items() if comment is None)
        return gone, tuple(comment for comment in asked.values() if comment is not None)

    def _missing(self, site: Site, pending: Pending) -> Reading:
        """An item that is not there: told once, after a second look, and only if we ever knew it."""
        site.verify()
        if not pending.known or pending.known.get("deleted") or site.item(_item_id(pending.object)) is not None:
            return Reading((), pending.known)
        number = str(_item_id(pending.object))
        seen_at = datetime.fromisoformat(pending.known["revised"]).astimezone(UTC)
        snapshot = Snapshot(ObjectRef(SYSTEM, "item", number), url=self.options.item_url(number), updated_at=seen_at)
        change = Change(f"deleted:{number}", ChangeKind.DELETED, seen_at, Author(Side.SYSTEM), snapshot)
        return Reading((change,), {**pending.known, "deleted": True})

    def _roles(self, site: Site) -> Mapping[int, tuple[str, ...]]:
        """User id -> roles of the configuration; asked for by name, because a list of users may hold their keys."""
        names = sorted({name for people in self.options.roles.values() for name in people})
        ids = {name: number for name in names if (number := site.id_of(name)) is not None}
        return {
            number: tuple(role for role, people in self.options.roles.items() if name in people)
            for name, number in ids.items()
        }


def _item_id(name: str) -> int:
    kind, _, number = name.partition(":")
    if kind != "item" or not number.isdecimal():
        raise InvalidPayloadError(f"found the object {name!r}, expected item:<number>")
    return int(number)

"""What one ticket's audits, files and absence tell that the ledger does not know yet."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

from msgspec import structs

from pipeline.connector import Http, Pending, Reading
from pipeline.connectors.zendesk import audits, calls, wire
from pipeline.connectors.zendesk.directory import Directory
from pipeline.connectors.zendesk.settings import KIND, Options
from pipeline.connectors.zendesk.wire import Json, People, Scene, identifier
from pipeline.domain.reason import Reason
from pipeline.errors import InvalidPayloadError, PermanentError
from pipeline.plan import Answer
from schemas.change import Change, ChangeKind, Snapshot
from schemas.content import Author, File, FileState, Side, Visibility

SCANS_WATCHED = 50  # files of one ticket whose scan is still open
UNTOLD = datetime(1970, 1, 1, tzinfo=UTC)  # the time of an end that nobody dated
_ENDS = (b'"deleted"', b"_deleted", b"merged")  # what an export row or a webhook says of a ticket that is no more


class TicketReader:
    """Reads one ticket at a time. `known` holds last_audit_id, cursor, partner_comment, scans, deleted."""

    def __init__(self, root_url: str, options: Options, directory: Directory) -> None:
        self._root_url = root_url
        self._options = options
        self._directory = directory

    def read(self, pending: Pending, http: Http) -> Reading:
        """The new changes, oldest first: one request where nothing is new, two otherwise, three for a new face.

        The audits are read before the ticket, so the snapshot is never older than the changes that carry it.
        """
        number = pending.object.removeprefix(f"{KIND}:")
        rows, cursor = _new_audits(number, pending, http)
        known = {**pending.known, "cursor": cursor}
        if not rows and rows is not None and not known.get("scans") and not _speaks_of_an_end(pending):
            return Reading((), known)
        answer = calls.find(http, "ticket", f"/tickets/{number}", (("include", "users"),))
        ticket: Json = wire.parse(answer, "ticket") if answer is not None else {"status": "deleted"}
        if answer is None or wire.word(ticket.get("status")) == "deleted":
            return self._gone(number, known, _last_heard(pending, ticket))
        sideloaded = answer.json.get("users") or []
        people = self._directory.people(_mentioned(ticket, rows or []), sideloaded, http)
        return self._told(ticket, rows or [], people, {**known, "deleted": False}, http)

    def _told(self, ticket: Json, rows: list[Json], people: People, known: Json, http: Http) -> Reading:
        last = max([int(known.get("last_audit_id") or 0), *(int(identifier(row.get("id")) or 0) for row in rows)])
        scene = Scene(self._root_url, self._options, people, known.get("partner_comment"), str(last) if last else None)
        snapshot = wire.snapshot(ticket, scene)
        told, newest = self._changes(rows, snapshot, people, known.get("partner_comment"))
        known = {**known, "last_audit_id": last, "partner_comment": newest}
        scans = {**(known.get("scans") or {}), **_open_scans(told)}
        ended = list(_scanned(scans, snapshot, http))
        known["scans"] = {
            number: entry for number, entry in list(scans.items())[-SCANS_WATCHED:] if number not in dict(ended)
        }
        return Reading((*told, *(change for _, change in ended if change is not None)), known)

    def _changes(
        self, rows: list[Json], snapshot: Snapshot, people: People, newest: Json | None
    ) -> tuple[list[Change], Json | None]:
        """The audits' changes, and the newest words for the partner behind them.

        Tags and words for the partner stand in each snapshot as they were at that change: however many audits one
        reading brings, a mark opens a case at its own change, and what was said before it is told in that order.
        """
        told: list[Change] = []
        for row, before, after in _with_tags(rows, frozenset(snapshot.extra["tags"])):
            earlier, newest = newest, audits.partner_comment(row, newest, people, self._options)
            tags, words = before, earlier
            for change in audits.changes(row, snapshot, people, self._options):
                tags = after if change.kind in (ChangeKind.MARKED, ChangeKind.UNMARKED) else tags
                words = newest if change.kind is not ChangeKind.OPENED else words
                extra = {**snapshot.extra, "tags": sorted(tags), "partner_comments": [words] if words else []}
                told.append(structs.replace(change, snapshot=structs.replace(snapshot, extra=extra)))
        return told, newest

    def _gone(self, number: str, known: Json, at: datetime) -> Reading:
        if known.get("deleted"):
            return Reading((), known)
        last = known.get("last_audit_id")
        scene = Scene(self._root_url, self._options, revision=str(last) if last else None)
        change = Change(
            external_id=f"deleted:{number}",
            kind=ChangeKind.DELETED,
            at=at,
            author=Author(Side.SYSTEM, name="Zendesk"),
            snapshot=wire.gone(number, scene),
        )
        return Reading((change,), {**known, "deleted": True})


def _new_audits(number: str, pending: Pending, http: Http) -> tuple[list[Json] | None, str | None]:
    """Audits after the last one known with the cursor behind them; None for a ticket that is gone."""
    last, cursor = int(pending.known.get("last_audit_id") or 0), pending.known.get("cursor")
    try:
        return _audits_after(number, last, cursor, http)
    except PermanentError as fault:
        if fault.reason is Reason.TARGET_GONE:
            return None, cursor
        if cursor is None or fault.reason is not Reason.REJECTED:
            raise
    return _audits_after(number, last, None, http)  # a cursor of theirs that they no longer take


def _audits_after(number: str, last: int, cursor: str | None, http: Http) -> tuple[list[Json], str | None]:
    found: list[Json] = []
    query = (("page[after]", cursor),) if cursor else ()
    for rows, after in calls.pages(http, "audits", f"/tickets/{number}/audits", "audits", query):
        found += [row for row in rows if int(identifier(row.get("id")) or 0) > last]
        cursor = after or cursor
    return found, cursor


def _mentioned(ticket: Json, rows: list[Json]) -> Iterator[object]:
    yield from (ticket.get("submitter_id"), ticket.get("requester_id"))
    for row in rows:
        yield row.get("author_id")
        yield from (event.get("author_id") for event in row.get("events") or [] if isinstance(event, dict))


def _with_tags(rows: list[Json], now: frozenset[str]) -> list[tuple[Json, frozenset[str], frozenset[str]]]:
    """Each audit with the tags before and after it, found by going back from those of now."""
    found: list[tuple[Json, frozenset[str], frozenset[str]]] = []
    for row in reversed(rows):
        before = audits.tags_before(row, now)
        found.append((row, before, now))
        now = before
    return found[::-1]


def _open_scans(told: list[Change]) -> Json:
    return {
        file.external_id: {"visibility": str(file.visibility), "comment_id": change.part_id}
        for change in told
        for file in change.files
        if file.state is FileState.PENDING_SCAN
    }


def _scanned(scans: Json, snapshot: Snapshot, http: Http) -> Iterator[tuple[str, Change | None]]:
    """The watched files whose scan has ended, or that are gone (None)."""
    for number, entry in scans.items():
        answer = calls.find(http, "file", f"/attachments/{number}")
        if answer is None:
            yield number, None
            continue
        file = wire.attachment(wire.parse(answer, "attachment"), Visibility(entry["visibility"]))
        if file.state is not FileState.PENDING_SCAN:
            yield number, _file_change(file, entry, snapshot, answer)


def _file_change(file: File, entry: Json, snapshot: Snapshot, answer: Answer) -> Change:
    return Change(
        external_id=f"attachment:{file.external_id}:{file.state}",
        kind=ChangeKind.FILE,
        at=calls.answered_at(answer),
        author=Author(Side.SYSTEM, name="Zendesk"),
        snapshot=snapshot,
        part_id=file.external_id,
        files=(file,),
        details={"comment_id": entry["comment_id"]},
    )


def _last_heard(pending: Pending, ticket: Json) -> datetime:
    """When a ticket ended, as far as anybody told: its own time, else that of the newest signal about it."""
    times = [wire.timestamp(ticket.get("updated_at"))]
    for signal in pending.signals:
        try:
            body = json.loads(signal.raw)
        except ValueError:
            continue
        if isinstance(body, dict):
            times += [_instant(body.get("time")), _instant(body.get("generated_timestamp"))]
    return max((time for time in times if time is not None), default=UNTOLD)


def _instant(value: object) -> datetime | None:
    """A signal's time: text in a webhook, seconds since 1970 in an export row."""
    if isinstance(value, int):
        return datetime.fromtimestamp(value, UTC)
    try:
        return wire.timestamp(value)
    except InvalidPayloadError:
        return None


def _speaks_of_an_end(pending: Pending) -> bool:
    return any(word in signal.raw for signal in pending.signals for word in _ENDS)

"""The last look before a partner reads it: is the text at Zendesk still the partner's (decisions D9)?"""

from pipeline.connector import Http
from pipeline.connectors.zendesk import calls, wire
from pipeline.connectors.zendesk.directory import Directory
from pipeline.connectors.zendesk.settings import Options
from pipeline.connectors.zendesk.speech import said
from pipeline.connectors.zendesk.wire import Json
from pipeline.domain.text import comparable
from schemas.change import Change, ChangeKind
from schemas.content import Format, Text, Visibility


def still_for_partner(change: Change, http: Http, options: Options, directory: Directory) -> bool:
    """False as soon as one of the texts is deleted, redacted, altered or no longer marked for the partner."""
    number = change.ref.external_id
    answer = calls.find(http, "ticket", f"/tickets/{number}")
    ticket = wire.parse(answer, "ticket") if answer is not None else {"status": "deleted"}
    if wire.word(ticket.get("status")) == "deleted":
        return False
    if change.kind is not ChangeKind.SAID and not _same_words(change, ticket, options):
        return False
    wanted = _shown(change)
    return not wanted or _still_said(change, wanted, http, options, directory)


def _same_words(change: Change, ticket: Json, options: Options) -> bool:
    """Whether the texts that a new thread shows from the ticket itself are the ones that were read."""
    description = wire.text_of(wire.purposes(ticket, options).get("partner_description"))
    return change.snapshot.extra.get("partner_description") == description


def _shown(change: Change) -> dict[str, Text]:
    """The comments whose words the change carries, by id."""
    if change.kind is ChangeKind.SAID:
        return {change.part_id: change.text} if change.part_id and change.text else {}
    rows = change.snapshot.extra.get("partner_comments") or []
    if change.kind is ChangeKind.FILE:
        return {str(change.details["comment_id"]): Text("")} if change.details.get("comment_id") else {}
    return {str(row["id"]): Text(row["body"], Format(row["format"]), Visibility.PARTNER) for row in rows}


def _still_said(change: Change, wanted: dict[str, Text], http: Http, options: Options, directory: Directory) -> bool:
    """Walks the comments from the newest, as what is sent was mostly said a moment ago."""
    missing, files = dict(wanted), {(file.external_id, file.name) for file in change.files}
    query = (("sort", "-created_at"),)
    for rows, _ in calls.pages(http, "comments", f"/tickets/{change.ref.external_id}/comments", "comments", query):
        people = directory.people([row.get("author_id") for row in rows], (), http)
        for row in rows:
            expected = missing.pop(str(row.get("id")), None)
            if expected is None:
                continue
            author = people.author(row.get("author_id"))
            now = said({"type": "Comment", **row}, author, options.partner_comment_prefix)
            if now.visibility is not Visibility.PARTNER or _altered(expected, now):
                return False
            files -= {(file.external_id, file.name) for file in wire.attachments(row, now.visibility)}
        if not missing:
            return not files  # a redacted file keeps its place as `redacted.txt`
    return False


def _altered(expected: Text, now: Text) -> bool:
    return bool(expected.body) and comparable(expected) != comparable(now)

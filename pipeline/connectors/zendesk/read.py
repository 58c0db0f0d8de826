"""The reading half: webhooks and the cursor export wake, the ticket's audits tell."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pipeline.config import Config
from pipeline.connector import Content, Headers, Http, Page, Pending, Reading, Signal
from pipeline.connectors.zendesk import calls, receive, wire
from pipeline.connectors.zendesk.directory import Directory
from pipeline.connectors.zendesk.history import TicketReader
from pipeline.connectors.zendesk.recheck import still_for_partner
from pipeline.connectors.zendesk.settings import KIND, Options, root_of
from pipeline.connectors.zendesk.wire import Json, identifier
from pipeline.plan import Request
from schemas.change import Change, ObjectRef
from schemas.content import File

OVERLAP = timedelta(minutes=5)  # the first cursor: now less this (decisions D20)
EXPORT_PAGE = 500  # tickets a page; 1,000 are allowed, but a page must stay well below the cap of an answer


class ZendeskSource:
    """The tickets of one account."""

    def __init__(self, env: Mapping[str, str], config: Config) -> None:
        self._options = Options.of(config)
        self._tolerance = timedelta(seconds=config.settings.webhook_tolerance_seconds)
        self._secrets = receive.usable(
            (env.get("ZENDESK_WEBHOOK_SECRET"), env.get("ZENDESK_WEBHOOK_SECRET_PREVIOUS")),
            sandbox=self._options.allow_private,
        )
        self._directory = Directory(self._options.user_id)
        self._reader = TicketReader(root_of(env), self._options, self._directory)

    def receive(self, headers: Headers, raw: bytes, now: datetime) -> Signal:
        """The ticket that a webhook names. Raises SignatureError, UnreadableError."""
        receive.verify(headers, raw, now, self._secrets, self._tolerance)
        return receive.signal(headers, raw)

    def object_of(self, raw: bytes) -> str | None:
        """The ticket that a body names. Raises UnreadableError."""
        return receive.signal({}, raw).object

    def start(self, http: Http) -> Mapping[str, Any]:
        """Five minutes ago by Zendesk's own clock: the export compares with that one."""
        answer = calls.get(http, "me", "/users/me.json")
        return {"start_time": int((calls.answered_at(answer) - OVERLAP).timestamp())}

    def poll(self, cursor: Mapping[str, Any], http: Http) -> Page:
        """One page of tickets that changed. The export holds back its last minute, and tells state, not history."""
        begin = ("cursor", str(cursor["cursor"])) if cursor.get("cursor") else ("start_time", str(cursor["start_time"]))
        answer = calls.get(http, "export", "/incremental/tickets/cursor", (begin, ("per_page", str(EXPORT_PAGE))))
        rows, body = wire.parse(answer, "tickets"), answer.json
        after = body.get("after_cursor") or None
        following = {"cursor": after} if after else dict(cursor)
        return Page(
            signals=tuple(_signal(row) for row in rows if identifier(row.get("id"))),
            cursor=following,
            more=following != dict(cursor) and body.get("end_of_stream") is False,  # no progress: never loop
        )

    def read(self, pending: Pending, http: Http) -> Reading:
        """The ticket's new audits as changes (history.py)."""
        return self._reader.read(pending, http)

    def recheck(self, change: Change, http: Http) -> bool:
        """Whether what the change would show a partner is still for partners at Zendesk right now."""
        return still_for_partner(change, http, self._options, self._directory)

    def content(self, ref: ObjectRef, file: File) -> Sequence[Content]:  # noqa: ARG002 -- the socket's signature
        """`content_url` as Zendesk told it; it may lead on to a storage that must not see our log-in (sheet 4)."""
        return (Content(Request("content", "GET", "", reads=True), url=file.url),) if file.url else ()


def _signal(row: Json) -> Signal:
    """An export row by (ticket, generated_timestamp): that one moves on every change, system ones too."""
    number, generated = identifier(row.get("id")), row.get("generated_timestamp") or row.get("updated_at")
    seen = {"id": number, "generated_timestamp": generated, "status": wire.word(row.get("status"))}
    return Signal(
        key=f"{number}:{generated}",
        object=f"{KIND}:{number}",
        raw=json.dumps(seen).encode(),
        position=generated if isinstance(generated, int) else None,
    )

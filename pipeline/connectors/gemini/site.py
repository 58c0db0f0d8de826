"""The site as the reader asks it: each answer parsed, each disguise of a refused log-in named."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipeline.answers import excerpt, is_html, judge_by_status
from pipeline.connector import Http
from pipeline.connectors.gemini.records import Attachment, Audit, Comment, Item, Seen
from pipeline.connectors.gemini.settings import Options, who_am_i
from pipeline.connectors.gemini.wire import (
    entity,
    optional,
    parse_attachment,
    parse_audit,
    parse_comment,
    parse_item,
    parse_seen,
    without_secrets,
)
from pipeline.domain.reason import Reason
from pipeline.errors import AuthError, InvalidPayloadError, PermanentError, TransientError
from pipeline.plan import Answer, Request, Verdict

SEARCH_SECONDS = 95.0  # the site itself gives up after 90 (sheet, section 8)


@dataclass(frozen=True)
class Site:
    """Reads of one site. All raise AuthError, TransientError, PermanentError or InvalidPayloadError."""

    http: Http
    options: Options

    def verify(self) -> int:
        """Our user id, once it is certain that the site knows us: asked after other reads, it vouches for them."""
        fresh = replace(who_am_i(self.options.username), keeps_seconds=0)  # a kept answer vouches for nothing
        return user_id(self._ask(fresh), self.options.username)

    def id_of(self, username: str) -> int | None:
        """The id of a user named in the configuration; None where there is no such user."""
        dto = self._find(who_am_i(username, step="user"), nullable=True)
        return None if dto is None else optional(entity(dto).get("Id")) or None

    def item(self, item_id: int) -> Item | None:
        """The item with its comments, attachments and custom values; None: there is none that we may see."""
        dto = self._find(Request("item", "GET", f"/items/{item_id}", reads=True))
        return None if dto is None else parse_item(dto, self.options.zone)

    def comments(self, item: Item) -> tuple[Comment, ...]:
        """The item's comments, asked for only where its own answer did not carry them."""
        if item.comments is not None:
            return item.comments
        rows = self._list(Request("comments", "GET", f"/items/{item.id}/comments", reads=True))
        return tuple(parse_comment(row, self.options.zone) for row in rows)

    def comment(self, item_id: int, comment_id: int) -> Comment | None:
        """One comment as it is right now; None: gone, or in a group whose comments we may not see."""
        try:
            path = f"/items/{item_id}/comments/{comment_id}"
            dto = self._find(Request("comment", "GET", path, reads=True))
        except AuthError:
            self.verify()  # raises if it is the log-in that is refused, and not this comment
            return None
        return None if dto is None else parse_comment(dto, self.options.zone)

    def attachments(self, item: Item) -> tuple[Attachment, ...]:
        """The item's files without their bytes, asked for only where its own answer did not carry them."""
        if item.attachments is not None:
            return item.attachments
        rows = self._list(Request("attachments", "GET", f"/items/{item.id}/attachments", reads=True))
        return tuple(parse_attachment(row, self.options.zone, item.created) for row in rows)

    def history(self, item_id: int) -> tuple[Audit, ...]:
        """All history rows; the vendor promises no order."""
        rows = self._list(Request("history", "GET", f"/items/{item_id}/history", reads=True))
        return tuple(parse_audit(row, self.options.zone) for row in rows)

    def search(self, bounds: Mapping[str, Any], most: int) -> tuple[Seen, ...]:
        """The project's items that match, closed ones too: without IncludeClosed a closing would never show."""
        wanted = {"Projects": f"|{self.options.project}|", "IncludeClosed": True, "MaxItemsToReturn": most, **bounds}
        rows = self._list(
            Request("search", "POST", "/items/filtered", body=wanted, reads=True, deadline_seconds=SEARCH_SECONDS)
        )
        return tuple(parse_seen(row, self.options.zone) for row in rows)

    def table(self, path: str) -> Sequence[Any]:
        """A lookup list: types, statuses, priorities, groups, custom fields."""
        return self._list(Request(path.strip("/").replace("/", "_"), "GET", path, reads=True, keeps_seconds=300))

    def one(self, path: str) -> Any | None:
        """One object as it came, or None."""
        return self._find(Request(path.strip("/").replace("/", "_"), "GET", path, reads=True))

    def _find(self, request: Request, *, nullable: bool = False) -> Any | None:
        """What the request names; None where the site says that it is not there."""
        try:
            return read_json(self.http.get(request), request.step, nullable=nullable)
        except PermanentError as error:
            if error.reason is Reason.TARGET_GONE:
                return None
            raise

    def _ask(self, request: Request) -> Any:
        return read_json(self.http.get(request), request.step)

    def _list(self, request: Request) -> Sequence[Any]:
        rows = read_json(self.http.get(request), request.step)
        if not isinstance(rows, list):
            raise InvalidPayloadError(f"{request.step}: found {type(rows).__name__}, expected a list")
        return rows


def user_id(dto: Any, username: str) -> int:
    """The id in a UserDto of ours. Raises AuthError for `null`, the anonymous user and somebody else."""
    stored = entity(dto) if dto is not None else {}
    found, name = optional(stored.get("Id")) or 0, str(stored.get("Username") or "")
    if found <= 0 or name.casefold() != username.casefold():
        raise AuthError(f"found the user {name or 'nobody'!r} with id {found}, expected {username!r}")
    return found


def read_json(answer: Answer, what: str, *, nullable: bool = False) -> Any:
    """The JSON of an answer without keys of users; raises the error that the answer stands for."""
    if answer.status != 200:
        _raise_refusal(answer, what)
    try:
        value = without_secrets(answer.json)
    except (ValueError, RecursionError) as error:
        seen = answer.body[:1000].decode("utf-8", "replace")
        page = "an HTML page" if is_html(answer) else "no JSON"
        raise TransientError(f"{what}: found {page}, expected JSON: {seen}") from error
    if value is None and not nullable:
        raise AuthError(f"{what}: found null, which this site answers to a refused log-in")
    return value


def _raise_refusal(answer: Answer, what: str) -> None:
    outcome = judge_by_status(Request(what, "GET", "/", reads=True), answer)
    detail = f"{what}: {answer.status} {excerpt(answer.body)}"
    if outcome.verdict is Verdict.AUTH:
        raise AuthError(detail)
    if outcome.verdict in (Verdict.RETRY, Verdict.AGAIN):
        raise TransientError(detail, retry_after=outcome.retry_after_seconds)
    raise PermanentError(Reason.REJECTED if answer.status != 404 else Reason.TARGET_GONE, detail)

"""The courier of one target: turns held lanes into work and hands each to `dispatch`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from msgspec import MsgspecError, structs

from pipeline.config import Config
from pipeline.connector import Connector, Http, Link, Source, Target, Work
from pipeline.domain.identity import idem_key
from pipeline.domain.reason import Reason
from pipeline.domain.retry import RetryPolicy
from pipeline.domain.states import DeliveryState
from pipeline.errors import CasebridgeError, LeaseLostError, PermanentError
from pipeline.plan import Outcome, Verdict
from pipeline.stages.dispatch import Delivered, Sender, dispatch
from pipeline.stages.settling import Finished
from pipeline.stages.told_files import already_told, told_by, with_files
from pipeline.store import changes, works
from pipeline.store.lanes import DECODE, Held
from pipeline.store.pool import Conn
from schemas.change import Change
from schemas.content import Side, Text, Visibility
from schemas.operation import AnyOperation, Attach, Comment, Redact, State

NUMBER = "{{number}}"


@dataclass(frozen=True)
class Courier:
    """Everything that sending to one target takes; `sources` are asked again before partners see hub words (D9)."""

    connector: Connector
    target: Target
    sender: Sender
    config: Config
    sources: Mapping[str, tuple[Source, Http]] = field(default_factory=dict)
    policy: RetryPolicy = field(default_factory=RetryPolicy)

    def prepare(self, conn: Conn, ready: Sequence[Held]) -> Callable[[Held, Callable[[], None]], Finished]:
        """Read what these deliveries need, in the caller's transaction; the result runs on sender threads."""
        load = _Load(conn, self, ready)
        return lambda held, check: self._deliver(held, check, load)

    def _deliver(self, held: Held, check: Callable[[], None], load: "_Load") -> Finished:
        partner = self.config.partner(held.partner)
        finished = Finished(
            held,
            self.connector.name,
            None,
            policy=self.policy,
            named_in_needs=held.delivery_id in load.needed,
            comments_block=partner is not None and partner.settings.get("comments") == "block",
        )
        if held.state != DeliveryState.QUEUED:
            return finished
        try:
            delivered = self._attempt(held, check, load)
        except LeaseLostError:
            return replace(finished, lost=True)
        return replace(finished, delivered=delivered)

    def _attempt(self, held: Held, check: Callable[[], None], load: "_Load") -> Delivered:
        if (fault := load.unreadable.get(held.delivery_id)) is not None:
            return _failed(Reason.UNREADABLE, fault)
        operation = load.operations[held.delivery_id]
        if isinstance(operation, Attach) and any(part in load.told for part in told_by(operation)):
            return already_told()
        try:
            return with_files(self._dispatch(held, check, load), operation)
        except LeaseLostError:
            raise
        except PermanentError as error:
            return _failed(error.reason, error.detail)
        except Exception as error:  # noqa: BLE001 -- a writer's fault is this delivery's dead letter, not the drain's end
            return _failed(Reason.UNREADABLE, f"{type(error).__name__}: {error}")

    def _dispatch(self, held: Held, check: Callable[[], None], load: "_Load") -> Delivered:
        return dispatch(
            load.work(held),
            target=self.target,
            sender=self.sender,
            must_look=held.must_look,
            before_send=check,
            still_cleared=lambda: self._recheck(held, load),
            key_of=lambda round_: idem_key(held.key, held.plan_rev + round_),
        )

    def _recheck(self, held: Held, load: "_Load") -> Outcome | None:
        """Ask the source whether its words are still for the partner; None: go on."""
        change = load.stale.get(held.change_id or 0)
        if change is None or not self.connector.partner_facing or change.ref.system not in self.sources:
            return None
        if change.author.side is Side.PARTNER or not _says_something(DECODE(held.operation)):
            return None
        source, http = self.sources[change.ref.system]
        try:
            if source.recheck(change, http):
                return None
        except CasebridgeError as error:
            return Outcome(Verdict.RETRY, Reason.SOURCE_UNREACHABLE, str(error), retry_after_seconds=30.0)
        return Outcome(Verdict.DEAD, Reason.VISIBILITY, f"{change.ref} no longer shows it to partners")


class _Load:
    """What a group of held deliveries needs, read in a few statements."""

    def __init__(self, conn: Conn, courier: Courier, ready: Sequence[Held]) -> None:
        self.courier = courier
        self.operations: dict[int, AnyOperation] = {}
        self.unreadable: dict[int, str] = {}
        for held in ready:
            self._decode(held)
        ready = [held for held in ready if held.delivery_id in self.operations]
        cases = list(dict.fromkeys(held.case_id for held in ready))
        self.links: dict[int, dict[int, Link]] = {case_id: {} for case_id in cases}
        for case_id, link in changes.links_of_cases(conn, cases):
            self.links[case_id][link.id] = link
        origins = [(h.case_id, origin_of(self.operations[h.delivery_id])) for h in ready]
        self.parts = works.parts(conn, courier.connector.name, [(c, o) for c, o in origins if o])
        files = [part for one in self.operations.values() if isinstance(one, Attach) for part in told_by(one)]
        self.told = changes.by_parts(conn, courier.connector.name, files) if files else {}
        self.stale = self._stale(conn, ready)
        self.needed = works.named_in_needs(conn, cases, [held.delivery_id for held in ready])

    def _decode(self, held: Held) -> None:
        """Written by another version, maybe: one operation that cannot be read must not stop all of its target."""
        try:
            self.operations[held.delivery_id] = DECODE(held.operation)
        except MsgspecError as error:
            self.unreadable[held.delivery_id] = f"{type(error).__name__}: {error}"

    def _stale(self, conn: Conn, ready: Sequence[Held]) -> dict[int, Change]:
        if not self.courier.connector.partner_facing or not self.courier.sources:
            return {}
        ids = [held.change_id for held in ready if held.change_id is not None]
        seconds = self.courier.config.settings.recheck_after_seconds
        found = works.changes(conn, ids, stale_seconds=seconds)
        return {id_: change for id_, (change, stale) in found.items() if stale}

    def work(self, held: Held) -> Work:
        """The delivery as its writer sees it: links that were replaced lead to their successors."""
        operation = self.operations[held.delivery_id]
        links = {id_: successor(link, self.links[held.case_id]) for id_, link in self.links[held.case_id].items()}
        origin = origin_of(operation)
        return Work(
            operation=numbered(operation, links),
            delivery_id=held.delivery_id,
            idem_key=idem_key(held.key, held.plan_rev),
            mark=held.mark,
            links=links,
            config=self.courier.config,
            partner=self.courier.config.partner(held.partner),
            parts={origin: self.parts.get((held.case_id, origin), ())} if origin else {},
            late=held.redo > 0,
            since=held.created_at,
        )


def successor(link: Link, links: Mapping[int, Link]) -> Link:
    """The object that carries a closed one's work on, however often it was replaced."""
    seen: set[int] = set()
    while link.replaced_by is not None and link.replaced_by in links and link.id not in seen:
        seen.add(link.id)
        link = links[link.replaced_by]
    return link


def numbered(operation: AnyOperation, links: Mapping[int, Link]) -> AnyOperation:
    """The operation with the case number in its public note; the slot stays while the item does not exist yet."""
    if not isinstance(operation, State) or operation.public_note is None or "number_of" not in operation.details:
        return operation
    item = links.get(int(operation.details["number_of"]))
    number = str(item.facts.get("key") or item.slot) if item is not None else NUMBER
    return structs.replace(operation, public_note=_filled(operation.public_note, number))


def _filled(note: Text, number: str) -> Text:
    return structs.replace(note, body=note.body.replace(NUMBER, number))


def origin_of(operation: AnyOperation) -> str:
    """The part of a source that the operation speaks of; '' where it speaks of none."""
    return operation.origin if isinstance(operation, Redact | Comment) else ""


def _says_something(operation: AnyOperation) -> bool:
    if isinstance(operation, Comment) and operation.note:
        return False  # casebridge's own words stand at no source
    texts = [getattr(operation, name, None) for name in ("text", "body", "title", "resolution")]
    return any(isinstance(text, Text) and text.visibility is Visibility.PARTNER for text in texts)


def _failed(reason: Reason, detail: str) -> Delivered:
    return Delivered(Outcome(Verdict.DEAD, reason, detail), None, (), looked=False, rounds=1, ms=0.0)

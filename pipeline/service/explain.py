"""`explain`: the exact requests that an event will cause, before anything is sent (promise P8, decisions D9).

Reading and rendering use GETs only (an executor in mode `read`); routing runs in a transaction that is rolled back
and ends before the next call goes out. Keys, marks and bodies are derived from the change, so what is shown is what
will be sent; values that only an answer can give stand as `{{named slots}}`.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import msgspec

from pipeline.config import Config
from pipeline.connector import Account, Connector, Pending, Source, Target, Work
from pipeline.domain.identity import idem_key, mark_of
from pipeline.domain.states import ChangeState
from pipeline.errors import CasebridgeError, PermanentError
from pipeline.flow import Flow
from pipeline.http import Executor
from pipeline.http.show import body_text, show
from pipeline.plan import Request
from pipeline.stages.courier import numbered, successor
from pipeline.stages.transform import Preview, preview
from pipeline.store import changes, signals
from pipeline.store.deliveries import NewDelivery
from pipeline.store.pool import Conn
from schemas.change import Change

DECODE = msgspec.json.Decoder(Change).decode


class Surroundings(Protocol):
    """What `explain` needs of the composition root."""

    connectors: Mapping[str, Connector]
    flows: Sequence[Flow]

    @property
    def config(self) -> Config: ...
    def connection(self) -> AbstractContextManager[Conn]: ...
    def source(self, name: str) -> Source: ...
    def target(self, name: str) -> Target: ...
    def account(self, name: str) -> Account: ...
    def executor(self, name: str) -> Executor: ...


@dataclass(frozen=True)
class ShownRequest:
    """One request as it will stand on the wire, without authorization."""

    step: str
    method: str
    url: str
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True)
class ShownDelivery:
    """One delivery: what it reads first, what it writes, and why it would not be sent."""

    flow: str
    name: str
    target: str
    kind: str
    needs: tuple[str, ...]
    reads: tuple[ShownRequest, ...] = ()
    writes: tuple[ShownRequest, ...] = ()
    nothing: str = ""  # already so, or the reason of a refusal
    mark: str = ""


@dataclass(frozen=True)
class Explained:
    """What one change will cause."""

    change: str
    kind: str
    outcome: str  # routed, echo, skipped, dead, open
    reason: str = ""
    detail: str = ""
    deliveries: tuple[ShownDelivery, ...] = ()


@dataclass
class Explanation:
    """What was looked at, and what follows from it."""

    looked_at: str
    changes: list[Explained] = field(default_factory=list)


def explain_object(world: Surroundings, system: str, obj: str, *, offline: bool = False) -> Explanation:
    """Read an object now, as ingest would, and explain every change that the ledger does not know yet."""
    if offline:
        raise CasebridgeError("an object is read at its source: leave out --offline, or explain a stored change")
    with world.connection() as conn:
        known = signals.known(conn, system, obj)
        open_ones = signals.open_of(conn, system, obj)
    reading = world.source(system).read(Pending(obj, tuple(open_ones), known), world.executor(system))
    return _explain(world, f"{system} {obj}", reading.changes, offline=offline)


def explain_change(world: Surroundings, change_id: int, *, offline: bool = False) -> Explanation:
    """Explain a stored change as if it were routed now; `offline` uses stored snapshots alone and renders no reads."""
    with world.connection() as conn:
        change = changes.get(conn, change_id)
    if change is None:
        raise CasebridgeError(f"there is no change {change_id}: `casebridge show` lists what an event became")
    return _explain(world, f"change {change_id}", [change], offline=offline)


def explain_record(world: Surroundings, record: bytes, *, offline: bool = False) -> Explanation:
    """Explain a change given as JSON (what `casebridge show change:N --json` prints under `record`)."""
    try:
        change = DECODE(record)
    except msgspec.ValidationError as error:
        raise CasebridgeError(
            f"found no change record ({error}), expected JSON as `casebridge show` prints it"
        ) from error
    return _explain(world, change.external_id, [change], offline=offline)


def _explain(world: Surroundings, looked_at: str, found: Sequence[Change], *, offline: bool) -> Explanation:
    with world.connection() as conn:
        preview_ = preview(conn, found, flows=world.flows, config=world.config)
    explanation = Explanation(looked_at)
    for change in found:
        ending = preview_.endings.get(change.external_id)
        mine = [d for d in preview_.deliveries if preview_.change_of[d.change_id] == change.external_id]
        shown = tuple(_shown(world, preview_, delivery, offline=offline) for delivery in mine)
        explanation.changes.append(
            Explained(
                f"{change.ref} {change.external_id}",
                change.kind.value,
                ending.state if ending else ChangeState.OPEN.value,
                (ending.reason or "") if ending else "waiting_settle",
                (ending.detail or "") if ending else "",
                shown,
            )
        )
    return explanation


def _shown(world: Surroundings, preview_: Preview, delivery: NewDelivery, *, offline: bool) -> ShownDelivery:
    names = {one.key: one.name for one in preview_.deliveries}
    blank = ShownDelivery(
        delivery.flow,
        delivery.name,
        delivery.target,
        str(delivery.operation.__struct_config__.tag),
        tuple(names[key] for key in delivery.needs if key in names),
        mark=mark_of(delivery.key),
    )
    work, target = _work(world, preview_, delivery), world.target(delivery.target)
    try:
        reads, facts = _facts(world, work, target, delivery.target, offline=offline)
        plan = target.plan(work, facts)
    except PermanentError as error:
        return replace(blank, nothing=f"{error.reason}: {error.detail}")
    account = world.account(delivery.target)
    writes = tuple(_request(request, account) for request in plan.requests)
    nothing = "" if writes else "already_so: the target is as wanted"
    return replace(blank, reads=tuple(_request(request, account) for request in reads), writes=writes, nothing=nothing)


def _facts(
    world: Surroundings, work: Work, target: Target, name: str, *, offline: bool
) -> tuple[tuple[Request, ...], Mapping[str, Any]]:
    """The reads of the facts plan and their answers; an object that does not exist yet cannot be read."""
    plan = target.facts(work)
    if not plan or offline or any("%7B%7B" in request.path or "{{" in request.path for request in plan.requests):
        return plan.requests, {}
    sent = world.executor(name).run(plan, judge=lambda request, answer: target.judge(work, request, answer))
    facts: dict[str, Any] = {**sent.outcome.learned, "answers": sent.answers}
    for step, answer in sent.answers.items():
        try:
            facts[step] = answer.json
        except ValueError:
            facts[step] = None
    return plan.requests, facts


def _work(world: Surroundings, preview_: Preview, delivery: NewDelivery) -> Work:
    links = {id_: successor(link, preview_.links) for id_, link in preview_.links.items()}
    return Work(
        operation=numbered(delivery.operation, links),
        delivery_id=0,
        idem_key=idem_key(delivery.key, 1),
        mark=mark_of(delivery.key),
        links=links,
        config=world.config,
        partner=world.config.partner(delivery.partner),
    )


def _request(request: Request, account: Account) -> ShownRequest:
    wire = show(request, account)
    return ShownRequest(request.step, wire.method, wire.url, dict(wire.headers), body_text(wire))

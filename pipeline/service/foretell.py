"""One delivery as the requests that it will send: reads first, then writes, open values as named slots (decisions D9).

The writer is the very one that dispatch uses. What only the sending can know stands as a slot: ids of objects that an
earlier delivery makes, upload tokens, and the guards (ETag, stamp) that every write moves.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Protocol
from urllib.parse import unquote

from pipeline.config import Config
from pipeline.connector import Account, Connector, Link, Source, Target, Work
from pipeline.errors import CasebridgeError, PermanentError
from pipeline.flow import Flow
from pipeline.http import Executor
from pipeline.http.show import body_text, show
from pipeline.plan import Answer, Outcome, Plan, Request, Slot, Verdict
from pipeline.store.pool import Conn

SLOT = re.compile(r"\{\{([^{}.]+)\.[^{}]+\}\}")
READ = frozenset({Verdict.DONE, Verdict.ALREADY, Verdict.AGAIN})
UNREAD = "depends on what the reads above will find"


class Surroundings(Protocol):
    """What `explain` needs of the composition root."""

    @property
    def connectors(self) -> Mapping[str, Connector]: ...
    @property
    def flows(self) -> Sequence[Flow]: ...
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
    """One delivery: what it reads first, then what it writes.

    `nothing` says why there are no writes. `state` is the standing of a stored delivery, empty for a foretold one.
    `sent` says that reads and writes are the record of its last attempt.
    """

    flow: str
    name: str
    target: str
    kind: str
    needs: tuple[str, ...] = ()
    reads: tuple[ShownRequest, ...] = ()
    writes: tuple[ShownRequest, ...] = ()
    nothing: str = ""
    mark: str = ""
    state: str = ""
    sent: bool = False
    assumed: bool = False  # the writes are told without the reads that they compare with


def foretell(world: Surroundings, blank: ShownDelivery, work: Work, *, offline: bool) -> ShownDelivery:
    """The delivery with its reads and writes; `offline` reads nothing, so a plan that compares cannot be told."""
    target, account = world.target(blank.target), world.account(blank.target)
    plan = target.facts(work)
    shown = replace(blank, reads=tuple(shown_request(request, account) for request in plan.requests))
    facts, failed = ({}, None) if offline or _waits(plan) else _read(world.executor(blank.target), target, work, plan)
    if failed is not None:
        return replace(shown, nothing=f"{failed.reason}: {failed.detail}")
    try:
        writes = target.plan(work, _guarded(facts, account.guard_members)).requests
    except (CasebridgeError, LookupError) as error:
        if plan and not facts:
            return replace(shown, nothing=UNREAD)
        if not isinstance(error, PermanentError):
            raise
        return replace(shown, nothing=f"{error.reason}: {error.detail}")
    if not writes:
        return replace(shown, nothing=UNREAD if plan and not facts else "already_so: the target is as wanted")
    told = tuple(shown_request(request, account) for request in writes)
    return replace(shown, writes=told, assumed=bool(plan) and not facts)


def foretold(links: Mapping[int, Link]) -> dict[int, Link]:
    """The links with slots for all that the making of a planned object will tell."""
    return {id_: _foretold(link) if link.external_id is None else link for id_, link in links.items()}


def shown_request(request: Request, account: Account) -> ShownRequest:
    """A planned request in its wire form."""
    wire = show(request, account)
    return ShownRequest(request.step, wire.method, wire.url, dict(wire.headers), body_text(wire))


def _foretold(link: Link) -> Link:
    name = f"{link.system}.{link.kind}"
    facts = {"key": f"{{{{{name}.key}}}}", **link.facts}
    return replace(link, external_id=link.slot, url=link.url or f"{{{{{name}.url}}}}", facts=facts)


def _waits(plan: Plan) -> bool:
    """Whether it reads an object that does not exist yet: a slot that no step of the plan itself fills."""
    own = {request.step for request in plan.requests}
    named = (step for request in plan.requests for step in SLOT.findall(unquote(request.path)))
    return any(step not in own for step in named)


def _read(executor: Executor, target: Target, work: Work, plan: Plan) -> tuple[Mapping[str, Any], Outcome | None]:
    """The answers of the facts plan, parsed as dispatch parses them; an outcome where they could not be had."""
    if not plan:
        return {}, None
    sent = executor.run(plan, judge=lambda request, answer: target.judge(work, request, answer))
    if sent.outcome.verdict not in READ:
        return {}, sent.outcome
    return {**{step: _json(answer) for step, answer in sent.answers.items()}, **sent.outcome.learned}, None


def _json(answer: Answer) -> Any:
    try:
        return answer.json
    except ValueError:
        return None


def _guarded(facts: Mapping[str, Any], members: Sequence[str]) -> dict[str, Any]:
    """The facts with slots in the place of guards: another write before this one moves them."""
    return {step: _slotted(value, members, step, "") for step, value in facts.items()}


def _slotted(value: Any, members: Sequence[str], step: str, path: str) -> Any:
    if isinstance(value, dict):
        return {
            name: str(Slot(step, path + name)) if name in members and item is not None
            else _slotted(item, members, step, f"{path}{name}.")
            for name, item in value.items()
        }  # fmt: skip
    if isinstance(value, list):
        return [_slotted(item, members, step, f"{path}{place}.") for place, item in enumerate(value)]
    return value

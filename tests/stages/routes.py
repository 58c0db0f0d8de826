"""Changes of a thread and flows as small as can be, for what transform does with both."""

from collections.abc import Callable, Iterable
from typing import Any

from pipeline.config import Config, Partner
from pipeline.connector import Signal
from pipeline.flow import Flow, Move, Opening, Planned, Situation, Step
from pipeline.stages.routing import Transformed
from pipeline.stages.transform import transform
from pipeline.store import signals
from pipeline.store.pool import Conn
from schemas.change import Change, ChangeKind, ObjectRef, Snapshot
from schemas.content import Author, Side, Text
from schemas.operation import Bind, Comment, Create
from tests.service.scenes import LEASE, NOON

CONFIG = Config(partners=(Partner("acme", "Acme"),))
THREAD = ObjectRef("trading_grid", "thread", "thr_9")
PARTNER = Author(Side.PARTNER, "u1", "Ann")
US = Author(Side.SYSTEM, "client:casebridge", ours=True)
Route = Callable[[Situation], Iterable[Step | Move]]


def change(name: str, kind: ChangeKind = ChangeKind.SAID, *, ref: ObjectRef = THREAD, **more: Any) -> Change:
    """One change of a thread, by a partner unless `author` says otherwise; its text is its name."""
    snapshot = Snapshot(ref, title=name, partner_hint=more.pop("partner_hint", "prt_1"), **more.pop("snapshot", {}))
    author = more.pop("author", PARTNER)
    return Change(name, kind, NOON, author, snapshot, Text(name), part_id=more.pop("part_id", f"p_{name}"), **more)


def read(conn: Conn, *found: Change) -> None:
    """Each object is read once and holds these changes."""
    for ref in dict.fromkeys(one.ref for one in found):
        name = f"{ref.kind}:{ref.external_id}"
        mine = [one for one in found if one.ref == ref]
        signals.receive(conn, [signals.Incoming(ref.system, Signal(f"{name}/{mine[0].external_id}", name), {})])
        opened = signals.claim(conn, ref.system, owner="me", lease=LEASE, limit=10)[0]
        with conn.transaction():
            signals.settle_object(conn, opened, mine, {})


def opens(found: Change, _config: Config) -> Iterable[Opening]:
    """Every thread is a case of its own."""
    return [Opening("acme", str(found.ref))] if found.kind is ChangeKind.OPENED else []


def route(situation: Situation) -> Iterable[Step | Move]:
    """A thread becomes an item that is bound to it; what is said there is said at the item."""
    found = situation.change
    if found.kind is ChangeKind.OPENED and situation.opened:
        item = Planned(-1, "gemini", "item")
        made = Create(link_id=-1, object_kind="item", title=Text(found.snapshot.title), partner="acme")
        yield Step("T", "create", "gemini", made, plans=item)
        bind = Bind(link_id=situation.here.id, counterpart_link_id=-1)
        yield Step("T", "bind", "trading_grid", bind, needs=("create",))
    elif found.kind is ChangeKind.SAID and found.text is not None:
        for link in situation.case.current("gemini", "item"):
            said = Comment(link_id=link.id, text=found.text, author=found.author, origin=found.external_id)
            yield Step("T", f"said_{link.id}", "gemini", said)


def flow(routing: Route = route, **more: Any) -> Flow:
    """The flow of these tests, or one that routes differently."""
    return Flow("T", "Test", "trading_grid", routing, more.pop("opens", opens), **more)


def transformed(conn: Conn, routing: Route = route, **more: Any) -> Transformed:
    """One batch."""
    return transform(conn, flows=[flow(routing, **more)], config=CONFIG, config_version=None)


def ends(conn: Conn) -> dict[str, str]:
    """change -> state, with its reason where it has one."""
    rows = conn.execute("select external_id, state, reason from change order by id").fetchall()
    return {name: f"{state}: {reason}" if reason else state for name, state, reason in rows}


def routed(conn: Conn) -> list[tuple[str, str]]:
    """(target, step) of all deliveries, in the order of their rows."""
    rows = conn.execute(
        "select l.target, d.name from delivery d join lane l on l.id = d.lane_id order by d.id"
    ).fetchall()
    return [(target, name.removeprefix("T.").partition("_")[0]) for target, name in rows]

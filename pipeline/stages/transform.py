"""Transform: changes -> case -> echo or routes -> deliveries, in one transaction and without any outside I/O.

What cannot be mapped ends as a dead letter that names what is missing, never as an exception in a log. A change whose
meaning depends on a write of ours that has not settled yet is left open for a moment.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.config import Config
from pipeline.connector import Link
from pipeline.flow import Flow
from pipeline.stages.routing import Routing, Transformed
from pipeline.store import changes, deliveries
from pipeline.store.changes import Broken, Ending, OpenChange
from pipeline.store.deliveries import NewDelivery
from pipeline.store.pool import AWAY, Conn, again
from schemas.change import Change


def transform(conn: Conn, *, flows: Sequence[Flow], config: Config, config_version: int | None) -> Transformed:
    """Route one batch of open changes (at most 200); call again while it ends any.

    Raises what the database raises when it is away. A change that fails for any other reason is a dead letter, with
    nothing left of what it had begun; to find it the batch is routed anew, one by one.
    """

    def route(items: Sequence[OpenChange | Broken]) -> tuple[Routing, Transformed]:
        with conn.transaction():
            run = Routing(conn, flows, config)
            for item in items:
                run.one(item)
            return run, run.write(config_version)

    def bury(item: OpenChange, error: Exception) -> tuple[Routing, Transformed]:
        run = Routing(conn, flows, config)
        run.bury(item, error)
        return run, run.write(config_version)

    def work() -> Transformed:
        with conn.transaction():
            if not changes.lock(conn):
                return Transformed(busy=True)
            batch = changes.take(conn)
            if not batch:
                return Transformed()
            try:
                return route(batch)[1]
            except AWAY:
                raise
            except Exception:  # noqa: BLE001 -- whatever it is, one change of the batch raised it: found one by one
                return _apart(batch, route, bury)

    return again(work)


def _apart(
    batch: Sequence[OpenChange | Broken],
    route: Callable[[Sequence[OpenChange | Broken]], tuple[Routing, Transformed]],
    bury: Callable[[OpenChange, Exception], tuple[Routing, Transformed]],
) -> Transformed:
    out, held = Transformed(), set[tuple[str, str]]()
    for item in batch:
        if (item.source, item.object) in held:
            continue
        try:
            run, done = route([item])
        except AWAY:
            raise
        except Exception as error:  # noqa: BLE001 -- a poison change must end as a dead letter, not stop the others
            assert isinstance(item, OpenChange)
            run, done = bury(item, error)
        held |= run.held
        out.add(done)
    return out


@dataclass(frozen=True)
class Preview:
    """What routing these changes would do: nothing of it was kept."""

    endings: Mapping[str, Ending]  # by the change's external id; missing: left open
    deliveries: tuple[NewDelivery, ...]
    change_of: Mapping[int, str]
    links: Mapping[int, Link]


def preview(conn: Conn, found: Sequence[Change], *, flows: Sequence[Flow], config: Config) -> Preview:
    """Route changes in a transaction that is rolled back: the same code, no trace (decisions D9)."""
    with conn.transaction(force_rollback=True):
        run = Routing(conn, flows, config)
        items = [
            OpenChange(-n, one.ref.system, f"{one.ref.kind}:{one.ref.external_id}", one.external_id, one, one.at)
            for n, one in enumerate(found, start=1)
        ]
        for item in items:
            run.alone(item)
        names = {item.id: item.external_id for item in items}
        endings = {names[ending.id]: ending for ending in run.endings}
        new = deliveries.without_superseded(run.new)
        cases = {delivery.case_id for delivery in new}
        links = {link.id: link for case_id in cases for link in run.book.view(case_id).links}
        return Preview(endings, tuple(new), names, links)

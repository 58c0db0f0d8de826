"""What becomes of a create that was refused for good: told as a change of its source, so that a flow can ask a person.

The deliveries of a flow are planned up front and none is made up in a settle (decisions D4); a refusal is news.
"""

from collections.abc import Iterable

from msgspec import structs

from pipeline.stages.settling import Finished
from pipeline.store import changes
from pipeline.store.pool import Conn
from schemas.change import Change, ChangeKind
from schemas.content import Author, Side
from schemas.operation import OperationKind


def tell(conn: Conn, finished: Iterable[Finished]) -> bool:
    """Append a REFUSED change for each dead create, in the settle's transaction; True when there was one."""
    told = [pair for item in finished if (pair := _refused(conn, item)) is not None]
    for cause, change in told:
        changes.append(conn, cause, change)
    return bool(told)


def _refused(conn: Conn, item: Finished) -> tuple[int, Change] | None:
    """The change that caused the create, and what there is to tell of it."""
    held = item.held
    if not item.dead or item.delivered is None or held.change_id is None:
        return None
    if held.kind != OperationKind.CREATE.value:
        return None
    cause = changes.get(conn, held.change_id)
    if cause is None:
        return None
    reason = item.delivered.outcome.reason
    why = f"{reason.sentence} {reason.next_step}"
    change = structs.replace(
        cause,
        external_id=f"refused:{held.key}",  # however often it is requeued and refused again: asked once
        kind=ChangeKind.REFUSED,
        author=Author(Side.SYSTEM, name="casebridge"),
        text=None,
        part_id=None,
        files=(),
        marks=(),
        details={"flow": held.flow, "target": item.system, "partner": held.partner, "reason": reason.value, "why": why},
    )
    return held.change_id, change

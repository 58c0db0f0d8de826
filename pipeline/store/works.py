"""What a held delivery needs beside its operation: the case's links, parts left before, the change it came from."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from pipeline.store import sql
from pipeline.store.pool import Conn
from schemas.change import Change
from schemas.operation import AnyOperation

SQL = sql.load("works")
DECODE = msgspec.json.Decoder(Change).decode
OPERATION = msgspec.json.Decoder(AnyOperation).decode

Parts = dict[tuple[int, str], tuple[tuple[str, str], ...]]


def parts(conn: Conn, system: str, wanted: Sequence[tuple[int, str]]) -> Parts:
    """(case, origin) -> the parts that we left at the system for that origin."""
    if not wanted:
        return {}
    params = {"cases": [c for c, _ in wanted], "origins": [o for _, o in wanted], "system": system}
    found: Parts = {}
    for case_id, origin, kind, external_id in conn.execute(SQL["parts"], params).fetchall():
        found[case_id, origin] = (*found.get((case_id, origin), ()), (kind, external_id))
    return found


def changes(conn: Conn, ids: Sequence[int], *, stale_seconds: float) -> dict[int, tuple[Change, bool]]:
    """change id -> (the change, whether its snapshot is older than `stale_seconds`)."""
    if not ids:
        return {}
    rows = conn.execute(SQL["changes"], {"ids": list(ids), "seconds": stale_seconds}).fetchall()
    return {id_: (DECODE(bytes(record)), stale) for id_, record, stale in rows}


def recipes(conn: Conn, ids: Sequence[int]) -> dict[int, tuple[AnyOperation, UUID]]:
    """delivery id -> (operation, key): what, with its case's links, makes a stored delivery's plan."""
    rows = conn.execute(SQL["recipes"], {"ids": list(ids)}).fetchall()
    return {id_: (OPERATION(bytes(operation)), key) for id_, operation, key in rows}


def named_in_needs(conn: Conn, cases: Sequence[int], ids: Sequence[int]) -> set[int]:
    """Those of the deliveries that another one of the same case needs."""
    params = {"cases": list(cases), "ids": list(ids)}
    return {row[0] for row in conn.execute(SQL["named_in_needs"], params).fetchall()}

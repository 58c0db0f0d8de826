"""States and moves: the enum, the CHECK, the transition table and the trigger say the same."""

import re
from enum import StrEnum

import psycopg
import pytest

from pipeline.domain import states
from pipeline.store.pool import connect

TABLES: dict[str, type[StrEnum]] = {
    "signal": states.SignalState,
    "change": states.ChangeState,
    "delivery": states.DeliveryState,
    "dead_letter": states.DeadLetterState,
    "link": states.LinkState,
}


@pytest.mark.parametrize(("table", "enum"), TABLES.items())
def test_check_allows_exactly_the_states_of_the_enum(database_url: str, table: str, enum: type[StrEnum]) -> None:
    """The CHECK of a table lists the enum's values, no more and no fewer."""
    with connect(database_url) as conn:
        row = conn.execute(
            "select pg_get_constraintdef(oid) from pg_constraint where conrelid = %s::regclass and contype = 'c'"
            " and pg_get_constraintdef(oid) like '%%state%%ANY%%'",
            (f"casebridge.{table}",),
        ).fetchone()
    assert row is not None
    assert set(re.findall(r"'(\w+)'::text", row[0])) == {state.value for state in enum}


def test_transition_table_equals_the_code(database_url: str) -> None:
    """Every move in the database stands in `MOVES` and the other way round."""
    with connect(database_url) as conn:
        stored = set(conn.execute("select entity, before, after from state_move").fetchall())
    named = {enum: table for table, enum in TABLES.items()}
    coded = {
        (named[enum], before.value, after.value)
        for enum, moves in states.MOVES.items()
        for before, afters in moves.items()
        for after in afters
    }
    assert stored == coded


def test_a_move_that_the_table_does_not_know_is_refused(database_url: str) -> None:
    """An expanded signal never opens again, whoever tries."""
    with connect(database_url) as conn:
        conn.execute("insert into signal (source, key, object, via, state) values ('s', 'k', 'o', 'poll', 'expanded')")
        with pytest.raises(psycopg.errors.CheckViolation, match="cannot go from expanded to open"):
            conn.execute("update signal set state = 'open'")


@pytest.mark.parametrize(
    "statement", ["update audit set actor = 'somebody else'", "delete from audit", "truncate audit"]
)
def test_audit_is_append_only(database_url: str, statement: str) -> None:
    """Nobody changes, removes or empties the audit trail, the table's owner included."""
    with connect(database_url) as conn:
        conn.execute("insert into audit (actor, action, subject) values ('anna', 'requeued', 'dead_letter:1')")
        with pytest.raises(psycopg.errors.RestrictViolation, match="append only"):
            conn.execute(statement.encode())

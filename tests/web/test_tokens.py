"""API tokens and depths, against a real database."""

from pipeline.store import depths, tokens
from pipeline.store.pool import Conn
from pipeline.store.tokens import Role


def test_token_is_shown_once(ledger: Conn) -> None:
    """Only a hash is kept, so nobody can show a token again; making one is in the audit trail."""
    number, token = tokens.create(ledger, name="sidebar", role=Role.VIEWER, actor="anna")
    caller = tokens.verify(ledger, token)
    assert caller is not None
    assert (caller.id, caller.name, caller.role) == (number, "sidebar", Role.VIEWER)
    stored = ledger.execute("select t::text from api_token t").fetchone()
    assert stored is not None
    assert token not in stored[0]
    assert ledger.execute("select actor, action, subject from audit").fetchall() == [
        ("anna", "token_created", f"token:{number}")
    ]


def test_unknown_tokens(ledger: Conn) -> None:
    """Anything else is nobody, whatever characters it has."""
    for text in ("", "casebridge_x", "\x00", "\ud800", "x" * 100_000):
        assert tokens.verify(ledger, text) is None


def test_last_use_is_noted_once_a_minute(ledger: Conn) -> None:
    """The second use within a minute writes nothing; a later one does."""
    _, token = tokens.create(ledger, name="sidebar", role=Role.VIEWER, actor="anna")
    tokens.verify(ledger, token)
    ledger.execute("update api_token set last_used_at = last_used_at - interval '30 seconds'")
    before = tokens.listed(ledger)[0].last_used_at
    tokens.verify(ledger, token)
    assert tokens.listed(ledger)[0].last_used_at == before
    ledger.execute("update api_token set last_used_at = last_used_at - interval '31 seconds'")
    tokens.verify(ledger, token)
    assert before is not None
    assert tokens.listed(ledger)[0].last_used_at > before  # type: ignore[operator]  # noted just now


def test_revoke(ledger: Conn) -> None:
    """Revoking ends a token once; the list still shows it."""
    number, token = tokens.create(ledger, name="sidebar", role=Role.ADMIN, actor="anna")
    assert tokens.revoke(ledger, number, actor="ben")
    assert not tokens.revoke(ledger, number, actor="ben")
    assert tokens.verify(ledger, token) is None
    assert tokens.listed(ledger)[0].revoked_at is not None


def test_roles() -> None:
    """viewer < operator < admin."""
    allowed = {(role, needed) for role in Role for needed in Role if role.may_act_as(needed)}
    assert allowed == {
        (Role.VIEWER, Role.VIEWER),
        (Role.OPERATOR, Role.VIEWER), (Role.OPERATOR, Role.OPERATOR),
        (Role.ADMIN, Role.VIEWER), (Role.ADMIN, Role.OPERATOR), (Role.ADMIN, Role.ADMIN),
    }  # fmt: skip


def test_depths(ledger: Conn) -> None:
    """Lanes are counted by what they wait for; idle ones and other targets do not count."""
    ledger.execute("insert into target (name) values ('gemini'), ('zendesk')")
    ledger.execute("insert into partner_case (partner, case_key) select 'acme', n::text from generate_series(1, 6) n")
    ledger.execute(
        "insert into lane (target, case_id, partner, tail, due, nonce)"
        " select 'gemini', id, 'acme', 1, casebridge.now() + make_interval(secs => s), nonce from partner_case"
        " join (values (1, -100, null::bigint), (2, -5, null), (3, 50, 7), (4, 50, null), (5, -1, 9)) v (n, s, nonce)"
        " on n::text = case_key"
    )
    ledger.execute("insert into lane (target, case_id, partner) select 'gemini', max(id), 'acme' from partner_case")
    gemini, zendesk = depths.read(ledger).targets
    assert (gemini.name, gemini.waiting, gemini.held, gemini.later) == ("gemini", 3, 1, 1)
    assert gemini.oldest_seconds is not None
    assert 100 <= gemini.oldest_seconds < 160
    assert (zendesk.waiting, zendesk.oldest_seconds) == (0, None)

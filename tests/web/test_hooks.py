"""Receivers: what is refused, what is kept, and that nothing in between happens."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import requests

from pipeline.store.pool import Conn
from tests.web.served import (
    GEMINI_TOKEN,
    Serve,
    Served,
    count,
    ticket,
    trading_grid_headers,
    until,
    zendesk_headers,
)

EVENT = json.dumps({"id": "evt_1", "type": "case.updated"}).encode()
ITEM = json.dumps({"Issue": {"Id": 4711}}).encode()


def test_zendesk_signed(served: Served, ledger: Conn) -> None:
    """A rightly signed webhook is stored byte for byte, answered 202, and its source is rung."""
    body = ticket(7)
    answer = served.post("/hooks/zendesk", body, zendesk_headers(body))
    assert (answer.status_code, answer.json()) == (202, {"status": "stored"})
    row = ledger.execute("select s.source, s.object, i.raw from signal s join inbox i on i.signal_id = s.id").fetchone()
    assert row == ("zendesk", "ticket:7", body)
    until(lambda: served.hints.woken == ["ingest.zendesk"], "the source is rung")


def test_trading_grid_signed(served: Served, ledger: Conn) -> None:
    """Standard Webhooks of the community wake its poll."""
    answer = served.post("/hooks/trading-grid", EVENT, trading_grid_headers(EVENT))
    assert answer.status_code == 202
    assert ledger.execute("select source, object, key from signal").fetchone() == ("trading_grid", "*", "hook:msg_1")


@pytest.mark.parametrize("token", [GEMINI_TOKEN, "the-one-before"])
def test_gemini_token(serve: Serve, ledger: Conn, token: str) -> None:
    """The unsigned wake-up is taken at its secret address, also at the one before while it is changed."""
    served = serve(GEMINI_WEBHOOK_TOKEN_PREVIOUS="the-one-before")
    assert served.post(f"/hooks/gemini/{token}", ITEM).status_code == 202
    assert ledger.execute("select source, object from signal").fetchone() == ("gemini", "item:4711")


def test_gemini_wrong_path(served: Served, ledger: Conn) -> None:
    """Any other address does not exist, and its body is not kept; an unset previous token opens nothing."""
    for path in ("gemini", "gemini/", "gemini/wrong", f"gemini/{GEMINI_TOKEN}x", "gemini/%F0%9F%98%80", "gemini/%20"):
        assert served.post(f"/hooks/{path}", ITEM).status_code == 404, path
    assert count(ledger, "signal") == 0


ZENDESK = ticket(7)
GOOD = zendesk_headers(ZENDESK)
SIGNATURE, STAMP = "X-Zendesk-Webhook-Signature", "X-Zendesk-Webhook-Signature-Timestamp"


WRONG = {
    "none": {},
    "no timestamp": {SIGNATURE: GOOD[SIGNATURE]},
    "truncated": {**GOOD, SIGNATURE: GOOD[SIGNATURE][:-4]},
    "not ascii": {**GOOD, SIGNATURE: "ä" * 44},
    "empty": {**GOOD, SIGNATURE: ""},
    "empty secret": zendesk_headers(ZENDESK, secret=""),
    "another secret": zendesk_headers(ZENDESK, secret="another"),
    "another body": zendesk_headers(ZENDESK + b" "),
    "another scheme": trading_grid_headers(ZENDESK),
}


def test_zendesk_refused(served: Served, ledger: Conn) -> None:
    """A wrong signature in whatever form is 401, which tells nothing and stores nothing."""
    for name, headers in WRONG.items():
        encoded = {header: value.encode("latin-1") for header, value in headers.items()}
        answer = requests.post(f"{served.url}/hooks/zendesk", data=ZENDESK, headers=encoded, timeout=15)
        assert (answer.status_code, answer.json()) == (401, {"status": "refused"}), name
    assert count(ledger, "signal") == 0


def test_doubled_header(served: Served, ledger: Conn) -> None:
    """Two of a header that the signature rests on are refused, even when both are right."""
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        assert doubled(served, name).startswith(b"HTTP/1.1 401 "), name
    assert count(ledger, "signal") == 0


def doubled(served: Served, name: str) -> bytes:
    """The answer to a rightly signed webhook with one header twice."""
    headers = [*trading_grid_headers(EVENT).items()]
    headers += [(it, value) for it, value in headers if it == name]
    lines = "".join(f"{it}: {value}\r\n" for it, value in headers)
    head = f"POST /hooks/trading-grid HTTP/1.1\r\nHost: x\r\nContent-Length: {len(EVENT)}\r\n{lines}\r\n"
    with served.connect() as peer:
        peer.sendall(head.encode() + EVENT)
        return peer.recv(4096)


def test_stale_timestamp(served: Served) -> None:
    """A good signature outside of the window is refused; five minutes hold on both sides (decisions D20)."""
    for minutes, status in ((6, 401), (-6, 401), (4, 202), (-4, 202)):
        headers = trading_grid_headers(EVENT, age=timedelta(minutes=minutes))
        assert served.post("/hooks/trading-grid", EVENT, headers).status_code == status, minutes


def test_window_is_the_databases(serve: Serve, ledger: Conn) -> None:
    """The window is measured by the database's clock: where that one is an hour ahead, a fresh stamp is stale."""
    ledger.execute(
        "create or replace function casebridge.now() returns timestamptz language sql stable"
        " as $$ select clock_timestamp() + interval '1 hour' $$"
    )
    served = serve()
    assert served.post("/hooks/trading-grid", EVENT, trading_grid_headers(EVENT)).status_code == 401
    ahead = trading_grid_headers(EVENT, age=timedelta(hours=-1))
    assert served.post("/hooks/trading-grid", EVENT, ahead).status_code == 202


def test_duplicate_in_parallel(served: Served, ledger: Conn) -> None:
    """A hundred copies at once are a hundred 202 and one signal."""
    body = ticket(9)
    headers = zendesk_headers(body)
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: served.post("/hooks/zendesk", body, headers).status_code, range(100)))
    assert answers == [202] * 100
    assert (count(ledger, "signal"), count(ledger, "inbox")) == (1, 1)


def test_unreadable(served: Served, ledger: Conn) -> None:
    """What is rightly signed but not understood is kept whole, answered 202, and is one dead letter, also repeated."""
    body = b'{"neither": "\xff\xfe'
    for _ in range(2):
        assert served.post("/hooks/zendesk", body, zendesk_headers(body)).status_code == 202
    rows = ledger.execute(
        "select d.queue, d.reason, s.state, i.raw from dead_letter d join signal s on s.id = d.signal_id"
        " join inbox i on i.signal_id = s.id"
    ).fetchall()
    assert rows == [("ingest", "unreadable", "dead", body)]
    until(lambda: len(served.hints.letters) == 1, "the dead letter is queued once")


def test_odd_keys(served: Served, ledger: Conn) -> None:
    """An event id that PostgreSQL cannot hold is stored under its hash, and its repeat is still the same signal."""
    keys = ("a\x00b", "\ud800", "x" * 199, "😀" * 60)
    for key in keys * 2:
        body = ticket(3, id=key)
        assert served.post("/hooks/zendesk", body, zendesk_headers(body)).status_code == 202
    assert count(ledger, "signal") == len(keys)


def test_no_secret_kept(served: Served, ledger: Conn) -> None:
    """Headers are kept beside the bytes, without signature, cookie, authorization or the address's secret."""
    secrets = {"Authorization": "Bearer hidden-1", "Cookie": "hidden-2", "X-Forwarded-Uri": f"/hooks/{GEMINI_TOKEN}"}
    served.post(f"/hooks/gemini/{GEMINI_TOKEN}", ITEM, {**secrets, "User-Agent": "Countersoft"})
    body = ticket(5)
    served.post("/hooks/zendesk", body, {**zendesk_headers(body), **secrets})
    kept = [row[0] for row in ledger.execute("select headers from inbox order by signal_id").fetchall()]
    assert kept[0]["user-agent"] == "Countersoft"
    text = json.dumps(kept)
    assert "hidden" not in text
    assert GEMINI_TOKEN not in text
    assert zendesk_headers(body)[SIGNATURE] not in text


def test_hints_never_matter(served: Served, ledger: Conn) -> None:
    """A broker gone mad changes no answer, and later hints are sent all the same."""
    served.hints.broken = True
    first, second = ticket(1), ticket(2)
    assert served.post("/hooks/zendesk", first, zendesk_headers(first)).status_code == 202
    served.hints.broken = False
    assert served.post("/hooks/zendesk", second, zendesk_headers(second)).status_code == 202
    until(lambda: served.hints.woken, "the second is rung")
    assert count(ledger, "signal") == 2


def test_other_methods(served: Served) -> None:
    """Only POST is a webhook; a browser that follows the link gets a clear answer."""
    for method in ("GET", "PUT", "HEAD", "OPTIONS"):
        assert requests.request(method, served.url + "/hooks/zendesk", timeout=15).status_code == 405, method

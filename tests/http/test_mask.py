"""No secret in anything that is recorded (F52): a canary is planted everywhere and searched for everywhere."""

import base64
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.answers import judge_by_status
from pipeline.http import Exchange
from pipeline.http.mask import BODY_CAP, Masker, without_members
from pipeline.plan import Plan, Request, Slot
from pipeline.tokens import Tokens
from tests.http.conftest import MakeExecutor
from tests.http.server import Handler, Seen, Server, answering

CANARY = 'cAnary/secret"42'
BASIC = "Basic " + base64.b64encode(f"agent/token:{CANARY}".encode()).decode()


def echo(handler: Handler, seen: Seen) -> None:
    """A server that says everything back, as debugging pages do."""
    said = {"headers": dict(seen.headers), "target": seen.target, "body": seen.body.decode(), "plain": CANARY}
    handler.answer(500, json.dumps(said).encode())


@pytest.mark.parametrize("header", [("authorization", BASIC), ("x-api-key", CANARY)])
def test_the_canary_is_nowhere(server: Server, make: MakeExecutor, header: tuple[str, str]) -> None:
    """Given a canary as log-in, in the query and in the body, and a server that says it all back, nothing shows it."""
    server.scripts["/api/v2/x"] = echo
    recorded: list[Exchange] = []
    executor = make({"record": recorded.append}, headers=dict([header]))
    body = {"ApiKey": CANARY, "nested": [{"client_secret": CANARY, "text": f"it is {CANARY}"}], "text": "plain"}
    request = Request("x", "POST", "/x", query=(("access_token", CANARY), ("q", "plain")), body=body)
    sent = executor.run(Plan("desk", (request,)), judge=judge_by_status)
    shown = repr(sent.exchanges) + repr(recorded) + sent.outcome.detail
    for spelling in (CANARY, json.dumps(CANARY)[1:-1], "cAnary%2Fsecret%2242", BASIC.removeprefix("Basic "), "cAnary"):
        assert spelling not in shown
    assert "plain" in sent.exchanges[0].request_body
    assert "500" in sent.outcome.detail
    assert "q=plain" in sent.exchanges[0].url


def test_access_tokens_are_masked_and_their_log_in_is_not_recorded(server: Server, make: MakeExecutor) -> None:
    """Given a log-in by tokens, neither the client's secret nor the token stands in any exchange."""
    server.scripts["/oauth"] = answering(200, {"access_token": "tok-" + "z" * 20, "expires_in": 3600})
    server.scripts["/api/v2/x"] = echo
    token = Request("token", "POST", "/oauth", root=True, body={"client_secret": CANARY, "grant_type": "any"})
    executor = make({"tokens": Tokens(None, "key")}, token=token)
    sent = executor.run(Plan("desk", (Request("x", "POST", "/x", body={"n": CANARY}),)), judge=judge_by_status)
    assert server.seen[1].headers["authorization"].startswith("Bearer tok-")
    assert len(sent.exchanges) == 1
    assert "tok-" not in repr(sent.exchanges)
    assert "cAnary" not in repr(sent.exchanges)


def test_a_token_met_on_the_way_is_remembered(server: Server, make: MakeExecutor) -> None:
    """An upload token out of one answer is masked in the next request, where its member has another name."""
    server.scripts["/api/v2/uploads"] = answering(201, {"upload": {"token": "upl0adt0ken"}})
    use = Request("use", "POST", "/use", body={"uploads": [Slot("upload", "upload.token")]})
    plan = Plan("desk", (Request("upload", "POST", "/uploads", body={}), use))
    sent = make().run(plan, judge=judge_by_status)
    assert "upl0adt0ken" in server.seen[1].body.decode()
    assert "upl0adt0ken" not in repr(sent.exchanges)


def test_an_outcome_names_no_secret(server: Server, make: MakeExecutor) -> None:
    """Given a connection error, its words hold neither the query nor the log-in."""
    request = Request("x", "POST", "/x", query=(("token", CANARY),), body={})
    executor = make(root_url="http://127.0.0.1:1", headers={"authorization": BASIC})
    assert "cAnary" not in repr(executor.run(Plan("desk", (request,)), judge=judge_by_status))


def test_recorded_bodies_are_capped(server: Server, make: MakeExecutor) -> None:
    """A record holds 16 kB of a body, and a secret that lies across the cut is gone all the same."""
    filler = "x" * (BODY_CAP - 20)
    shown = Masker([]).body(json.dumps({"a": filler, "token": "s3cret" * 10}).encode())
    assert len(shown) <= BODY_CAP
    assert "s3c" not in shown


@given(st.text(min_size=6, max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_a_known_secret_never_survives(secret: str, before: str, after: str) -> None:
    """Whatever stands around it, plain or as JSON."""
    masker = Masker([secret])
    assert secret not in masker.text(before + secret + after).replace("***", "")
    assert json.dumps(secret)[1:-1] not in masker.body(json.dumps({"t": secret}).encode())


def test_masking_a_hostile_body_takes_no_time() -> None:
    """Given text made to lead the patterns astray, 16 kB are masked well within a tenth of the process's time."""
    hostile = (b"?token" * 4000, b'token"' * 4000, b"token" * 5000, b'"token":"\\' * 3000, b"?" * 20000, b"a=" * 9000)
    started = time.process_time()
    for body in hostile:
        Masker([]).body(body)
    assert time.process_time() - started < 30  # only an exponential pattern gets there


def test_secret_members_are_dropped_from_answers(server: Server, make: MakeExecutor) -> None:
    """Gemini shows users with their keys: such members are gone before anyone sees the answer."""
    users = {"users": [{"Id": 1, "ApiKey": CANARY, "more": {"Password": CANARY}}]}
    server.scripts["/api/v2/users"] = answering(200, users)
    answer = make(secret_members=("ApiKey", "Password")).get(Request("users", "GET", "/users"))
    assert answer.json == {"users": [{"Id": 1, "more": {}}]}


def test_what_cannot_be_searched_is_dropped_whole() -> None:
    """A body with the name of a secret member in it that is no JSON is shown to nobody."""
    assert without_members(b"<html>ApiKey: 42", ("ApiKey",)) == b""
    assert without_members(b"<html>", ("ApiKey",)) == b"<html>"

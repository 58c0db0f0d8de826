"""What is read: readiness, metrics, the API, the page; and who may read it."""

import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipeline.store import signals, targets, tokens
from pipeline.store.pool import Conn
from pipeline.store.tokens import Role
from tests.web.served import GEMINI_TOKEN, Serve, Served, ticket, until, zendesk_headers
from workers.web.settings import WebSettings
from workers.web.views import age

FORWARDED = {"X-Forwarded-For": "203.0.113.9"}


def bury_one(conn: Conn) -> None:
    """One dead letter of the queue `ingest`."""
    signals.bury(conn, "gemini", "k", b"<xml>", {}, detail="<b>no JSON</b>")


def test_health(served: Served) -> None:
    """The process serves."""
    assert served.get("/healthz").json() == {"status": "ok"}


def test_ready(served: Served) -> None:
    """Everything is in place."""
    answer = served.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "missing": {}, "degraded": {}})


def test_not_ready_before_first_polls(serve: Serve, ledger: Conn) -> None:
    """Each source must have a cursor first (decisions D20); signals are taken meanwhile."""
    served = serve(cursors=False)
    missing = served.get("/readyz").json()["missing"]
    assert set(missing) == {"cursor.gemini", "cursor.trading_grid", "cursor.zendesk"}
    assert served.post(f"/hooks/gemini/{GEMINI_TOKEN}", b"{}").status_code == 202
    for name in served.world.connectors:
        signals.move_cursor(ledger, name, {})
    until(lambda: served.get("/readyz").status_code == 200, "it becomes ready")


def test_not_ready_without_migrations(serve: Serve, ledger: Conn) -> None:
    """A migration that is not applied keeps it from being ready, by name of the command."""
    served = serve()
    ledger.execute("delete from schema_migration")
    missing = until(lambda: served.get("/readyz").json()["missing"], "it notices")
    assert missing["migrations"].endswith("run `casebridge migrate`")


def test_not_ready_without_configuration(serve: Serve, ledger: Conn) -> None:
    """A configuration that this version cannot load is named; its sources stay as they were."""
    served = serve()
    ledger.execute("insert into config_version (sha256, text, applied_by) values ('x', 'version: 99', 'test')")
    ledger.execute("update config_active set version = (select max(version) from config_version)")
    until(lambda: "configuration" in served.get("/readyz").json()["missing"], "it notices")
    body = ticket(1)
    assert served.post("/hooks/zendesk", body, zendesk_headers(body)).status_code == 202


def test_not_ready_while_a_child_restarts(serve: Serve) -> None:
    """Where somebody supervises processes, one that is down is named (decisions D14)."""
    states = {"beat": "restarting", "dispatch": "running"}
    served = serve(children=lambda: states)
    assert served.get("/readyz").json()["missing"] == {"process.beat": "restarting"}
    states["beat"] = "running"
    until(lambda: served.get("/readyz").status_code == 200, "it is back")


def test_broker_down(serve: Serve) -> None:
    """Redis down is named and harms nothing: signals are stored, readiness and metrics answer."""
    served = serve(REDIS_URL="redis://127.0.0.1:1/0")
    answer = served.get("/readyz")
    assert (answer.status_code, list(answer.json()["degraded"])) == (200, ["broker"])
    body = ticket(1)
    assert served.post("/hooks/zendesk", body, zendesk_headers(body)).status_code == 202
    assert served.get("/metrics").status_code == 200
    assert "Redis does not answer." in served.get("/").text


def test_metrics(served: Served, ledger: Conn) -> None:
    """Depths, ages, dead letters, states and what came in, in Prometheus' format and under the agreed names."""
    bury_one(ledger)
    targets.pause(ledger, "zendesk", paused=True, actor="test", reason="maintenance")
    body = ticket(1)
    served.post("/hooks/zendesk", body, zendesk_headers(body))
    served.post("/hooks/zendesk", body, {})
    text = served.get("/metrics").text
    found = {
        (sample.name, frozenset(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert found["casebridge_queue_depth", frozenset({"ingest"})] == 1
    assert found["casebridge_queue_depth", frozenset({"dispatch.gemini"})] == 0
    assert found["casebridge_dead_letters", frozenset({"ingest", "unreadable"})] == 1
    assert found["casebridge_target_state", frozenset({"zendesk", "paused"})] == 1
    assert found["casebridge_target_state", frozenset({"gemini", "flowing"})] == 1
    assert found["casebridge_ingest_events_total", frozenset({"zendesk", "webhook", "stored"})] == 1
    assert found["casebridge_ingest_events_total", frozenset({"zendesk", "webhook", "refused"})] == 1
    assert found["casebridge_broker_messages", frozenset({"dead.zendesk"})] == 0
    assert ("casebridge_queue_oldest_age_seconds", frozenset({"transform"})) in found


def test_who_sees_metrics(serve: Serve) -> None:
    """Near peers do; what a router forwards does not come from near, and needs the token."""
    served = serve(settings=WebSettings(metrics_token="scrape-me"))
    assert served.get("/metrics").status_code == 200
    assert served.get("/metrics", headers=FORWARDED).status_code == 401
    for token, status in (("", 401), ("wrong", 401), ("scrape-me", 200)):
        headers = {**FORWARDED, "Authorization": f"Bearer {token}"}
        assert served.get("/metrics", headers=headers).status_code == status, token


def test_no_metrics_token_is_no_token(served: Served) -> None:
    """Where no token is set, an empty one opens nothing."""
    assert served.get("/metrics", headers={**FORWARDED, "Authorization": "Bearer "}).status_code == 401


def test_api_refuses_strangers(served: Served) -> None:
    """Without a valid token the API is closed, also to near peers, and says how to get in."""
    for header in (None, "Bearer nonsense", "Basic dXNlcjpwYXNz", "Bearer", "Bearer a b"):
        answer = served.get("/api/v1/status", headers={"Authorization": header} if header else {})
        assert answer.status_code == 401, header
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_api_status(served: Served, ledger: Conn) -> None:
    """A viewer's token shows everything at a glance; each dead letter names the command to use next."""
    bury_one(ledger)
    _, token = tokens.create(ledger, name="dashboard", role=Role.VIEWER, actor="test")
    answer = served.get("/api/v1/status", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    letter = answer.json()["dead_letters"][0]
    assert (letter["queue"], letter["count"], letter["reason"]) == ("ingest", 1, "unreadable")
    assert letter["command"] == "casebridge dead list --target ingest --reason unreadable"


def test_revoked_token(served: Served, ledger: Conn) -> None:
    """A revoked token is worth nothing from the next request on."""
    number, token = tokens.create(ledger, name="dashboard", role=Role.ADMIN, actor="test")
    headers = {"Authorization": f"Bearer {token}"}
    assert served.get("/api/v1/status", headers=headers).status_code == 200
    assert tokens.revoke(ledger, number, actor="test")
    assert served.get("/api/v1/status", headers=headers).status_code == 401


def test_page(served: Served, ledger: Conn) -> None:
    """The page shows targets and dead letters with what to do, encoded, without a script, under a strict policy."""
    bury_one(ledger)
    ledger.execute(
        "update target set detail = '<script>alert(1)</script>', reason = 'x', paused = true where name = 'gemini'"
    )
    answer = served.get("/")
    assert answer.status_code == 200
    assert "Trading Grid" in answer.text
    assert "casebridge dead list --target ingest --reason unreadable" in answer.text
    assert "&lt;script&gt;" in answer.text
    assert "<script" not in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Strict-Transport-Security" not in answer.headers


def test_page_links(serve: Serve) -> None:
    """Flower's address stands on the page where it is known; behind https browsers are told to stay there."""
    settings = WebSettings(flower_url="http://127.0.0.1:5555", public_url="https://bridge.example")
    answer = serve(settings=settings).get("/")
    assert '<a href="http://127.0.0.1:5555"' in answer.text
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_page_is_for_near_peers(served: Served) -> None:
    """What a router forwards from outside does not see the page."""
    assert served.get("/", headers=FORWARDED).status_code == 403


def test_unknown_paths(served: Served) -> None:
    """Unknown addresses are 404 as a problem, never a redirect."""
    for path in ("/nothing", "/hooks", "/hooks/unknown", "/api/v1/nothing", "/hooks/zendesk/"):
        answer = served.get(path, allow_redirects=False)
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json"), path


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "–"), (-1, "0 s"), (59, "59 s"), (60, "1 min"), (7200, "2 h"), (172_800, "2 d")]
)
def test_age(seconds: float | None, text: str) -> None:
    """Ages as people say them."""
    assert age(seconds) == text


def test_style_matches_page(served: Served) -> None:
    """The page's only file is served."""
    href = re.search(r'href="(/static/[^"]+)"', served.get("/").text)
    assert href is not None
    assert served.get(href[1]).headers["Content-Type"].startswith("text/css")

"""What every operation passes: tokens, scopes, keys, preconditions, limits, error bodies."""

from __future__ import annotations

import base64
from email.utils import parsedate_to_datetime
from itertools import product

import pytest
import requests

from sandbox.trading_grid.operations import CORE, EXTENDED
from tests.contracts.validate import Contract
from tests.sandbox.trading_grid.community import API, Caller, Community

SECRET = "sandbox-trading-grid-secret"
POST = {"kind": "message", "visibility": "partner", "body": {"format": "plain", "text": "once"}}


@pytest.mark.parametrize(("form", "basic"), list(product([True, False], repeat=2)))
def test_all_four_credential_forms_get_a_token(community: Community, form: bool, basic: bool) -> None:
    """Given form or JSON and Basic or body credentials, when a token is asked for, then each way gives one."""
    fields = {"grant_type": "client_credentials"}
    if not basic:
        fields |= {"client_id": "casebridge", "client_secret": SECRET}
    login = base64.b64encode(f"casebridge:{SECRET}".encode()).decode()
    headers = {"Authorization": f"Basic {login}"} if basic else {}
    place = f"{community.url}/tenants/tnt_sandbox/oauth2/token"

    data, json = (fields, None) if form else (None, fields)
    answer = requests.post(place, headers=headers, timeout=10, data=data, json=json)

    assert answer.status_code == 200
    assert answer.json()["expires_in"] == 900
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_token_expires_by_the_sandboxs_clock(community: Community, hub: Caller) -> None:
    """Given a token, when 15 minutes pass, then 401 until a new one is fetched."""
    hub.get("/threads")

    community.later(901)

    assert hub.get("/threads", 401)["code"] == "unauthenticated"
    community.caller("casebridge").get("/threads")


def test_a_missing_scope_is_403_and_never_hides_an_object(community: Community, hub: Caller) -> None:
    """Given a token for reading only, when it writes, then 403; without community:internal internal things are
    404."""
    reader = community.caller("casebridge", "community:read")
    thread = hub.thread(visibility="internal")

    assert reader.post("/threads", {"partner_id": "prt_acme", "type": "question", "title": "x"}, 403)["code"] == (
        "insufficient_scope"
    )
    reader.get(f"/threads/{thread['id']}", 404)


def test_the_same_key_and_body_replay_the_first_answer(community: Community, hub: Caller) -> None:
    """Given a post, when it is sent again with its key, then one effect; another body is 422; after 7 days it
    is new."""
    path = f"/threads/{hub.thread()['id']}/posts"
    first = hub.call("POST", path, POST, key="outbox-row-17")

    again = hub.call("POST", path, POST, key="outbox-row-17")

    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["ETag"] == first.headers["ETag"]
    other = POST | {"body": {"format": "plain", "text": "two"}}
    assert hub.post(path, other, 422, key="outbox-row-17")["code"] == "idempotency_key_reused"
    assert len(community.effects("post_created")) == 1
    community.later(7 * 86_400 + 1)
    community.caller("casebridge").post(path, POST, key="outbox-row-17")
    assert len(community.effects("post_created")) == 2


def test_a_refused_request_is_judged_anew_with_the_same_key(hub: Caller) -> None:
    """Given a request refused with 409, when its cause is gone, then the same key and body succeed."""
    thread = hub.thread()
    hub.move(thread, "withdrawn")
    path = f"/threads/{thread['id']}/posts"
    hub.post(path, POST, 409, key="outbox-row-18")

    hub.move(thread, "in_progress", reason="again")

    hub.post(path, POST, 201, key="outbox-row-18")


def test_a_key_is_required_where_the_contract_lists_it(hub: Caller) -> None:
    """Given no key or a short one, when posting, then 400."""
    body = {"partner_id": "prt_acme", "type": "question", "title": "x"}

    assert hub.post("/threads", body, 400, key="")["code"] == "idempotency_key_required"
    assert hub.post("/threads", body, 400, key="short")["code"] == "invalid_request"


def test_if_match_is_required_and_must_be_fresh(hub: Caller) -> None:
    """Given a thread, when patched without, with a stale or with any ETag, then 428, 412 with the revision, 400."""
    thread = hub.thread()
    path = f"/threads/{thread['id']}"
    hub.say(thread, "moves the revision")

    assert hub.patch(path, {"title": "x"}, 428)["code"] == "precondition_required"
    stale = hub.patch(path, {"title": "x"}, 412, match=thread)
    assert (stale["code"], stale["current_revision"]) == ("precondition_failed", thread["revision"] + 1)
    assert hub.patch(path, {"title": "x"}, 400, match="*")["code"] == "invalid_request"


def test_an_unchanged_object_is_304(hub: Caller) -> None:
    """Given a known ETag, when read again, then 304 without body until it changes."""
    thread = hub.thread()
    tag = hub.call("GET", f"/threads/{thread['id']}").headers["ETag"]

    assert hub.call("GET", f"/threads/{thread['id']}", headers={"If-None-Match": tag}).status_code == 304
    hub.say(thread, "x")
    assert hub.call("GET", f"/threads/{thread['id']}", headers={"If-None-Match": tag}).status_code == 200


def test_what_is_malformed_is_named(hub: Caller) -> None:
    """Given an unknown query parameter, an unknown member, a wrong type, a wrong media type, then 400, 422,
    422, 415."""
    assert hub.get("/threads", 400, params={"nonsense": "1"})["code"] == "invalid_request"
    body = {"partner_id": "prt_acme", "type": "quarrel", "title": "x", "colour": "red"}
    refused = hub.post("/threads", body, 422)
    assert {error["pointer"] for error in refused["errors"]} == {"/type", "/colour"}
    wrong = hub.call("POST", "/threads", body, headers={"Content-Type": "text/plain"})
    assert wrong.status_code == 415


@pytest.mark.parametrize("as_date", [False, True])
def test_the_rate_limit_is_a_switch(community: Community, hub: Caller, as_date: bool) -> None:
    """Given the limit on with a burst of 5, when 6 requests come, then the last is 429 with Retry-After in the
    chosen form."""
    community.switch(rate_limit=True, burst=5, requests_per_minute=1, retry_after_as_date=as_date)

    statuses = [hub.call("GET", "/partners").status_code for _ in range(5)]
    limited = hub.call("GET", "/partners")

    assert statuses == [200] * 5
    assert (limited.status_code, limited.json()["code"]) == (429, "rate_limited")
    after = limited.headers["Retry-After"]
    assert parsedate_to_datetime(after) if as_date else int(after) >= 1
    assert limited.headers["RateLimit-Remaining"] == "0"


@pytest.mark.parametrize(("shape", "member"), [("cms", "exception"), ("communications", "errorCode")])
def test_old_error_bodies_are_a_switch(community: Community, shape: str, member: str) -> None:
    """Given a legacy shape switched on, when something is refused, then the status holds and the body is the
    old one."""
    caller = community.caller("casebridge", checked=False)
    community.switch(legacy_errors=shape)

    answer = caller.call("GET", "/threads/none")

    assert answer.status_code == 404
    assert member in answer.json()
    assert answer.headers["Content-Type"] == "application/json"


def test_an_unknown_switch_is_refused(community: Community) -> None:
    """Given a misspelt switch, when put, then 400 and nothing changes."""
    place = f"{community.url}/_sandbox/trading_grid"

    assert requests.put(place, json={"ratelimit": True}, timeout=10).status_code == 400
    assert requests.get(place, timeout=10).json()["rate_limit"] is False


def test_empty_lists_have_no_embedded(hub: Caller) -> None:
    """Given no threads, when listed, then `_embedded` is absent and the total is 0."""
    page = hub.get("/threads", params={"include-total": "true"})

    assert "_embedded" not in page
    assert page["total"] == 0


def test_the_table_is_the_contract(hub: Caller) -> None:
    """Given the contract's 87 operations, when compared with ours, then names, methods and paths are the same."""
    paths = Contract.trading_grid().answers["paths"]
    described = {
        (method.upper(), path): item["operationId"]
        for path, entry in paths.items() for method, item in entry.items()
        if method in ("get", "put", "post", "patch", "delete")
    }  # fmt: skip
    ours = {(entry.method, entry.path): entry.name for entry in CORE}
    ours["POST", "/tenants/{tenantId}/oauth2/token"] = "getToken"

    assert len(ours) == 45
    assert {place: described[place] for place in ours} == ours
    assert set(ours) | set(EXTENDED) == set(described)


def test_core_operations_demand_what_the_contract_says() -> None:
    """Given each core operation, when compared, then key, If-Match, scope and who may call are the contract's."""
    document = Contract.trading_grid().answers
    for entry in CORE:
        described = document["paths"][entry.path][entry.method.lower()]
        names = {item["$ref"].rpartition("/")[2] for item in described.get("parameters", []) if "$ref" in item}
        assert entry.keyed == ("IdempotencyKey" in names), entry.name
        assert entry.if_match == ("IfMatch" in names), entry.name
        assert entry.hub_only == (described["x-principals"] == ["hub"]), entry.name
        assert [entry.scope] == described["security"][0]["oauth2"], entry.name


def test_extended_operations_are_501(hub: Caller) -> None:
    """Given operations that are not built, when called, then 501 problem+json."""
    for method, path in EXTENDED:
        place = path.replace("{versionNumber}", "1").replace("{", "").replace("}", "")
        answer = hub.call(method, place, key="" if method == "POST" else None)
        assert (answer.status_code, answer.json()["code"]) == (501, "not_implemented"), (method, path)


def test_an_address_outside_the_contract_is_404(community: Community) -> None:
    """Given a path or method the contract lacks, when called, then 404 problem+json."""
    caller = community.caller("casebridge", checked=False)

    for method, path in (("GET", "/galaxies"), ("DELETE", "/threads")):
        answer = caller.call(method, path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_reset_starts_anew(community: Community, hub: Caller) -> None:
    """Given a used sandbox, when reset, then its threads are gone and old tokens and cursors are refused."""
    thread = hub.thread()
    cursor = hub.get("/events", params={"after": "latest"})["page"]["next_cursor"]

    assert requests.post(f"{community.url}/_sandbox/reset", timeout=10).status_code == 200

    hub.get("/threads", 401)
    fresh = community.caller("casebridge")
    fresh.get(f"/threads/{thread['id']}", 404)
    assert fresh.get("/events", 410, params={"after": cursor})["code"] == "cursor_expired"
    assert requests.get(f"{community.url}{API}/threads", timeout=10).status_code == 401

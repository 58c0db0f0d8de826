"""Webhooks: signed by Standard Webhooks, retried, redelivered, filtered."""

from __future__ import annotations

import json
from time import monotonic, sleep

import pytest
import requests
from standardwebhooks import Webhook, WebhookVerificationError

from sandbox.trading_grid.webhooks import HOOK_SECRET
from tests.contracts.validate import Contract, _validator
from tests.sandbox.trading_grid.community import Caller, Receiver, running_community


def subscribe(hub: Caller, receiver: Receiver, **more: object) -> dict[str, str]:
    """A subscription to everything, after its ping."""
    made: dict[str, str] = hub.post("/webhook-subscriptions", {
        "url": f"{receiver.url}/mine", "event_types": ["thread.*", "post.*", "webhook.ping"]} | more)  # fmt: skip
    receiver.wait(1)
    return made


def test_the_preset_webhook_verifies_and_equals_the_feed(receiver: Receiver) -> None:
    """Given --hooks-to, when a thread opens, then the standard library verifies the hook and its body is the
    feed's event."""
    with running_community(receiver.url) as community:
        hub = community.caller("casebridge")
        hub.thread()
        ((path, headers, body),) = receiver.wait(1)

        assert path == "/hooks/trading-grid"
        event = Webhook(HOOK_SECRET).verify(body.decode(), headers)
        assert event == hub.events()[0]
        assert headers["webhook-id"] == event["id"]
        document = Contract.trading_grid().answers
        _validator(document, {"$ref": "#/components/schemas/Event"}).validate(event)


def test_a_spoilt_signature_does_not_verify(receiver: Receiver) -> None:
    """Given bad signatures or old timestamps switched on, when a hook comes, then the standard library refuses it."""
    for fault in ({"bad_signature": 1}, {"old_timestamp": True}):
        with running_community(receiver.url) as community:
            requests.put(f"{community.url}/_sandbox/hooks", json=fault, timeout=10)
            receiver.got.clear()
            community.caller("casebridge").thread()
            ((_, headers, body),) = receiver.wait(1)
            with pytest.raises(WebhookVerificationError):
                Webhook(HOOK_SECRET).verify(body.decode(), headers)


def test_a_subscription_starts_with_a_ping_and_its_own_secret(hub: Caller, receiver: Receiver) -> None:
    """Given a new subscription, when its ping is answered, then it is active; the secret signs and is never
    shown again."""
    made = subscribe(hub, receiver)
    assert made["state"] == "pending"
    ((path, headers, body),) = receiver.wait(1)

    assert (path, Webhook(made["secret"]).verify(body.decode(), headers)["type"]) == ("/mine", "webhook.ping")
    deadline = monotonic() + 10
    while hub.get("/webhook-subscriptions")["_embedded"]["collection"][0]["state"] != "active":
        assert monotonic() < deadline
        sleep(0.01)  # the delivery thread notes the answer after the receiver has sent it
    assert "secret" not in hub.get("/webhook-subscriptions")["_embedded"]["collection"][0]


def test_internal_events_need_include_internal(hub: Caller, receiver: Receiver) -> None:
    """Given a subscription without include_internal, when something internal happens first, then only the
    visible one comes."""
    subscribe(hub, receiver)
    thread = hub.thread()

    hub.say(thread, "for us", "internal")
    hub.say(thread, "for you")

    kinds = [json.loads(body)["visibility"] for _, _, body in receiver.wait(3)]
    assert kinds == ["partner"] * 3


def test_a_refused_delivery_is_tried_again_under_the_same_id(hub: Caller, receiver: Receiver) -> None:
    """Given a receiver that fails twice, when an event is sent, then it comes a third time with the same id."""
    subscribe(hub, receiver)
    receiver.statuses = [503, 500]

    hub.thread()

    tries = receiver.wait(4)[1:]
    assert len({headers["webhook-id"] for _, headers, _ in tries}) == 1


def test_a_target_that_is_gone_disables_the_subscription(hub: Caller, receiver: Receiver) -> None:
    """Given a receiver that answers 410, when it got an event, then the subscription is disabled."""
    subscribe(hub, receiver)
    receiver.statuses = [410]

    hub.thread()

    deadline = monotonic() + 10
    while hub.get("/webhook-subscriptions")["_embedded"]["collection"][0]["state"] != "disabled":
        assert monotonic() < deadline
        sleep(0.01)  # the delivery thread learns of the 410 in its own time


def test_a_delivery_can_be_asked_for_again(receiver: Receiver) -> None:
    """Given a delivered event, when redelivered, then the same body and webhook-id come again; an unknown one
    is 404."""
    with running_community(receiver.url) as community:
        hub = community.caller("casebridge")
        hub.thread()
        receiver.wait(1)
        (delivery,) = community.switch()["deliveries"]
        path = "/webhook-subscriptions/sub_preset/deliveries"

        hub.post(f"{path}/{delivery['id']}/redeliver", None, 202)

        first, second = receiver.wait(2)
        assert (first[1]["webhook-id"], first[2]) == (second[1]["webhook-id"], second[2])
        hub.post(f"{path}/dlv_none/redeliver", None, 404)


@pytest.mark.parametrize("url", ["https://10.0.0.8/x", "https://169.254.169.254/x", "http://example.com/x"])
def test_a_private_target_is_refused(hub: Caller, url: str) -> None:
    """Given a private, link-local or unencrypted target, when subscribed, then 422 webhook_target_refused."""
    body = {"url": url, "event_types": ["thread.*"]}

    assert hub.post("/webhook-subscriptions", body, 422)["code"] == "webhook_target_refused"

"""Webhooks out: several signed events an action, in Zendesk's spelling, with its rules of repetition."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import jsonschema
import pytest

from sandbox.zendesk.webhooks import again
from tests.sandbox.zendesk.contract import SHARED
from tests.sandbox.zendesk.desk import Desk, Receiver

SECRET = b"sandbox-zendesk-webhook-secret"


def events(receiver: Receiver, count: int) -> list[dict[str, Any]]:
    """The first `count` events that came."""
    receiver.wait(lambda deliveries: len(deliveries) >= count)
    return [json.loads(body) for _, body in receiver.deliveries[:count]]


def test_one_action_yields_several_events_of_one_sequence(hooked_desk: Desk, receiver: Receiver) -> None:
    """Given status, tags and a comment in one update, when sent, then each is an event of the same sequence."""
    hooked_desk.create(tags=["a"], priority="high")
    born = events(receiver, 3)
    receiver.deliveries.clear()
    hooked_desk.update(1, status="pending", tags=["b"], comment={"body": "x", "public": False})
    came = events(receiver, 4)
    families = {event["type"].removeprefix("zen:event-type:ticket.") for event in came}
    assert [event["type"].rpartition(".")[2] for event in born] == ["created", "comment_added", "tags_changed"]
    assert families == {"comment_added", "status_changed", "custom_status_changed", "tags_changed"}
    assert len({event["event"]["meta"]["sequence"]["id"] for event in came}) == 1
    assert {event["event"]["meta"]["sequence"]["total"] for event in came} == {4}
    assert len({event["id"] for event in came}) == 4


def test_events_spell_words_in_capitals_and_ids_as_text(hooked_desk: Desk, receiver: Receiver) -> None:
    """Given a ticket without assignee, when its event comes, then "0" is none, words are capitals, no fields."""
    hooked_desk.create(priority="high")
    detail = events(receiver, 1)[0]["detail"]
    assert (detail["id"], detail["actor_id"], detail["assignee_id"]) == ("1", "9001", "0")
    assert (detail["status"], detail["priority"], detail["via"]) == ("NEW", "HIGH", {"channel": "web_service"})
    assert "custom_fields" not in detail


def test_the_signature_covers_timestamp_and_raw_body(hooked_desk: Desk, receiver: Receiver) -> None:
    """Given a delivery, when the HMAC is made from the secret as text, then it equals the header."""
    hooked_desk.create("Grüße")
    receiver.wait(lambda deliveries: len(deliveries) >= 2)
    headers, body = receiver.deliveries[0]
    stamp = headers["x-zendesk-webhook-signature-timestamp"]
    expected = hmac.new(SECRET, stamp.encode() + body, hashlib.sha256).digest()
    assert base64.b64decode(headers["x-zendesk-webhook-signature"]) == expected
    assert headers["user-agent"] == "Zendesk Webhook"
    assert headers["content-type"] == "application/json; charset=utf-8"
    assert {"x-zendesk-account-id", "x-zendesk-webhook-id", "x-zendesk-webhook-invocation-id"} <= headers.keys()


def test_a_refusal_of_409_is_sent_again_and_500_is_not(hooked_desk: Desk, receiver: Receiver) -> None:
    """Given 409 once, when answered, then the same signed id comes again; after 500 it does not."""
    hooked_desk.create()
    events(receiver, 2)
    receiver.deliveries.clear()
    receiver.script[:] = [(409, {}), (500, {})]
    hooked_desk.update(1, subject="new")
    hooked_desk.update(1, subject="newer")
    receiver.wait(lambda deliveries: len(deliveries) == 3 and hooked_desk.kit.hooks.waiting() == 0)
    ids = [json.loads(body)["id"] for _, body in receiver.deliveries]
    assert len(set(ids)) == 2


@pytest.mark.parametrize(
    ("attempts", "status", "headers", "wait"),
    [
        (3, 409, {}, True),
        (4, 409, {}, False),
        (1, 503, {"retry-after": "30"}, True),
        (1, 503, {}, False),
        (1, 429, {"retry-after": "60"}, False),
        (5, None, {}, True),
        (6, None, {}, False),
        (1, 500, {}, False),
        (1, 403, {}, False),
    ],
)
def test_what_is_repeated(attempts: int, status: int | None, headers: dict[str, str], wait: bool) -> None:
    """Given an answer, when repetition is decided, then by code and count as the sheet says."""
    assert (again(attempts, status, headers) is not None) is wait


def test_trigger_mode_sends_one_filled_template_an_action(hooked_desk: Desk, receiver: Receiver) -> None:
    """Given the trigger form, when a ticket changes, then one body from the template comes."""
    hooked_desk.settings(webhook_mode="trigger")
    ticket = hooked_desk.create()
    assert events(receiver, 1) == [
        {"kind": "ticket_changed", "ticket_id": "1", "updated_at": ticket["updated_at"], "actor_id": "9001"}
    ]


def test_a_registered_webhook_gets_what_it_subscribed_to(hooked_desk: Desk, receiver: Receiver) -> None:
    """Given a second webhook for status changes only, when one happens, then it is signed with its own secret."""
    made = hooked_desk.call(
        "POST",
        "/webhooks",
        {
            "webhook": {
                "name": "second",
                "endpoint": f"{receiver.url}/hooks/second",
                "http_method": "POST",
                "status": "active",
                "request_format": "json",
                "subscriptions": ["zen:event-type:ticket.status_changed"],
            }
        },
    )
    number = made.json()["webhook"]["id"]
    secret = hooked_desk.call("GET", f"/webhooks/{number}/signing_secret").json()["signing_secret"]["secret"]
    assert (made.status_code, "secret" in made.text) == (201, False)
    hooked_desk.create()
    hooked_desk.update(1, status="open")

    def mine() -> list[tuple[dict[str, str], bytes]]:
        return [item for item in receiver.deliveries if item[0]["x-zendesk-webhook-id"] == number]

    receiver.wait(lambda _: len(mine()) == 1)
    headers, body = mine()[0]
    signed = headers["x-zendesk-webhook-signature-timestamp"].encode() + body
    assert base64.b64decode(headers["x-zendesk-webhook-signature"]) == hmac.digest(secret.encode(), signed, "sha256")


def test_the_webhook_is_found_by_name_and_can_be_paused(hooked_desk: Desk, receiver: Receiver) -> None:
    """Given the start data, when the webhook is set inactive, then nothing comes; its kind cannot change."""
    found = hooked_desk.call("GET", "/webhooks", params={"filter[name_contains]": "casebridge"}).json()["webhooks"]
    assert [hook["endpoint"] for hook in found] == [f"{receiver.url}/hooks/zendesk"]
    at = f"/webhooks/{found[0]['id']}"
    assert hooked_desk.call("PATCH", at, {"webhook": {"status": "inactive"}}).status_code == 204
    hooked_desk.create()
    assert hooked_desk.call("PUT", at, {"webhook": {"status": "active"}}).status_code == 204
    hooked_desk.update(1, subject="awake")
    assert events(receiver, 1)[0]["type"] == "zen:event-type:ticket.subject_changed"
    other_kind = {"webhook": {"subscriptions": ["conditional_ticket_events"]}}
    assert hooked_desk.call("PUT", at, other_kind).status_code == 422
    assert hooked_desk.call("POST", f"{at}/signing_secret").status_code == 201
    assert hooked_desk.call("DELETE", at).status_code == 204
    assert hooked_desk.call("GET", at).status_code == 404


@pytest.mark.shared
def test_every_envelope_is_of_the_reference_schema(hooked_desk: Desk, receiver: Receiver) -> None:
    """Given one action of each kind, when their events come, then each passes webhook-event.schema.json."""
    if not SHARED.is_dir():
        pytest.skip(f"the reference contracts are not at {SHARED}")
    everything(hooked_desk)
    receiver.wait(lambda deliveries: len(deliveries) >= 24 and hooked_desk.kit.hooks.waiting() == 0)
    schema = json.loads((SHARED / "webhook-event.schema.json").read_text())
    validator = jsonschema.Draft7Validator(schema)
    came = [json.loads(body) for _, body in receiver.deliveries]
    for event in came:
        validator.validate(event)
    families = {event["type"].rpartition(".")[2] for event in came}
    assert {
        "merged",
        "soft_deleted",
        "comment_redacted",
        "comment_made_private",
        "attachment_linked_to_comment",
        "attachment_redacted_from_comment",
        "custom_field_changed",
        "agent_assignment_changed",
    } <= families


def everything(desk: Desk) -> None:
    """One action of each kind that sends events."""
    desk.create()
    desk.create()
    upload = desk.session.post(f"{desk.url}/api/v2/uploads?filename=a.txt", data=b"x").json()["upload"]
    comment = desk.say(1, body="hello secret", public=True, uploads=[upload["token"]])
    desk.update(
        1,
        status="open",
        priority="low",
        type="incident",
        assignee_id=9101,
        group_id=70,
        external_id="g1",
        subject="y",
        requester_id=9201,
        organization_id=500,
        custom_fields=[{"id": 360001, "value": "acme"}],
    )
    at = f"/tickets/1/comments/{comment['id']}"
    desk.call("PUT", f"{at}/redact", {"text": "secret"})
    desk.call("PUT", f"{at}/attachments/{comment['attachments'][0]['id']}/redact", {})
    desk.call("PUT", f"{at}/make_private")
    desk.call("POST", "/tickets/2/merge", {"ids": [1]})
    desk.call("DELETE", "/tickets/2")

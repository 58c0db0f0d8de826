"""People and configuration: users, organizations, groups, fields, statuses, account settings, webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.responses import Response
from starlette.routing import Route

from .account import Account, Webhook, new_secret, wire_time
from .data import JsonObject
from .endpoint import Call, answer, api_route
from .errors import ApiError, bad_request, not_found
from .paging import paged
from .ticket_api import id_list


def routes(account: Account) -> list[Route]:
    """The routes of this module."""
    table = (
        ("GET", "/users/me", "users", me),
        ("GET", "/users/show_many", "users", show_users),
        ("GET", "/users/{number:int}", "users", show_user),
        ("GET", "/users", "users", list_users),
        ("GET", "/organizations/show_many", "organizations", show_organizations),
        ("GET", "/organizations/{number:int}", "organizations", show_organization),
        ("GET", "/organizations", "organizations", list_organizations),
        ("GET", "/groups", "users", list_groups),
        ("GET", "/groups/{number:int}", "users", show_group),
        ("GET", "/ticket_fields", "tickets", list_fields),
        ("GET", "/ticket_fields/{number:int}", "tickets", show_field),
        ("GET", "/custom_statuses", "tickets", list_statuses),
        ("GET", "/account/settings", "account", settings),
        ("GET", "/webhooks", "webhooks", list_webhooks),
        ("POST", "/webhooks", "webhooks", create_webhook),
        ("GET", "/webhooks/{name}", "webhooks", show_webhook),
        ("PUT", "/webhooks/{name}", "webhooks", change_webhook),
        ("PATCH", "/webhooks/{name}", "webhooks", change_webhook),
        ("DELETE", "/webhooks/{name}", "webhooks", delete_webhook),
        ("GET", "/webhooks/{name}/signing_secret", "webhooks", show_secret),
        ("POST", "/webhooks/{name}/signing_secret", "webhooks", reset_secret),
    )
    return [api_route(account, method, path, resource, handler) for method, path, resource, handler in table]


def me(call: Call) -> Response:
    """The caller."""
    return answer({"user": call.actor.user})


def show_user(call: Call) -> Response:
    """One user."""
    return answer({"user": _one(call, call.account.users)})


def show_users(call: Call) -> Response:
    """Up to 100 users."""
    return _many(call, "users", call.account.users)


def list_users(call: Call) -> Response:
    """All users."""
    return _listed(call, "users", list(call.account.users.values()))


def show_organization(call: Call) -> Response:
    """One organization."""
    return answer({"organization": _one(call, call.account.organizations)})


def show_organizations(call: Call) -> Response:
    """Up to 100 organizations, by `ids` or `external_ids`."""
    wanted = call.query("external_ids")
    if not wanted:
        return _many(call, "organizations", call.account.organizations)
    keys = wanted.split(",")
    return _envelope(
        "organizations", [item for item in call.account.organizations.values() if item["external_id"] in keys]
    )


def list_organizations(call: Call) -> Response:
    """All organizations."""
    return _listed(call, "organizations", list(call.account.organizations.values()))


def list_groups(call: Call) -> Response:
    """All groups."""
    return _listed(call, "groups", call.account.groups)


def show_group(call: Call) -> Response:
    """One group."""
    return answer({"group": _one(call, {group["id"]: group for group in call.account.groups})})


def list_fields(call: Call) -> Response:
    """All custom ticket fields."""
    return _listed(call, "ticket_fields", call.account.ticket_fields)


def show_field(call: Call) -> Response:
    """One ticket field."""
    return answer({"ticket_field": _one(call, {field["id"]: field for field in call.account.ticket_fields})})


def list_statuses(call: Call) -> Response:
    """All custom statuses; this list has no pages."""
    return answer({"custom_statuses": call.account.custom_statuses})


def settings(call: Call) -> Response:
    """What an integration reads of the account's settings."""
    live = call.account.settings
    return answer(
        {
            "settings": {
                "active_features": {
                    "on_hold_status": live.hold_enabled,
                    "markdown": True,
                    "ticket_tagging": True,
                    "sandbox": True,
                },
                "api": {
                    "accepted_api_agreement": True,
                    "api_password_access": "false",
                    "api_token_access": str(live.legacy_basic).lower(),
                },
                "limits": {"attachment_size": live.attachment_size},
                "tickets": {
                    "private_attachments": live.private_attachments,
                    "email_attachments": False,
                    "comments_public_by_default": True,
                    "tagging": True,
                },
            }
        }
    )


def list_webhooks(call: Call) -> Response:
    """All webhooks, never with a secret; `filter[name_contains]` narrows."""
    part = call.query("filter[name_contains]").lower()
    rows = [hook.wire for hook in call.account.webhooks.values() if part in hook.wire["name"].lower()]
    return answer(
        {
            "webhooks": rows,
            "meta": {"has_more": False, "after_cursor": None, "before_cursor": None},
            "links": {"prev": None, "next": None},
        }
    )


def create_webhook(call: Call) -> Response:
    """201; the sandbox delivers to the endpoint's path below the base of `--hooks-to`."""
    wanted = call.part("webhook")
    missing = [name for name in ("name", "endpoint", "http_method", "request_format", "status") if name not in wanted]
    if missing:
        raise bad_request("BadRequest", f"missing: {', '.join(missing)}")
    shown = {name: wanted[name] for name in ("name", "endpoint", "http_method", "request_format", "status")}
    number = f"01SANDBOX{len(call.account.webhooks):017d}"
    wire = {
        "id": number,
        **shown,
        "subscriptions": wanted.get("subscriptions", []),
        "created_at": wire_time(call.account.now()),
        "created_by": str(call.actor.id),
    }
    call.account.webhooks[number] = Webhook(wire, urlsplit(wanted["endpoint"]).path or "/", new_secret())
    call.account.kit.journal.record("webhook_created", number, by=call.actor.by, name=wire["name"])
    return answer({"webhook": wire}, 201)


def show_webhook(call: Call) -> Response:
    """One webhook."""
    return answer({"webhook": _webhook(call).wire})


def change_webhook(call: Call) -> Response:
    """204; the kind of subscription cannot be changed to or from triggers."""
    hook, wanted = _webhook(call), call.part("webhook")
    kinds = [item.get("subscriptions") or hook.wire["subscriptions"] for item in (wanted, hook.wire)]
    if len({"conditional_ticket_events" in kind for kind in kinds}) > 1:
        raise ApiError(422, {"error": "UnprocessableEntity", "description": "subscriptions cannot change their kind"})
    known = {name: value for name, value in wanted.items() if name in hook.wire and name != "id"}
    hook.wire.update(known)
    hook.path = urlsplit(hook.wire["endpoint"]).path or "/"
    call.account.kit.journal.record("webhook_changed", hook.wire["id"], by=call.actor.by, **known)
    return Response(status_code=204)


def delete_webhook(call: Call) -> Response:
    """204."""
    number = _webhook(call).wire["id"]
    del call.account.webhooks[number]
    call.account.kit.journal.record("webhook_deleted", number, by=call.actor.by)
    return Response(status_code=204)


def show_secret(call: Call) -> Response:
    """The secret, to be used as the text shown."""
    return answer({"signing_secret": {"secret": _webhook(call).secret, "algorithm": "SHA256"}})


def reset_secret(call: Call) -> Response:
    """201 with a new secret; the old one signs nothing any more."""
    hook = _webhook(call)
    hook.secret = new_secret()
    call.account.kit.journal.record("webhook_secret_reset", hook.wire["id"], by=call.actor.by)
    return answer({"signing_secret": {"secret": hook.secret, "algorithm": "SHA256"}}, 201)


def _webhook(call: Call) -> Webhook:
    hook = call.account.webhooks.get(call.request.path_params["name"])
    if hook is None:
        raise not_found()
    return hook


def _one(call: Call, known: Mapping[int, JsonObject]) -> JsonObject:
    found = known.get(call.number("number"))
    if found is None:
        raise not_found()
    return found


def _many(call: Call, name: str, known: Mapping[int, JsonObject]) -> Response:
    return _envelope(name, [known[number] for number in id_list(call) if number in known])


def _envelope(name: str, rows: list[JsonObject]) -> Response:
    return answer({name: rows, "next_page": None, "previous_page": None, "count": len(rows)})


def _listed(call: Call, name: str, rows: list[JsonObject]) -> Response:
    page = paged(call, rows)
    return answer({name: page.rows, **page.envelope})

"""/tickets: create with idempotency keys, show, list, update, tags, merge, delete."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta

from starlette.responses import Response
from starlette.routing import Route

from . import jobs, limits, tickets
from .account import Account, Ticket
from .data import JsonObject
from .endpoint import Call, answer, api_route
from .errors import ApiError, bad_request, closed, invalid, must_be
from .paging import paged

Changed = Callable[[list[str], list[str]], list[str]]
KEY_LIFE = timedelta(hours=2)
_LONGEST_KEY = 255


def routes(account: Account) -> list[Route]:
    """The routes of this module, the busiest first."""
    table = (
        ("PUT", "/tickets/{ticket_id:int}", update),
        ("GET", "/tickets/{ticket_id:int}", show),
        ("POST", "/tickets", create),
        ("GET", "/tickets", list_tickets),
        ("GET", "/tickets/show_many", show_many),
        ("DELETE", "/tickets/{ticket_id:int}", delete),
        ("POST", "/tickets/{ticket_id:int}/merge", merge),
        ("GET", "/tickets/{ticket_id:int}/tags", show_tags),
        ("PUT", "/tickets/{ticket_id:int}/tags", add_tags),
        ("POST", "/tickets/{ticket_id:int}/tags", set_tags),
        ("DELETE", "/tickets/{ticket_id:int}/tags", remove_tags),
        ("GET", "/tickets/{ticket_id:int}/related", related),
    )
    return [api_route(account, method, path, "tickets", handler) for method, path, handler in table]


def create(call: Call) -> Response:
    """201 with Location; under an Idempotency-Key a replay gets the stored answer."""
    key = call.request.headers.get("idempotency-key")
    stored = _replayed(call, key) if key is not None else None
    if stored is not None:
        return stored
    wanted = call.part("ticket")
    ticket, audit = tickets.create(call.account, call.actor, wanted)
    _warn(call, wanted, "create")
    response = answer({"ticket": tickets.shown(ticket, generated=True), "audit": audit}, 201)
    response.headers["location"] = ticket.wire["url"]
    if key is not None:
        response.headers["x-idempotency-lookup"] = "miss"
        call.account.idempotent[key] = (
            call.account.now() + KEY_LIFE,
            _digest(call),
            bytes(response.body),
            ticket.wire["url"],
        )
    return response


def show(call: Call) -> Response:
    """One ticket."""
    return answer({"ticket": tickets.shown(_ticket(call))})


def list_tickets(call: Call) -> Response:
    """All tickets that are not deleted, or those with an `external_id` (which is not unique)."""
    external_id = call.request.query_params.get("external_id")
    account = call.account
    numbers = account.tickets if external_id is None else sorted(account.by_external_id.get(external_id, ()))
    found = [account.tickets[number] for number in numbers]
    page = paged(call, [ticket.wire for ticket in found if not ticket.deleted])
    return answer({"tickets": page.rows, **page.envelope})


def show_many(call: Call) -> Response:
    """Up to 100 tickets by `ids`; unknown ones are left out."""
    found = [call.account.tickets[number] for number in id_list(call) if number in call.account.tickets]
    rows = [tickets.shown(ticket) for ticket in found if not ticket.deleted]
    return answer({"tickets": rows, "next_page": None, "previous_page": None, "count": len(rows)})


def id_list(call: Call) -> list[int]:
    """The query's `ids`; raises ApiError 400 above 100 or for a word."""
    words = [word for word in call.query("ids").split(",") if word]
    if len(words) > 100:
        raise bad_request("TooManyValues", "Parameter  cannot specify more than 100 values", max_count=100)
    if not all(word.isdigit() for word in words):
        raise must_be("ids", "integer", "show_many")
    return [int(word) for word in words]


def update(call: Call) -> Response:
    """Change a ticket and add a comment."""
    ticket = _ticket(call)
    limits.update(call.account, call.actor.id, ticket.id)
    wanted = call.part("ticket")
    audit = tickets.update(call.account, call.actor, ticket, wanted)
    _warn(call, wanted, "update")
    return answer({"ticket": tickets.shown(ticket), "audit": audit})


def delete(call: Call) -> Response:
    """204; the ticket answers 404 from now on."""
    tickets.delete(call.account, call.actor, _ticket(call))
    return Response(status_code=204)


def merge(call: Call) -> Response:
    """A job; its effect is there at once, its status only after some polls."""
    target, wanted = _ticket(call), call.json()
    numbers = wanted.get("ids")
    if not isinstance(numbers, list) or not all(isinstance(number, int) for number in numbers):
        raise must_be("ids", "integer", "tickets/merge")
    sources = [tickets.find(call.account, number) for number in numbers]
    if any(ticket.wire["status"] == "closed" for ticket in (target, *sources)):
        raise closed()
    if target in sources:
        raise invalid("base", "Merge: a ticket cannot be merged into itself")
    tickets.merge(call.account, call.actor, target, sources, wanted)
    results = [{"id": target.id, "action": "merge", "status": "Merged", "success": True}]
    return answer({"job_status": jobs.start(call.account, results, total=len(sources))})


def show_tags(call: Call) -> Response:
    """The ticket's tags."""
    return answer({"tags": _ticket(call).wire["tags"]})


def add_tags(call: Call) -> Response:
    """PUT adds."""
    return _change_tags(call, lambda old, sent: [*old, *sent])


def set_tags(call: Call) -> Response:
    """POST sets the whole set; 201."""
    return _change_tags(call, lambda _old, sent: sent, status=201)


def remove_tags(call: Call) -> Response:
    """DELETE removes; 204."""
    _change_tags(call, lambda old, sent: [tag for tag in old if tag not in sent])
    return Response(status_code=204)


def related(call: Call) -> Response:
    """What is tied to the ticket."""
    ticket = _ticket(call)
    incidents = sum(other.wire["problem_id"] == ticket.id for other in call.account.tickets.values())
    source = [str(ticket.followup_source_id)] if ticket.followup_source_id else []
    return answer(
        {
            "topic_id": None,
            "jira_issue_ids": [],
            "followup_source_ids": source,
            "from_archive": False,
            "incidents": incidents,
        }
    )


def _change_tags(call: Call, changed: Changed, status: int = 200) -> Response:
    ticket, wanted = _ticket(call), call.json()
    limits.update(call.account, call.actor.id, ticket.id)
    sent = wanted.get("tags")
    if not isinstance(sent, list):
        raise bad_request("ParameterMissing", "param is missing or the value is empty: tags")
    tickets.check_stamp(ticket, wanted)
    words = [str(tag) for tag in sent]
    return answer(
        {"tags": tickets.set_tags(call.account, call.actor, ticket, changed(ticket.wire["tags"], words))}, status
    )


def _ticket(call: Call) -> Ticket:
    return tickets.find(call.account, call.number("ticket_id"))


def _warn(call: Call, wanted: JsonObject, action: str) -> None:
    dropped = tickets.unpermitted(wanted)
    if dropped:
        names = ", ".join(f'"{name}"' for name in dropped)
        call.headers["x-zendesk-api-warn"] = (
            f'{{:controller=>"api/v2/tickets", :action=>"{action}", :unpermitted_keys=>[{names}]}}'
        )


def _replayed(call: Call, key: str) -> Response | None:
    """The stored answer of a key that is still known; raises ApiError 400 for another body under it."""
    if len(key) > _LONGEST_KEY:
        raise ApiError(400, {"error": "IdempotentRequestError", "description": "Idempotency key is too long"})
    known = call.account.idempotent
    while known and next(iter(known.values()))[0] <= call.account.now():
        del known[next(iter(known))]
    if key not in known:
        return None
    _, digest, body, location = known[key]
    if digest != _digest(call):
        raise ApiError(
            400,
            {
                "error": "IdempotentRequestError",
                "description": "Request parameters don't match the given idempotency key",
            },
        )
    return Response(body, 201, {"location": location, "x-idempotency-lookup": "hit"}, "application/json; charset=utf-8")


def _digest(call: Call) -> bytes:
    return hashlib.sha256(call.body).digest()

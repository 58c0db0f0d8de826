"""Job statuses: queued when started, working for some polls, then completed."""

from __future__ import annotations

import uuid

from starlette.responses import Response
from starlette.routing import Route

from .account import Account
from .data import JsonObject
from .endpoint import Call, answer, api_route
from .errors import not_found


def routes(account: Account) -> list[Route]:
    """The routes of this module."""
    return [api_route(account, "GET", "/job_statuses/{job_id}", "tickets", show)]


def start(account: Account, results: list[JsonObject], *, total: int) -> JsonObject:
    """A queued job whose effect has happened already; returns its first answer."""
    number = f"V3-{uuid.uuid4().hex}"
    url = f"{account.base_url}/api/v2/job_statuses/{number}.json"
    account.jobs[number] = {"id": number, "url": url, "total": total, "polls": 0, "results": results}
    return _shown(account.jobs[number], "queued")


def show(call: Call) -> Response:
    """One job."""
    job = call.account.jobs.get(call.request.path_params["job_id"])
    if job is None:
        raise not_found()
    job["polls"] += 1
    status = "completed" if job["polls"] > call.account.settings.job_polls else "working"
    return answer({"job_status": _shown(job, status)})


def _shown(job: JsonObject, status: str) -> JsonObject:
    done = status == "completed"
    return {
        "id": job["id"],
        "url": job["url"],
        "total": job["total"],
        "status": status,
        "progress": job["total"] if done else None,
        "message": "Completed" if done else None,
        "results": job["results"] if done else None,
    }

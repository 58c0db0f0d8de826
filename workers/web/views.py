"""What is read: health, readiness, metrics, the API's status, and the page for people."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import psycopg
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from psycopg_pool import PoolTimeout
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.errors import ConfigurationError
from pipeline.store.tokens import Role
from workers.bootstrap import World
from workers.web import answers
from workers.web.access import admit, is_near, may_see_metrics
from workers.web.settings import WebSettings
from workers.web.status import status
from workers.web.watcher import Watcher

HERE = Path(__file__).parent
AWAY = (psycopg.Error, PoolTimeout, ConfigurationError)
NOT_NEAR = "This is shown on this machine and its private network only. Elsewhere use `casebridge status`."


class Views:
    """Reads; everything that may wait for the database runs outside of the event loop."""

    def __init__(self, world: World, watcher: Watcher, registry: CollectorRegistry, settings: WebSettings) -> None:
        self._world, self._watcher, self._registry, self._settings = world, watcher, registry, settings

    def routes(self) -> list[Route]:
        """GET routes; Starlette answers HEAD by them too."""
        return [
            Route("/healthz", self.health),
            Route("/readyz", self.ready),
            Route("/metrics", self.metrics),
            Route("/api/v1/status", self.status),
            Route("/static/page.css", self.style),
            Route("/static/icon.svg", self.icon),
            Route("/", self.page),
        ]

    async def health(self, _request: Request) -> Response:
        """The process serves; nothing else is asked, so that a database outage restarts nobody."""
        return answers.data({"status": "ok"})

    async def ready(self, _request: Request) -> Response:
        """503 with what is missing. A broker that is down is named, not missing."""
        missing = dict(self._watcher.missing)
        body: dict[str, Any] = {"status": "not ready" if missing else "ready", "missing": missing}
        return answers.data({**body, "degraded": dict(self._watcher.degraded)}, 503 if missing else 200)

    async def metrics(self, request: Request) -> Response:
        """For Prometheus (decisions D20)."""
        if not may_see_metrics(request, self._settings):
            return answers.problem(401, "Unauthorized", "Send the bearer CASEBRIDGE_METRICS_TOKEN.")
        if not self._watcher.has_database:
            return answers.busy()
        try:
            text = await run_in_threadpool(generate_latest, self._registry)
        except AWAY:
            return answers.busy()
        return Response(text, headers={**answers.SAFE, "Content-Type": CONTENT_TYPE_LATEST})

    async def status(self, request: Request) -> Response:
        """What `casebridge status --json` shows, for viewers."""
        if not self._watcher.has_database:
            return answers.busy()
        try:
            caller = await admit(request, self._world, Role.VIEWER)
            if isinstance(caller, Response):
                return caller
            return answers.data(await run_in_threadpool(status, self._world))
        except AWAY:
            return answers.busy()

    async def page(self, request: Request) -> Response:
        """The same for people, without a script; also while nothing else answers."""
        if not is_near(request, self._settings):
            return answers.problem(403, "Forbidden", NOT_NEAR)
        shown: dict[str, Any] | None = None
        if self._watcher.has_database:
            try:
                shown = await run_in_threadpool(status, self._world)
            except AWAY:
                shown = None
        html = _templates().get_template("status.html").render(
            status=shown,
            titles={name: connector.title for name, connector in self._world.connectors.items()},
            missing=self._watcher.missing,
            degraded=self._watcher.degraded,
            flower=self._settings.flower_url,
        )  # fmt: skip
        return answers.page(html, https=self._settings.public_url.startswith("https://"))

    async def style(self, _request: Request) -> Response:
        """The page's style sheet: a file, because the policy allows no style inside a page."""
        return Response(_static("page.css"), headers=answers.SAFE, media_type="text/css")

    async def icon(self, _request: Request) -> Response:
        """The mark in a browser's tab; without one every browser asks for /favicon.ico."""
        return Response(_static("icon.svg"), headers=answers.SAFE, media_type="image/svg+xml")


def code(sentence: str) -> Markup:
    """A sentence whose `names` in backticks become code; everything in it is escaped."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(sentence))))  # noqa: S704 -- escaped before the tags are put in


def age(seconds: float | None) -> str:
    """An age for people: 40 s, 3 min, 2 h, 5 d; a dash for none."""
    if seconds is None:
        return "–"
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


@lru_cache(maxsize=1)
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["age"] = age
    environment.filters["code"] = code
    return environment


@lru_cache(maxsize=2)
def _static(name: str) -> bytes:
    return (HERE / "static" / name).read_bytes()

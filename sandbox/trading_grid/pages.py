"""The person pages: act as a partner, or look on as the hub. They change state through the API's own functions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.kit import page as html
from sandbox.trading_grid import (
    bodies,
    data,
    documents,
    evidence,
    files,
    forms,
    looks,
    posts,
    sharing,
    threads,
    transitions,
)
from sandbox.trading_grid.objects import Actor, Document, Thread
from sandbox.trading_grid.principals import Principal
from sandbox.trading_grid.problems import Problem, missing
from sandbox.trading_grid.shapes import require
from sandbox.trading_grid.state import Grid
from sandbox.trading_grid.tenant import Tenant
from sandbox.trading_grid.visibility import evidence_for, post_for, thread_for
from sandbox.trading_grid.vocabulary import PARTNER_SCOPES

Act = Callable[[Request, FormData], Awaitable[Response]]


def routes(grid: Grid) -> list[Route]:
    """The pages and their form targets."""
    pages = Pages(grid)
    thread = "/person/{slug}/threads/{thread_id}"
    return [
        Route("/", pages.home),
        Route("/person/hub", pages.hub),
        Route("/person/hub/posts/{post_id}/redact", pages.posting(pages.redact), methods=["POST"]),
        Route("/person/{slug}", pages.partner),
        Route("/person/{slug}/threads", pages.posting(pages.open_thread), methods=["POST"]),
        Route(thread, pages.thread),
        Route(f"{thread}/posts", pages.posting(pages.post), methods=["POST"]),
        Route(f"{thread}/title", pages.posting(pages.retitle), methods=["POST"]),
        Route(f"{thread}/transition", pages.posting(pages.move), methods=["POST"]),
        Route(f"{thread}/documents", pages.posting(pages.upload), methods=["POST"]),
        Route(f"{thread}/evidence/{{request_id}}", pages.posting(pages.submit), methods=["POST"]),
    ]


class Pages:
    """One method for each page or form."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid

    @property
    def _tenant(self) -> Tenant:
        return self._grid.tenants[data.TENANT]

    def _person(self, request: Request) -> Principal:
        slug = request.path_params["slug"]
        if slug not in data.PARTNERS:
            missing()
        partner_id = f"prt_{slug}"
        actor = Actor("partner_user", f"usr_{slug}", data.PEOPLE[slug], partner_id)
        return Principal(data.TENANT, None, actor, PARTNER_SCOPES, partner_id)

    def _thread(self, request: Request) -> tuple[Principal, Thread]:
        who = self._person(request)
        return who, thread_for(self._tenant, who, request.path_params["thread_id"])

    def posting(self, act: Act) -> Callable[[Request], Awaitable[Response]]:
        """A form target: reads the form and shows a refusal as a page."""

        async def run(request: Request) -> Response:
            self._grid.timers.run_due()
            async with request.form() as form:
                try:
                    return await act(request, form)
                except Problem as problem:
                    reason = problem.detail or f"{problem.code}: {problem.members or problem.title}"
                    return html.refused(request, reason, status=problem.status)

        return run

    async def home(self, request: Request) -> Response:  # noqa: ARG002 -- Starlette hands the request in
        """Choose whom to be."""
        return looks.home()

    async def hub(self, request: Request) -> Response:  # noqa: ARG002 -- Starlette hands the request in
        """The newest events, threads and posts as the hub sees them."""
        return looks.hub(self._tenant)

    async def partner(self, request: Request) -> Response:
        """The partner's threads and the form for a new one."""
        try:
            return looks.partner(self._tenant, self._person(request))
        except Problem as problem:
            return html.refused(request, problem.title, status=problem.status)

    async def thread(self, request: Request) -> Response:
        """One thread with everything the partner can do in it."""
        try:
            who, thread = self._thread(request)
        except Problem as problem:
            return html.refused(request, problem.title, status=problem.status)
        return looks.thread(self._tenant, who, thread)

    async def open_thread(self, request: Request, form: FormData) -> Response:
        """Open a thread, with a document if one is chosen."""
        who = self._person(request)
        body = forms.thread_body(form, who.partner_id or "")
        require(bodies.THREAD, body)
        chosen = await forms.upload(form)
        thread = threads.create_thread(self._grid, self._tenant, who, body)
        document = self._keep(who, thread, form, chosen) if chosen else None
        first = thread.posts[0].id if thread.posts else None
        return html.done(request, _place(request, thread), thread_id=thread.id, post_id=first,
                         document_id=document.id if document else None)  # fmt: skip

    async def post(self, request: Request, form: FormData) -> Response:
        """Write a post."""
        who, thread = self._thread(request)
        body = forms.post_body(form)
        require(bodies.POST, body)
        post = posts.create_post(self._grid, self._tenant, who, thread, body)
        return html.done(request, _place(request, thread), thread_id=thread.id, post_id=post.id)

    async def retitle(self, request: Request, form: FormData) -> Response:
        """Change the title."""
        who, thread = self._thread(request)
        patch = {"title": forms.field(form, "title")}
        require(bodies.THREAD_PATCH, patch)
        threads.update_thread(self._grid, self._tenant, who, thread, patch)
        return html.done(request, _place(request, thread), thread_id=thread.id)

    async def move(self, request: Request, form: FormData) -> Response:
        """Withdraw, reopen or confirm."""
        who, thread = self._thread(request)
        body = {"to_state": forms.field(form, "to_state"), "reason": forms.field(form, "reason")}
        require(bodies.TRANSITION, body)
        transitions.transition(self._grid, self._tenant, who, thread, body)
        return html.done(request, _place(request, thread), thread_id=thread.id, state=thread.state)

    async def upload(self, request: Request, form: FormData) -> Response:
        """Bring a document into the thread."""
        who, thread = self._thread(request)
        document = self._keep(who, thread, form, await forms.upload(form))
        return html.done(request, _place(request, thread), thread_id=thread.id, document_id=document.id)

    async def submit(self, request: Request, form: FormData) -> Response:
        """Answer an evidence request with a file."""
        who, thread = self._thread(request)
        wanted = evidence_for(self._tenant, who, request.path_params["request_id"])
        document = self._keep(who, thread, form, await forms.upload(form))
        evidence.fulfil(self._grid, self._tenant, who, wanted, {"document_id": document.id})
        return html.done(request, _place(request, thread), thread_id=thread.id, document_id=document.id,
                         evidence_request_id=wanted.id, state=wanted.state)  # fmt: skip

    async def redact(self, request: Request, form: FormData) -> Response:
        """Redact a post; only the hub may."""
        who = looks.hub_person(self._tenant)
        post = post_for(self._tenant, who, request.path_params["post_id"])
        reason = forms.field(form, "reason") or "redacted by the hub"
        posts.redact_post(self._grid, self._tenant, who, post, reason)
        return html.done(request, "/person/hub", post_id=post.id)

    def _keep(self, who: Principal, thread: Thread, form: FormData, chosen: tuple[str, bytes] | None) -> Document:
        """Store the file, register it and link it to the thread, as three API calls would."""
        if chosen is None:
            raise Problem("invalid_request", "choose a file")
        blob = files.store(self._grid, self._tenant, who, *chosen)
        body = {
            "name": blob.name,
            "partner_id": who.partner_id,
            "document_class": forms.field(form, "document_class") or "other",
            "classification": "partner_confidential",
            "renditions": [{"rendition_type": "primary", "source": "FILE_ID", "blob_id": blob.id}],
        }
        require(bodies.DOCUMENT, body)
        document = documents.create_document(self._grid, self._tenant, who, body)
        sharing.link(self._grid, self._tenant, who, thread, document, "partner")
        return document


def _place(request: Request, thread: Thread) -> str:
    return f"/person/{request.path_params['slug']}/threads/{thread.id}"

"""How the person pages look."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup
from starlette.responses import Response

from sandbox.kit import page as html
from sandbox.trading_grid import data, transitions
from sandbox.trading_grid import vocabulary as words
from sandbox.trading_grid.events import Event
from sandbox.trading_grid.objects import Thread
from sandbox.trading_grid.principals import Principal
from sandbox.trading_grid.tenant import Tenant
from sandbox.trading_grid.views import actor_view, everything, stamp
from sandbox.trading_grid.visibility import sees

_NEWEST = 100
_MOVES = {
    "withdrawn": "Withdraw",
    "in_progress": "Reopen (dispute the outcome)",
    "closed": "Confirm and close",
}


def hub_person(tenant: Tenant) -> Principal:
    """The hub person whose eyes the hub page uses."""
    return everything(tenant)


def _options(words_: Iterable[str], *, empty: bool = False) -> list[tuple[str, str]]:
    listed = [(word, word.replace("_", " ")) for word in words_]
    return [("", "-"), *listed] if empty else listed


def home() -> Response:
    """Choose whom to be."""
    people = [(html.link(f"/person/{slug}", name), data.PEOPLE[slug]) for slug, name in data.PARTNERS.items()]
    return html.page("Trading Grid sandbox", html.table(("Partner", "Person"), people),
                     html.link("/person/hub", "What the hub sees"))  # fmt: skip


def partner(tenant: Tenant, who: Principal) -> Response:
    """Own threads, newest first, and the form for a new one."""
    slug = (who.partner_id or "").removeprefix("prt_")
    own = [entry for entry in tenant.threads.values() if sees(tenant, who, entry)]
    newest = sorted(own, key=lambda entry: entry.ordinal, reverse=True)[:_NEWEST]
    rows = [
        (html.link(f"/person/{slug}/threads/{entry.id}", entry.written["title"]), entry.written["type"],
         entry.milestone, stamp(entry.partner_update_time))
        for entry in newest
    ]  # fmt: skip
    return html.page(
        f"{data.PARTNERS[slug]}: threads", html.table(("Title", "Type", "Milestone", "Changed"), rows),
        html.form(
            f"/person/{slug}/threads", "New thread",
            html.choice("type", "Type", _options(words.THREAD_TYPES)),
            html.choice("exception_type", "Exception", _options(words.EXCEPTION_TYPES, empty=True)),
            html.choice("priority", "Priority", _options(words.PRIORITIES), "normal"),
            html.text_field("title", "Title", required=True), html.text_area("text", "First post"),
            html.text_field("po_number", "Purchase order number"),
            html.text_field("invoice_number", "Invoice number"), html.text_field("claim_number", "Claim number"),
            html.choice("code_list", "Reason code list", _options(words.CODE_LISTS)),
            html.text_field("reason_code", "Reason code"), html.text_field("amount", "Claimed amount"),
            html.text_field("currency", "Currency", "USD"), html.text_field("expected", "Expected quantity"),
            html.text_field("actual", "Actual quantity"),
            html.choice("document_class", "Document class", _options(words.DOCUMENT_CLASSES), "other"),
            html.file_field("file", "Document"), submit="Open thread", files=True,
        ),
    )  # fmt: skip


def thread(tenant: Tenant, who: Principal, shown: Thread) -> Response:
    """One thread: facts, posts, documents, and what the partner can do."""
    base = f"/person/{(who.partner_id or '').removeprefix('prt_')}/threads/{shown.id}"
    posts = [
        (post.partner_sequence, actor_view(who, tenant, post.author)["display_name"], post.kind,
         html.paragraph(post.body["text"] if post.body else "(redacted)"), stamp(post.create_time))
        for post in shown.partner_posts
    ]  # fmt: skip
    visible = [tenant.documents[key] for key, link in shown.documents.items() if link == "partner"]
    named = [(entry.written["name"], entry.written["document_class"], entry.state) for entry in visible]
    facts = [("State", shown.state), ("Milestone", shown.milestone), ("Waits for", shown.awaiting_reason or "-"),
             ("Resolution", shown.resolution["summary"] if shown.resolution else "-")]  # fmt: skip
    return html.page(
        shown.written["title"], html.table(("Fact", "Value"), facts),
        html.heading("Posts"), html.table(("No", "Author", "Kind", "Text", "Time"), posts),
        html.heading("Documents"), html.table(("Name", "Class", "State"), named),
        _post_form(base), _evidence_forms(tenant, shown, base),
        html.form(f"{base}/documents", "Upload a document",
                  html.choice("document_class", "Class", _options(words.DOCUMENT_CLASSES), "other"),
                  html.file_field("file", "File"), submit="Upload", files=True),
        html.form(f"{base}/title", "Edit the title",
                  html.text_field("title", "Title", shown.written["title"], required=True)),
        _move_forms(who, shown, base),
    )  # fmt: skip


def _post_form(base: str) -> Markup:
    return html.form(
        f"{base}/posts", "Write a post", html.text_area("text", "Text", required=True),
        html.choice("update_type", "Kind of update", _options(words.UPDATE_TYPES, empty=True)),
        html.choice("format", "Format", _options(("plain", "markdown", "html"))), submit="Post",
    )  # fmt: skip


def _evidence_forms(tenant: Tenant, shown: Thread, base: str) -> Markup:
    wanted = [tenant.evidence[key] for key in shown.evidence_ids]
    return Markup("").join(
        html.form(
            f"{base}/evidence/{entry.id}", f"Wanted: {entry.written['title']} ({entry.state})",
            html.paragraph(f"{entry.written.get('instructions', '')} Due {stamp(entry.due_time)}"),
            html.hidden("document_class", entry.written["document_class"]), html.file_field("file", "File"),
            submit="Submit", files=True,
        )
        for entry in wanted if entry.state in ("open", "submitted")
    )  # fmt: skip


def _move_forms(who: Principal, shown: Thread, base: str) -> Markup:
    return Markup("").join(
        html.form(f"{base}/transition", _MOVES[target], html.hidden("to_state", target),
                  html.text_field("reason", "Reason", required=target == "in_progress"), submit=_MOVES[target])
        for target in transitions.allowed(who, shown)
    )  # fmt: skip


def _any_event(_: Event) -> bool:
    return True


def hub(tenant: Tenant) -> Response:
    """Newest events and posts, each post with its redaction."""
    lane = tenant.feed.hub
    newest, _ = lane.page(max(lane.start, lane.end - _NEWEST), _NEWEST, _any_event)
    events = [
        (event.sequence, event.type, event.visibility, event.partner_id, event.resource.id,
         event.actor.display_name, stamp(event.time))
        for event in reversed(newest)
    ]  # fmt: skip
    newest_posts = list(tenant.posts.values())[-_NEWEST:]
    posts = [
        (post.id, post.author.display_name, post.visibility, post.body["text"] if post.body else "(redacted)",
         html.form(f"/person/hub/posts/{post.id}/redact", f"Redact {post.id}",
                   html.text_field("reason", "Reason", required=True), submit="Redact"))
        for post in reversed(newest_posts)
    ]  # fmt: skip
    return html.page(
        "What the hub sees", html.heading("Events"),
        html.table(("Sequence", "Type", "Visibility", "Partner", "Object", "By", "Time"), events),
        html.heading("Posts"), html.table(("Id", "Author", "Visibility", "Text", "Redaction"), posts),
    )  # fmt: skip

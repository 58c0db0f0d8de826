"""Person pages: one plain style, everything escaped, usable without JavaScript on a narrow screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

_STYLE = Markup("""
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere }
table { border-collapse: collapse; width: 100% } .wide { overflow-x: auto }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid #8886 }
th { overflow-wrap: normal } td > p { margin: 0 }
@media (max-width: 40rem) {
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) }
  tr { display: block; padding: .4rem 0; border-bottom: 1px solid #8886 }
  td { display: block; border: 0; padding: .1rem 0 }
  td[data-label]::before { content: attr(data-label) ": "; font-weight: 600 }
}
form { border: 1px solid #8888; border-radius: .4rem; padding: .8rem; margin: 1rem 0 }
form h2 { margin: 0 0 .4rem; font-size: 1rem } label { display: block; margin: .5rem 0; font-weight: 600 }
input, select, textarea { display: block; width: 100%; box-sizing: border-box; padding: .3rem }
input, select, textarea { font: inherit; font-weight: 400 }
input[type=checkbox] { display: inline; width: auto } button { font: inherit; padding: .4rem 1rem }
:focus-visible { outline: 3px solid #36c; outline-offset: 2px }
""")


def page(title: str, *parts: str, status: int = 200, home: str = "/") -> HTMLResponse:
    """A whole page; parts that are not Markup are escaped."""
    body = Markup("\n").join(escape(part) for part in parts)
    return HTMLResponse(
        Markup(
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>'
            '<link rel="icon" href="data:,"><style>{style}</style></head><body><nav><a href="{home}">Start</a></nav>'
            "<main><h1>{title}</h1>{body}</main></body></html>"
        ).format(title=title, style=_STYLE, home=home, body=body),
        status_code=status,
    )


def link(href: str, text: object) -> Markup:
    """A link."""
    return Markup('<a href="{}">{}</a>').format(href, text)


def heading(text: object) -> Markup:
    """A second-level heading."""
    return Markup("<h2>{}</h2>").format(text)


def paragraph(text: object) -> Markup:
    """A paragraph; line breaks of the text are kept."""
    return Markup('<p style="white-space: pre-wrap">{}</p>').format(text)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Markup:
    """A table with a header row; says so when it has no rows."""
    head = Markup("").join(Markup('<th scope="col">{}</th>').format(column) for column in columns)
    body = Markup("").join(
        Markup("<tr>{}</tr>").format(
            Markup("").join(
                Markup('<td data-label="{}">{}</td>').format(column, cell)
                for column, cell in zip(columns, row, strict=True)
            )
        )
        for row in rows
    ) or Markup('<tr><td colspan="{}">none</td></tr>').format(len(columns))
    return Markup('<div class="wide"><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>').format(
        head, body
    )


def text_field(name: str, label: str, value: object = "", *, required: bool = False) -> Markup:
    """A one-line input with its label."""
    return Markup('<label>{}<input name="{}" value="{}"{}></label>').format(
        label, name, value, Markup(" required") if required else ""
    )


def text_area(name: str, label: str, value: object = "", *, required: bool = False) -> Markup:
    """A text area with its label."""
    return Markup('<label>{}<textarea name="{}" rows="4"{}>{}</textarea></label>').format(
        label, name, Markup(" required") if required else "", value
    )


def choice(name: str, label: str, options: Iterable[tuple[object, object]], chosen: object = None) -> Markup:
    """A drop-down of (value, text) pairs with its label."""
    inner = Markup("").join(
        Markup('<option value="{}"{}>{}</option>').format(
            value, Markup(" selected") if str(value) == str(chosen) else "", text
        )
        for value, text in options
    )
    return Markup('<label>{}<select name="{}">{}</select></label>').format(label, name, inner)


def tick(name: str, label: str, *, on: bool = False) -> Markup:
    """A check box with its label; sends "1"."""
    return Markup('<label><input type="checkbox" name="{}" value="1"{}> {}</label>').format(
        name, Markup(" checked") if on else "", label
    )


def file_field(name: str, label: str) -> Markup:
    """A file input with its label; its form needs `files=True`."""
    return Markup('<label>{}<input type="file" name="{}"></label>').format(label, name)


def hidden(name: str, value: object) -> Markup:
    """A hidden value."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(name, value)


def form(action: str, title: str, *controls: str, submit: str = "Save", files: bool = False) -> Markup:
    """A POST form with a heading and one button."""
    kind = Markup(' enctype="multipart/form-data"') if files else ""
    inner = Markup("").join(escape(control) for control in controls)
    return Markup('<form method="post" action="{}"{}><h2>{}</h2>{}<button>{}</button></form>').format(
        action, kind, title, inner, submit
    )


def done(request: Request, location: str, **ids: object) -> Response:
    """The answer to a form: 303 to `location`, or the ids as JSON for `Accept: application/json`."""
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse(ids)
    return RedirectResponse(location, status_code=303)


def refused(request: Request, reason: str, *, status: int = 409, home: str = "/") -> Response:
    """A form that could not be carried out, with its reason."""
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse({"error": reason}, status)
    return page("Not done", paragraph(reason), status=status, home=home)

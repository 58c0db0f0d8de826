"""Files: base64 inside JSON while they fit, a comment with a link where they do not."""

from html import escape

from pipeline.connector import Facts, Work
from pipeline.connectors.gemini import facts as read
from pipeline.connectors.gemini.comment import post
from pipeline.connectors.gemini.settings import Options
from pipeline.connectors.gemini.texts import cleared, file_html, mark_html
from pipeline.connectors.gemini.wire import optional
from pipeline.domain.files import safe_name, why_not_copied
from pipeline.domain.reason import Reason
from pipeline.domain.text import to_html
from pipeline.errors import PermanentError
from pipeline.plan import Answers, Request, Stored
from schemas.content import FileState
from schemas.operation import Attach


def is_link(attach: Attach, options: Options) -> bool:
    """Whether a link stands for the bytes: none are stored, or the site would not take them (flows.md G1.10)."""
    return attach.stored is None or attach.file.size > options.max_file_bytes


def facts(attach: Attach, options: Options) -> tuple[Request, ...]:
    """Our user, where a comment is written."""
    return (read.me(options),) if is_link(attach, options) else ()


def plan(attach: Attach, work: Work, found: Facts, options: Options) -> tuple[Request, ...]:
    """The upload, or the comment in its place. Raises PermanentError for a file that was not found clean."""
    if attach.file.state is FileState.QUARANTINED and attach.stored is not None:
        raise PermanentError(Reason.FILE_QUARANTINED, f"{attach.file.name} is quarantined at its source")
    if is_link(attach, options):
        visibility = attach.text.visibility if attach.text else attach.file.visibility
        words = to_html(cleared(attach.text)) if attach.text else ""
        why = escape(why_not_copied(attach.file, options.max_file_bytes))
        line = f"<p>File: {file_html(attach.file, visibility)}</p>" + (f"<p>{why}</p>" if why else "")
        return (post(work, f"{words}{line}{mark_html(work)}", visibility, found, options),)
    number = read.item_number(work)
    body = {
        "ProjectId": options.project,
        "IssueId": number,
        "Name": file_name(attach),
        "ContentType": attach.file.content_type,
        "ContentLength": attach.file.size,
        "Content": Stored(attach.stored or "", attach.file.size, encode="base64"),
    }
    seconds = 60 + attach.file.size / 1_048_576  # decisions D10
    return (Request("attach", "POST", f"/items/{number}/attachments", body=body, deadline_seconds=seconds),)


def find(work: Work, options: Options) -> tuple[Request, ...]:
    """The item's files; our user proves that this is all of them."""
    return (read.me(options), Request("attachments", "GET", f"/items/{work.link.slot}/attachments", reads=True))


def found_file(attach: Attach, answers: Answers, options: Options) -> str | None:
    """The id of a file of this name and size: the site keeps no checksum and no mark (sheet, section 6)."""
    known = read.answers_as_facts(answers)
    read.my_id(known, options)
    wanted = (file_name(attach), attach.file.size)
    for row in read.rows(known, "attachments"):
        if (row.get("Name"), optional(row.get("ContentLength"))) == wanted:
            return str(row["Id"])
    return None


def file_name(attach: Attach) -> str:
    """The name, safe; a further version says so, and so never passes for the first (flows.md G3.2)."""
    name = safe_name(attach.file.name)
    if attach.file.version == 1:
        return name
    stem, dot, extension = name.rpartition(".")
    return f"{stem} (v{attach.file.version}).{extension}" if stem and dot else f"{name} (v{attach.file.version})"

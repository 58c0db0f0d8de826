"""Before words leave for a partner: are they still for the partner at the site right now (decisions D9)?"""

from pipeline.connectors.gemini.records import Item
from pipeline.connectors.gemini.settings import Options
from pipeline.connectors.gemini.site import Site
from pipeline.connectors.gemini.snapshot import audience, files, owners_of, purposes
from pipeline.connectors.gemini.wire import plain
from pipeline.domain.identity import normal
from pipeline.domain.text import comparable
from schemas.change import Change, ChangeKind
from schemas.content import Format, Text, Visibility

SPOKEN = {ChangeKind.SAID, ChangeKind.EDITED}


def still_for_partner(change: Change, site: Site) -> bool:
    """False as soon as anything that the change would show is gone, narrower or reworded.

    A refusal is only believed of a site that knows us: raises AuthError otherwise, and TransientError where it
    cannot be asked.
    """
    still = _comment_holds(change, site) if change.kind in SPOKEN else _item_holds(change, site)
    if not still:
        site.verify()
    return still


def _comment_holds(change: Change, site: Site) -> bool:
    comment = site.comment(int(change.ref.external_id), int(change.part_id or 0))
    if comment is None or audience(comment, site.options) is not Visibility.PARTNER:
        return False
    now = comparable(Text(comment.markup, Format.HTML))
    return change.text is not None and comparable(change.text) in now  # words may have been added, none taken away


def _item_holds(change: Change, site: Site) -> bool:
    """Title, field values, resolution text and files, as far as the change tells them."""
    item = site.item(int(change.ref.external_id))
    if item is None:
        return False
    wanted = {str(file.external_id) for file in change.files if file.visibility is Visibility.PARTNER}
    return (
        (change.kind is not ChangeKind.TITLE or item.title == change.snapshot.title)
        and _fields_hold(change, purposes(item, site.options))
        and (not wanted or wanted <= _partner_files(item, site, site.options))
    )


def _fields_hold(change: Change, values: dict[str, str]) -> bool:
    """The told values are still there; of the resolution no word may have been taken away."""
    said = {name: value for name, value in change.details.get("fields", {}).items() if name in values}
    resolution = change.snapshot.extra.get("public_resolution", "") if change.kind is ChangeKind.STATE else ""
    held = all(plain(value) == values[name] for name, value in said.items())
    return held and normal(resolution) in normal(values.get("PublicResolution", ""))


def _partner_files(item: Item, site: Site, options: Options) -> set[str]:
    attachments = site.attachments(item)
    shown = files(attachments, owners_of(site.comments(item), attachments), item, options)
    return {file.external_id for file in shown if file.visibility is Visibility.PARTNER}

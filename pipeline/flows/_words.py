"""What several flows need: partners and statuses by configuration, notes to colleagues, relayed words."""

from collections.abc import Iterable

from msgspec import structs

from pipeline.config import Config, Partner
from pipeline.connector import Link
from pipeline.domain.milestones import Milestone, parse
from pipeline.domain.reason import Reason
from pipeline.errors import PermanentError
from pipeline.flow import Situation, Step
from schemas.change import Change
from schemas.content import Author, Format, Side, Text, Visibility
from schemas.operation import Comment

CARRYING = frozenset({"zendesk"})  # systems where files are part of a comment; elsewhere they have steps of their own
CASEBRIDGE = Author(Side.SYSTEM, name="casebridge", ours=True)


def milestone_of(system: str, label: str, config: Config) -> Milestone:
    """The milestone that a system's status means. Raises PermanentError naming the missing line of configuration."""
    statuses = config.sections.get(system, {}).get("statuses", {})
    found = parse(str(statuses.get(label, "")))
    if found is None:
        raise PermanentError(
            Reason.UNMAPPED_STATUS,
            f"found status {label!r} of {system}, expected it in {config.file} under {system}: statuses:"
            f" — add the line `{label!r}: <milestone>`",
        )
    return found


def partner_of(system: str, external_id: str, config: Config) -> Partner:
    """The partner with this id at a system. Raises PermanentError naming the missing line of configuration."""
    found = config.partner_at(system, external_id) or config.partner(external_id)
    if found is None:
        raise PermanentError(
            Reason.UNKNOWN_PARTNER,
            f"found {system} id {external_id!r}, expected it in {config.file} under partners:"
            f" — add the line `- {{key: <name>, {system}: {external_id}}}`",
        )
    return found


def note(flow: str, name: str, link: Link, sentence: str) -> Step:
    """An internal note by casebridge to the people at one object."""
    text = Text(sentence, Format.PLAIN, Visibility.INTERNAL)
    return Step(flow, name, link.system, Comment(link_id=link.id, text=text, author=CASEBRIDGE, note=True))


def relayed(flow: str, situation: Situation, links: Iterable[Link], *, visibility: Visibility) -> list[Step]:
    """The change's words on each of these objects, with the given audience: PARTNER only where they already are.

    Stored files go along where a comment carries files; elsewhere `_files.attached` brings them after the words.
    """
    change = situation.change
    assert change.text is not None
    if visibility is Visibility.PARTNER and change.text.visibility is not Visibility.PARTNER:
        visibility = Visibility.INTERNAL
    text = structs.replace(change.text, visibility=visibility)
    return [
        Step(
            flow,
            f"say_{link.system}_{link.id}",
            link.system,
            Comment(
                link_id=link.id,
                text=text,
                author=signed(change.author, situation),
                at=change.at,
                origin=origin_of(change),
                update_type=change.details.get("update_type"),
                files=change.files,
                details={"carries_files": True} if change.files and link.system in CARRYING else {},
            ),
        )
        for link in links
    ]


def signed(author: Author, situation: Situation) -> Author:
    """The author as others may know them: a partner by its company's name, everybody else by their side."""
    partner = situation.case.partner
    if author.side is Side.PARTNER and partner is not None:
        return structs.replace(author, name=partner.name or partner.key)
    return author


def origin_of(change: Change) -> str:
    """Which part of which object these words are, for redactions."""
    return f"{change.ref}#{change.part_id or ''}"


def others(situation: Situation, system: str, kind: str = "") -> tuple[Link, ...]:
    """The case's current objects at a system, but for the changed one itself."""
    return tuple(link for link in situation.case.current(system, kind) if link.id != situation.here.id)

"""Files of a change on the case's other objects: bytes where there is a copy, else a line that says why not."""

from collections.abc import Iterable

from msgspec import structs

from pipeline.connector import Link
from pipeline.domain.files import why_not_copied
from pipeline.domain.reason import Reason
from pipeline.errors import SkippedError
from pipeline.flow import Situation, Step
from pipeline.flows._words import note
from schemas.content import File, FileState, Visibility
from schemas.operation import Attach


def arrived(flow: str, situation: Situation, links: Iterable[Link]) -> list[Step]:
    """A FILE change: the file on each of these objects. Raises SkippedError for what waits or is our own."""
    change = situation.change
    if change.details.get("ours"):
        raise SkippedError(Reason.ECHO, "casebridge itself put this file there")
    if any(file.state is FileState.PENDING_SCAN for file in change.files):
        raise SkippedError(Reason.WAITING_SCAN, "the end of its scan is told by a change of its own")
    return attached(flow, situation, links)


def attached(flow: str, situation: Situation, links: Iterable[Link]) -> list[Step]:
    """One step for each scanned file and object; a file stays as visible as it is at its source.

    One that was neither copied nor withheld was not meant to travel. A quarantined one is named to the team alone
    (flows.md G1.5). Partners get nothing but stored files that are for them; of one that cannot be had the team is
    told where it was put.
    """
    files = [file for file in situation.change.files if _travels(file)]
    steps = [step for link in links for file in files for step in _steps(flow, situation, link, file)]
    return list({step.full_name: step for step in steps}.values())


def _travels(file: File) -> bool:
    if file.state is FileState.READY:
        return file.stored is not None or file.withheld is not None
    return file.state is FileState.QUARANTINED


def _steps(flow: str, situation: Situation, link: Link, file: File) -> Iterable[Step]:
    quarantined = file.state is FileState.QUARANTINED
    if link.system == "trading_grid":
        if file.visibility is not Visibility.PARTNER:
            return
        if quarantined or file.stored is None:
            yield note(flow, f"not_sent_{file.external_id}_v{file.version}", situation.here, _not_sent(file))
            return
    if quarantined:
        file = structs.replace(file, visibility=Visibility.INTERNAL, url=None, stored=None)
    name = f"file_{file.external_id}_v{file.version}_{link.id}"
    yield Step(flow, name, link.system, Attach(link_id=link.id, file=file, stored=file.stored))


def _not_sent(file: File) -> str:
    return f"The file {file.name} was not sent to the partner. {why_not_copied(file)}".rstrip()

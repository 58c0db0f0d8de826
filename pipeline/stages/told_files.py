"""The same file on one object once: several changes may speak of it (linked, scanned, attached to a post)."""

from collections.abc import Iterator
from dataclasses import replace

from pipeline.domain.reason import Reason
from pipeline.plan import Outcome, Verdict
from pipeline.stages.dispatch import Delivered
from schemas.content import File, FileState
from schemas.operation import AnyOperation, Attach, Comment

KIND = "file"  # of a part: `<link>:<content>`; by content, so the same bytes under two names are one file too
Part = tuple[str, str]


def told_by(operation: AnyOperation) -> tuple[Part, ...]:
    """What the operation tells of files: its own file, or those that a comment carries along."""
    return tuple((KIND, f"{operation.link_id}:{_content(file)}") for file in _files(operation))


def already_told() -> Delivered:
    """The outcome for a file that an earlier delivery put (or named) there."""
    outcome = Outcome(Verdict.ALREADY, Reason.ALREADY_SO, "an earlier delivery put this file there")
    return Delivered(outcome, None, (), looked=False, rounds=1, ms=0.0)


def with_files(delivered: Delivered, operation: AnyOperation) -> Delivered:
    """A delivery that arrived, its receipt naming its files for whoever speaks of them next."""
    told = told_by(operation)
    if not told or delivered.receipt is None or delivered.outcome.verdict is not Verdict.DONE:
        return delivered
    receipt = replace(delivered.receipt, parts=(*delivered.receipt.parts, *told))
    return replace(delivered, receipt=receipt)


def _files(operation: AnyOperation) -> Iterator[File]:
    if isinstance(operation, Attach):
        yield operation.file
    elif isinstance(operation, Comment) and operation.details.get("carries_files"):
        yield from (file for file in operation.files if file.state is not FileState.PENDING_SCAN)


def _content(file: File) -> str:
    return file.stored or file.sha256 or f"{file.external_id}:v{file.version}"

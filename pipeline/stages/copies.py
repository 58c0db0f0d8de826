"""Files of a reading are copied before its changes are stored: whatever is delivered later needs nothing but the copy.

A file that cannot be had never holds back the words beside it for good: after the bound the change goes on with the
file withheld, its reason on record as a dead letter of its own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from msgspec import structs

from pipeline.connector import Source
from pipeline.documents import Copier, MismatchError
from pipeline.domain.reason import Reason
from pipeline.domain.retry import RetryPolicy
from pipeline.errors import AuthError, LeaseLostError, PermanentError, QuotaError, TransientError
from schemas.change import Change, ChangeKind
from schemas.content import File, FileState, Side, Visibility

MISMATCHES = 4  # readings in which the bytes may be wrong before the file is given up
CARRYING = frozenset({ChangeKind.OPENED, ChangeKind.SAID, ChangeKind.FILE})
TOLD_BY_LINK = frozenset({Reason.FILE_TOO_LARGE, Reason.FILE_QUARANTINED})  # no fault, so no dead letter


@dataclass(frozen=True)
class Withheld:
    """A file that was given up, with the change that carries it."""

    change: Change
    reason: Reason
    detail: str


@dataclass(frozen=True)
class Copies:
    """How the files of one reading are copied; `tries` counts its readings so far, this one included."""

    copier: Copier
    source: Source
    policy: RetryPolicy
    tries: int
    renew: Callable[[], None]

    def of(self, changes: Sequence[Change]) -> tuple[tuple[Change, ...], tuple[Withheld, ...]]:
        """The changes with their files stored or withheld, and the files that were given up.

        Raises TransientError while a file may still be had at a later reading, LeaseLostError.
        """
        given_up: list[Withheld] = []
        copied: dict[tuple[str, int], File] = {}  # several changes of one reading may speak of one file
        for change in changes:
            for file in change.files:
                if wanted(change, file) and _key(file) not in copied:
                    copied[_key(file)] = self._one(change, file, given_up)
        return tuple(_with_copies(change, copied) for change in changes), tuple(given_up)

    def _one(self, change: Change, file: File, given_up: list[Withheld]) -> File:
        try:
            return self.copier.copy(self.source.content(change.ref, file), file, self.renew)
        except (LeaseLostError, QuotaError):
            raise
        except (MismatchError, AuthError) as error:
            # the source was just read with the same log-in, so a refusal here is about this file alone
            if self.tries < MISMATCHES:
                raise TransientError(str(error)) from error
            reason = Reason.CHECKSUM_MISMATCH if isinstance(error, MismatchError) else Reason.REJECTED
            detail = str(error)
        except TransientError as error:
            if self.policy.wait(self.tries, jitter=0) is not None:
                raise
            reason, detail = Reason.RETRIES_EXHAUSTED, str(error)
        except PermanentError as error:
            reason, detail = error.reason, error.detail
        if reason not in TOLD_BY_LINK:
            given_up.append(Withheld(change, reason, f"file {file.external_id} ({file.name}): {detail}"))
        return structs.replace(file, withheld=reason.value)


def _key(file: File) -> tuple[str, int]:
    return file.external_id, file.version


def _with_copies(change: Change, copied: Mapping[tuple[str, int], File]) -> Change:
    """The change with what was learned of its files; each keeps the visibility that it has in this very change."""
    files = tuple(_learned(file, copied.get(_key(file))) if wanted(change, file) else file for file in change.files)
    return structs.replace(change, files=files) if files != change.files else change


def _learned(file: File, copy: File | None) -> File:
    if copy is None:
        return file
    return structs.replace(file, stored=copy.stored, withheld=copy.withheld, sha256=copy.sha256, size=copy.size)


def wanted(change: Change, file: File) -> bool:
    """Whether a flow may carry it: scanned, not ours, and either for partners or a partner's own."""
    shown = file.visibility is Visibility.PARTNER or change.author.side is Side.PARTNER
    ours = change.author.ours or bool(change.details.get("ours"))
    return change.kind in CARRYING and file.state is FileState.READY and shown and not ours

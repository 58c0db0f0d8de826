"""What can go wrong, named by what to do next.

* CasebridgeError
  + TransientError        try again; carries retry_after (seconds) when the other side said so
    - UnreachableError      no connection: nothing was sent
    - UnknownOutcomeError   sent, but the answer is lost: look before repeating
    - AuthError             the log-in is refused: pause the system, raise the alarm, burn no attempts
    - QuotaError            our own share of a rate limit is used up: nothing was sent
    - LeaseLostError        the fence is gone: drop the work, write nothing
  + PermanentError        trying again cannot help: dead-letter with the reason
    - InvalidPayloadError   the payload breaks its schema
    - VisibilityError       an internal value was about to reach a partner
    - RefusedAddressError   an address that must not be called
  + ConfigurationError    casebridge.yaml or the environment is wrong: all faults at once
  + SkippedError          nothing to do, on purpose; recorded, never retried
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.domain.reason import Reason


class CasebridgeError(Exception):
    """Root of everything that casebridge raises on purpose."""


class TransientError(CasebridgeError):
    """Try again; `retry_after` in seconds when the other side named a time."""

    def __init__(self, detail: str, *, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class UnreachableError(TransientError):
    """No connection was made, so certainly nothing was sent."""


class UnknownOutcomeError(TransientError):
    """The request left, the answer did not come: it may have happened."""


class AuthError(TransientError):
    """The other side refuses our log-in, in whatever disguise: the class `auth` of reliability.md 3.4."""


class QuotaError(TransientError):
    """Our own share of the system's rate limit is used up; `retry_after` says until when."""


class LeaseLostError(TransientError):
    """The fence of this lane or object is somebody else's by now."""


class PermanentError(CasebridgeError):
    """Trying again cannot help; `reason` is one of the closed list."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class InvalidPayloadError(PermanentError):
    """The payload breaks its schema: kept whole, dead-lettered as `unreadable`."""

    def __init__(self, detail: str) -> None:
        super().__init__(Reason.UNREADABLE, detail)


class VisibilityError(PermanentError):
    """A value that is not cleared for partners was about to be sent to one."""

    def __init__(self, detail: str) -> None:
        super().__init__(Reason.VISIBILITY, detail)


class RefusedAddressError(PermanentError):
    """The address is private, loopback or otherwise not to be called (decisions D11)."""

    def __init__(self, detail: str) -> None:
        super().__init__(Reason.REJECTED, detail)


class SkippedError(CasebridgeError):
    """Nothing to do, on purpose."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(detail or reason.value)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class Problem:
    """One fault of a configuration: where it is, what stands there, what was expected."""

    file: str
    line: int | None
    found: str
    expected: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: found {self.found}, expected {self.expected}"


class ConfigurationError(CasebridgeError):
    """The configuration or the environment is wrong; `problems` names every fault at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)

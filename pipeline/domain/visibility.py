"""The one gate to partners (design.md 4): only here does a value become `Cleared`.

Default deny. A partner-facing plan takes `Cleared[...]` and nothing else: mypy refuses the rest when the code is
checked, `require` refuses it when the code runs.
"""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pipeline.errors import VisibilityError
from schemas.content import File, Text, Visibility

T = TypeVar("T")


@dataclass(frozen=True)
class _Seal:
    """Says which very value was looked at, so that a copy with another value in it is not sealed."""

    value: object


@dataclass(frozen=True)
class Cleared(Generic[T]):
    """A value that may reach the partner. Only this module can make one."""

    value: T
    seal: object = None

    def __post_init__(self) -> None:
        if not _is_sealed(self):
            raise VisibilityError("Cleared values are made by pipeline.domain.visibility alone")


def clear_text(text: Text) -> Cleared[Text]:
    """The text, if it is marked for the partner. Raises VisibilityError otherwise."""
    _refuse_internal(text.visibility, "a text")
    return Cleared(text, _Seal(text))


def clear_file(file: File) -> Cleared[File]:
    """The file, if it is marked for the partner. Raises VisibilityError otherwise."""
    _refuse_internal(file.visibility, f"file {file.external_id}")
    return Cleared(file, _Seal(file))


def clear_label(label: str) -> Cleared[str]:
    """A label out of casebridge's own closed vocabulary (milestones, case numbers): never a person's words."""
    return Cleared(label, _Seal(label))


def require(value: object) -> Any:
    """What is inside a cleared value; the run-time half of the gate. Raises VisibilityError for anything else."""
    if not isinstance(value, Cleared) or not _is_sealed(value):
        raise VisibilityError(f"{type(value).__name__} was about to reach a partner uncleared")
    return value.value


def _is_sealed(cleared: Cleared[Any]) -> bool:
    return isinstance(cleared.seal, _Seal) and cleared.seal.value is cleared.value


def _refuse_internal(visibility: object, what: str) -> None:
    if visibility is not Visibility.PARTNER:
        raise VisibilityError(f"{what} is {visibility}, expected {Visibility.PARTNER}")

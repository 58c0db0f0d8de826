"""Reasons by the text that stands in the ledger."""

from collections.abc import Mapping
from types import MappingProxyType

from pipeline.domain.reason import Reason

BY_VALUE: Mapping[str, Reason] = MappingProxyType({reason.value: reason for reason in Reason})


def known(value: str | None, otherwise: Reason) -> Reason:
    """The reason as stored; a row of another version may hold none that is known here."""
    return BY_VALUE.get(value or "", otherwise)


def explained(value: str) -> dict[str, str]:
    """A stored reason with its sentence and next step."""
    reason = known(value, Reason.REJECTED)
    return {"reason": value, "sentence": reason.sentence, "next_step": reason.next_step}

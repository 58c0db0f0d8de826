"""Why an operator's wish is not granted: what is so, and what to do next."""

from pipeline.errors import CasebridgeError


class RefusedError(CasebridgeError):
    """It cannot be done as things are; `next_step` says what would help."""

    def __init__(self, sentence: str, next_step: str) -> None:
        super().__init__(f"{sentence} {next_step}".strip())
        self.sentence = sentence
        self.next_step = next_step


class WrongUseError(RefusedError):
    """The wish itself is wrong or incomplete."""


class NotFoundError(RefusedError):
    """What was named is not in the ledger."""

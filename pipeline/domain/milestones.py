"""The state map of flows.md: milestones in Trading Grid's words, what partners read, what each side may do."""

from dataclasses import dataclass

from schemas.content import Format, Text, Visibility

STATES = (
    "new",
    "received",
    "assigned",
    "in_progress",
    "awaiting_partner",
    "awaiting_approval",
    "resolved",
    "closed",
    "withdrawn",
)
AWAITING = ("input", "documents", "confirmation", "correction")

LABELS = {
    "new": "Received",
    "received": "Received",
    "assigned": "Assigned",
    "in_progress": "In progress",
    "awaiting_partner": "Awaiting your input",
    "awaiting_approval": "Under review",
    "resolved": "Resolved",
    "closed": "Closed",
    "withdrawn": "Withdrawn",
}
AWAITING_LABELS = {
    "input": "Awaiting your input",
    "documents": "Awaiting documents",
    "confirmation": "Awaiting your confirmation",
    "correction": "Awaiting your correction",
}
SENTENCES = {
    "received": "Your message has been received.",
    "assigned": "Your case has been assigned.",
    "in_progress": "Your case is in progress.",
    "awaiting_approval": "Your case is under review.",
    "closed": "Your case is closed.",
}
AWAITING_SENTENCES = {
    "input": "We are waiting for your input.",
    "documents": "We are waiting for documents from you.",
    "confirmation": "We are waiting for your confirmation.",
    "correction": "We are waiting for your correction.",
}


@dataclass(frozen=True)
class Milestone:
    """A state, and for `awaiting_partner` what is awaited."""

    state: str
    awaiting_reason: str | None = None

    def __str__(self) -> str:
        return f"{self.state}:{self.awaiting_reason or ''}"

    @property
    def label(self) -> str:
        """What the partner reads."""
        return AWAITING_LABELS[self.awaiting_reason] if self.awaiting_reason else LABELS[self.state]

    @property
    def note(self) -> Text | None:
        """The sentence that goes with it: casebridge's own words, so it may reach the partner."""
        sentence = AWAITING_SENTENCES[self.awaiting_reason] if self.awaiting_reason else SENTENCES.get(self.state)
        return None if sentence is None else ours(sentence)


def parse(text: str) -> Milestone | None:
    """`in_progress`, `awaiting_partner:documents`; awaiting_partner alone awaits input. None when it is neither."""
    state, _, awaited = text.partition(":")
    if state not in STATES or (awaited and (state != "awaiting_partner" or awaited not in AWAITING)):
        return None
    if state == "awaiting_partner":
        return Milestone(state, awaited or "input")
    return Milestone(state)


def ours(sentence: str) -> Text:
    """A sentence out of casebridge's own closed vocabulary, meant for the partner."""
    return Text(sentence, Format.PLAIN, Visibility.PARTNER)

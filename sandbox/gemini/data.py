"""The start data of the site: published test data that casebridge's example configuration names."""

from __future__ import annotations

from dataclasses import dataclass

from .model import User

GROUPS = {
    1: "Everyone",
    2: "Gemini Administrators",
    3: "Everyone (Authenticated)",
    4: "Resolution team",
    5: "Partner visible",
}
INTERNAL_GROUP, PARTNER_GROUP = 4, 5

CUSTOM_FIELDS = {
    31: "PublicResolution",
    32: "EvidenceRequested",
    33: "EvidenceDue",
    34: "EvidenceText",
    35: "EvidenceReview",
    36: "ExternalReference",
    37: "PartnerName",
    38: "TransactionReferences",
}
INLINE_FIELDS = frozenset({31})  # shown on the item's page, therefore sent a second time in each IssueDto


@dataclass(frozen=True, slots=True)
class Project:
    """A project; `template_id` says whose types, statuses and priorities it uses."""

    id: int
    code: str
    name: str
    template_id: int


@dataclass(frozen=True, slots=True)
class Meta:
    """One entry of a lookup list; `flag` is IsFinal of a status and IsResolved of a resolution."""

    id: int
    label: str
    template_id: int
    flag: bool = False


HELP = 7  # the help desk's template
DEMO = 8  # a second one, with equal labels under other ids

PROJECTS = {12: Project(12, "HELP", "Help Desk", HELP), 13: Project(13, "DEMO", "Demonstration", DEMO)}

TYPES = {61: Meta(61, "Investigation", HELP), 62: Meta(62, "Task", HELP), 161: Meta(161, "Investigation", DEMO)}
STATUSES = {
    51: Meta(51, "Unassigned", HELP),
    52: Meta(52, "Assigned", HELP),
    53: Meta(53, "In Progress", HELP),
    54: Meta(54, "Awaiting Partner", HELP),
    55: Meta(55, "Awaiting Approval", HELP),
    56: Meta(56, "Resolved", HELP),
    57: Meta(57, "Closed", HELP, flag=True),
    151: Meta(151, "Unassigned", DEMO),
    152: Meta(152, "In Progress", DEMO),
    153: Meta(153, "Closed", DEMO, flag=True),
}
PRIORITIES = {
    71: Meta(71, "Low", HELP),
    72: Meta(72, "Medium", HELP),
    73: Meta(73, "High", HELP),
    171: Meta(171, "Low", DEMO),
}
SEVERITIES = {76: Meta(76, "Minor", HELP), 77: Meta(77, "Major", HELP), 176: Meta(176, "Minor", DEMO)}
RESOLUTIONS = {
    81: Meta(81, "Unresolved", HELP),
    82: Meta(82, "Parked - No Further Action", HELP, flag=True),
    83: Meta(83, "Complete", HELP, flag=True),
    181: Meta(181, "Unresolved", DEMO),
}
LINK_TYPES = {91: "Related", 92: "Follows"}

WORKFLOWS: dict[int, dict[int, tuple[int, ...]]] = {
    61: {51: (52,), 52: (51, 53), 53: (54, 55, 56, 57), 54: (53,), 55: (53, 56), 56: (53, 57), 57: ()},
    62: {51: (52,), 52: (51, 53), 53: (54, 55, 56, 57), 54: (53,), 55: (53, 56), 56: (53, 57), 57: (53,)},
    161: {151: (152,), 152: (153,), 153: ()},
}
"""Per type: the statuses that each status may go to. An investigation has no way out of Closed; a task has."""

API_USER = "casebridge"
HOOK_PATH = "/hooks/gemini/sandbox-wake-up-token"


def users() -> dict[int, User]:
    """Fresh users by id."""
    team = frozenset({1, 3, INTERNAL_GROUP, PARTNER_GROUP})
    people = [
        User(9, API_USER, "Casebridge", "sandbox-gemini-key", team),
        User(21, "anna", "Anna", "sandbox-gemini-anna", team),
        User(22, "ben", "Ben", "sandbox-gemini-ben", team),
    ]
    return {person.id: person for person in people}


def of_template(metas: dict[int, Meta], template_id: int) -> list[Meta]:
    """The entries of one template, in their order."""
    return [meta for meta in metas.values() if meta.template_id == template_id]


def label(metas: dict[int, Meta], meta_id: int) -> str:
    """The label of an entry; "" for an id that is none."""
    return metas[meta_id].label if meta_id in metas else ""

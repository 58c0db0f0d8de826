"""The closed list of reasons (decisions D19): one sentence and one next step each, for `why` and dead letters."""

from enum import StrEnum
from typing import Self


class Reason(StrEnum):
    """Why something is as it is. The value is what stands in the ledger."""

    sentence: str
    next_step: str

    def __new__(cls, value: str, sentence: str, next_step: str) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.sentence = sentence
        member.next_step = next_step
        return member

    DELIVERED = "delivered", "It arrived at its target.", "Nothing to do."
    DELIVERED_JOINED = (
        "delivered_joined",
        "It arrived as part of another request of the same case.",
        "Nothing to do.",
    )
    ALREADY_SO = "already_so", "The target was already as wanted; nothing was written.", "Nothing to do."
    SUPERSEDED = "superseded", "A newer value of the same thing took its place.", "Nothing to do."
    ECHO = "echo", "It is the echo of casebridge's own write.", "Nothing to do."
    NOTHING_NEW = "nothing_new", "The source was read and held nothing new.", "Nothing to do."
    NOT_ROUTED = "not_routed", "No flow is meant for it.", "Nothing to do, or widen the flow's configuration."
    OLDER_REVISION = "older_revision", "A newer revision of the object was seen before it.", "Nothing to do."
    WAITING_TURN = "waiting_turn", "An earlier delivery of the same case goes first.", "Wait."
    WAITING_FOR = (
        "waiting_for",
        "It needs the result of another delivery.",
        "Look at that delivery; requeue it if it is dead.",
    )
    WAITING_RETRY = "waiting_retry", "The last attempt failed; it is tried again at its time.", "Wait."
    WAITING_QUOTA = "waiting_quota", "The target's rate limit is used up.", "Wait."
    WAITING_SETTLE = (
        "waiting_settle",
        "It waits a moment for a newer status or for our own write to settle.",
        "Wait.",
    )
    WAITING_SCAN = "waiting_scan", "A file is still being scanned at its source.", "Wait."
    SOURCE_UNREACHABLE = (
        "source_unreachable",
        "The source could not be asked whether its text is still for the partner.",
        "Bring the source back; it goes on by itself.",
    )
    TARGET_PAUSED = "target_paused", "The target is paused by an operator.", "Resume the target."
    TARGET_FAILING = (
        "target_failing",
        "The target fails for all its cases.",
        "Bring the target back; it goes on by itself.",
    )
    TARGET_REFUSES_LOGIN = (
        "target_refuses_login",
        "The target refuses our log-in.",
        "Renew the credentials in the environment and restart; it goes on without loss.",
    )
    UNREADABLE = (
        "unreadable",
        "The signal could not be parsed.",
        "Look at the raw bytes with `casebridge show`.",
    )
    UNKNOWN_PARTNER = (
        "unknown_partner",
        "No partner of casebridge.yaml has this id.",
        "Add the partner, apply the configuration, requeue.",
    )
    UNMAPPED_STATUS = (
        "unmapped_status",
        "The status stands in no map.",
        "Add the missing line of `statuses`, apply the configuration, requeue.",
    )
    UNMAPPED_TYPE = (
        "unmapped_type",
        "The type stands in no map.",
        "Add the missing line of `types`, apply the configuration, requeue.",
    )
    UNMAPPED_VALUE = (
        "unmapped_value",
        "A field's value stands in no map.",
        "Add the missing line of the field's `map`, apply the configuration, requeue.",
    )
    NO_BINDING = (
        "no_binding",
        "The case has no object at this target.",
        "Bind the case or open the object, requeue.",
    )
    AMBIGUOUS_PARTNER = "ambiguous_partner", "More than one partner fits.", "Name the partner at the source."
    NOT_A_CONTACT = "not_a_contact", "The requester is no contact of the partner.", "An agent decides."
    VISIBILITY = (
        "visibility",
        "The text, file or name is internal or not known to be for the partner.",
        "Have it said anew for the partner at its source; it is never sent as it is.",
    )
    VISIBILITY_MISMATCH = (
        "visibility_mismatch",
        "The target stored another visibility than was sent.",
        "Check the groups and permissions at the target before anything else is written.",
    )
    INTERNAL_TEXT = (
        "internal_text",
        "The text holds a word that marks it as internal.",
        "Have it said anew at its source.",
    )
    CROSS_PARTNER = "cross_partner", "It would tie two partners together.", "Correct it at the source."
    FAN_OUT = "fan_out", "The addressee stands for several partners.", "Address one partner at a time."
    FILE_QUARANTINED = "file_quarantined", "The file is quarantined at its source.", "Nothing is copied."
    FILE_TOO_LARGE = (
        "file_too_large",
        "The file is above the target's limit; a link stands for it.",
        "Use the link.",
    )
    FILE_TYPE_REFUSED = "file_type_refused", "The file's type is refused.", "Send another type."
    CHECKSUM_MISMATCH = (
        "checksum_mismatch",
        "The bytes do not match their checksum.",
        "Upload the file again.",
    )
    LEGAL_HOLD = "legal_hold", "A legal hold forbids deletion.", "Lift the hold or leave it."
    SEGREGATION_OF_DUTIES = (
        "segregation_of_duties",
        "The same person must not ask and decide.",
        "Somebody else decides.",
    )
    NOT_ALLOWED = "not_allowed", "The person's role does not allow it.", "Somebody with the role does it."
    TRANSITION_REFUSED = (
        "transition_refused",
        "The target's workflow has no way to the wanted state.",
        "Move the object at the target by hand, or change its workflow, then requeue.",
    )
    TARGET_GONE = "target_gone", "The object at the target is gone.", "Open a new one or discard."
    TARGET_CLOSED = (
        "target_closed",
        "The object at the target is closed for changes.",
        "Requeue after reopening it.",
    )
    TARGET_FULL = "target_full", "The object at the target takes no more.", "Open a follow-up, then requeue."
    REJECTED = "rejected", "The target understood and refused.", "Read the answer with `casebridge show`."
    MAY_HAVE_HAPPENED = (
        "may_have_happened",
        "The answer was lost and the target cannot be asked.",
        "Look at the target: discard if it is there, requeue if not.",
    )
    RETRIES_EXHAUSTED = (
        "retries_exhausted",
        "All attempts failed over 72 hours.",
        "Mend the cause, then requeue.",
    )
    KILLS_WORKER = (
        "kills_worker",
        "Three workers died over it.",
        "Look at the payload; do not requeue blindly.",
    )
    LOOP = "loop", "It went back and forth between the systems.", "Look for a second integration."
    DISCARDED = "discarded", "An operator discarded it.", "Nothing to do."
    CANCELLED = "cancelled", "It was cancelled before it was sent.", "Nothing to do."

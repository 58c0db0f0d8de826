"""What of a ticket a partner reads: title and words, without personal data of the end customer (decisions D8)."""

from pipeline.flow import Situation
from pipeline.flows._personal import without_personal_data
from schemas.content import Format, Text, Visibility


def title_of(situation: Situation) -> str:
    """The subject, by setting; else a title made of exception type and references (decisions D8)."""
    ticket = situation.change.snapshot
    if situation.config.sections.get("zendesk", {}).get("share_subject", True) and ticket.title.strip():
        return cleaned(situation, ticket.title)
    parts = [ticket.exception_type or "Question", *(f"{r.kind} {r.value}" for r in ticket.references)]
    return ", ".join(part.replace("_", " ") for part in parts)


def description_of(situation: Situation) -> Text | None:
    """What was written for the partner: the field, else the newest `#partner` comment, else nothing (D8)."""
    newest = next(iter(situation.change.snapshot.extra.get("partner_comments") or []), None)
    if (field := field_text(situation)) is not None or newest is None:
        return field
    return Text(cleaned(situation, str(newest["body"])), Format(newest["format"]), Visibility.PARTNER)


def field_text(situation: Situation) -> Text | None:
    """The text of the field for the partner's description, if it is filled."""
    body = str(situation.change.snapshot.extra.get("partner_description") or "")
    if not body.strip():
        return None
    return Text(cleaned(situation, body), Format.PLAIN, Visibility.PARTNER)


def cleaned(situation: Situation, text: str) -> str:
    """The text as the partner may read it (Z1.4)."""
    ticket = situation.change.snapshot
    names = [str(name) for name in ticket.extra.get("customer_names") or []]
    return without_personal_data(text, names, [reference.value for reference in ticket.references])


def shown_to_agent(situation: Situation, text: Text | None) -> str:
    """The agent sees what was sent (Z1.4)."""
    partner = situation.case.partner
    assert partner is not None
    references = "; ".join(f"{r.kind}: {r.value}" for r in situation.change.snapshot.references) or "none"
    words = text.body if text is not None else "no text"
    return f"Sent to {partner.name or partner.key}: {title_of(situation)} / references: {references} / {words}"

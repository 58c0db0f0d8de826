"""Personal data of end customers, taken out of what a partner reads (flows.md Z1.4)."""

import re
from collections.abc import Iterable

REMOVED = "[removed]"
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_DATE = r"(?!\d{1,4}[./-]\d{1,2}[./-]\d{1,4}(?!\d))"
# Telephone numbers as people write them. A bare row of digits is an order, an article or a location: it stays.
_PHONES = (
    re.compile(r"(?<![\w-])\+\d[\d ()./-]{5,}\d(?![\w-])"),  # +1 (555) 010-9999
    re.compile(r"(?<![\w-])\(\d{2,5}\)[ /-]?\d[\d ./-]{3,}\d(?![\w-])"),  # (555) 010-9999
    re.compile(rf"(?<![\w-]){_DATE}0\d{{1,5}}[ /-]\d[\d ./-]{{3,}}\d(?![\w-])"),  # 030 901820
    re.compile(r"(?<![\w-])\d{3}[-. ]\d{3}[-. ]\d{4}(?![\w-])"),  # 555-010-9999
    re.compile(r"(?i)(?<=phone[ :])[ ]?\d[\d ()./-]{5,}\d(?![\w-])|(?<=tel[.: ])[ ]?\d[\d ()./-]{5,}\d(?![\w-])"),
)


def without_personal_data(text: str, names: Iterable[str] = (), kept: Iterable[str] = ()) -> str:
    """The text without mail addresses, telephone numbers and the customers' own names.

    `kept` are the ticket's business references, which stay even where one looks like a telephone number. Postal
    addresses in free text cannot be told from any other words: the note to the agent shows what was sent.
    """
    references = frozenset(kept)
    cleaned = _MAIL.sub(REMOVED, text)
    for phone in _PHONES:
        cleaned = phone.sub(lambda found: found[0] if found[0] in references else REMOVED, cleaned)
    for name in sorted({name.strip() for name in names if len(name.strip()) > 2}, key=len, reverse=True):
        cleaned = re.sub(rf"(?i)(?<!\w){re.escape(name)}(?!\w)", REMOVED, cleaned)
    return cleaned

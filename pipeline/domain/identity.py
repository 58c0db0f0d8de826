"""Who is who: idempotency keys, the marks that our writes carry, case keys, digests of what people said."""

import base64
import hashlib
import re
import unicodedata
from collections.abc import Iterable
from uuid import UUID, uuid5

from schemas.content import Reference

NAMESPACE = UUID("6f0b7c86-6d55-5a4e-9a51-0f6a1f2f6c1e")
MARK_PATTERN = re.compile(r"\bref ([A-Z2-7]{8})\b")


def delivery_key(*parts: object) -> UUID:
    """UUIDv5 over what makes a delivery unique (change, flow, target, step): the same however often it is routed."""
    return uuid5(NAMESPACE, "delivery:" + "\x1f".join(str(part) for part in parts))


def idem_key(key: UUID, plan_rev: int) -> str:
    """UUIDv5 of (delivery, plan revision): the same for every attempt under one body (decisions D5)."""
    return str(uuid5(key, str(plan_rev)))


def mark_of(key: UUID) -> str:
    """Eight characters of base32 that stand for a delivery at its target, for all its revisions: `ABCD2345`."""
    return base64.b32encode(hashlib.sha256(key.bytes).digest()).decode()[:8]


def marks_in(text: str) -> tuple[str, ...]:
    """The marks written as `ref ABCD2345` in a text."""
    return tuple(MARK_PATTERN.findall(text))


def digest(*parts: str) -> str:
    """SHA-256 (hex) over the parts, each normalised: NFC, blanks folded, ends trimmed."""
    joined = "\x1f".join(normal(part) for part in parts)
    return hashlib.sha256(joined.encode()).hexdigest()


def normal(text: str) -> str:
    """A text as it is compared: Unicode NFC, every run of white space one blank, no blank at the ends."""
    return " ".join(unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode()).split())


def case_key(exception_type: str | None, references: Iterable[Reference], fallback: str) -> str:
    """The case key of flows.md rule 1: claim or chargeback number; (type, PO, line); (type, invoice); interchange;
    else the source object's own id (`fallback`).
    """
    first = {reference.kind: reference for reference in reversed(tuple(references))}
    kind = exception_type or "any"
    for name in ("claim", "chargeback"):
        if name in first:
            return f"claim:{first[name].match_key}"
    if "purchase_order" in first:
        order = first["purchase_order"]
        return f"{kind}:po:{order.match_key}:{(order.line or '').strip().upper()}"
    if "invoice" in first:
        return f"{kind}:invoice:{first['invoice'].match_key}"
    if "interchange" in first:
        return f"interchange:{first['interchange'].match_key}"
    return f"object:{fallback}"

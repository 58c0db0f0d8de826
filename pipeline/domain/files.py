"""What is said of files: names that are safe for whoever stores them, and why the bytes of one are not there."""

from pipeline.domain.reason import Reason
from schemas.content import File, FileState

RESERVED = '<>:"|?*'  # Windows refuses them; two of the three systems run on it or serve people who do
LONGEST = 200  # characters


def safe_name(name: str, *, longest: int = LONGEST) -> str:
    """The last part of a path without control, invisible and reserved characters; its extension survives a cut.

    "file" where nothing is left: `../..`, dots alone, or an empty name.
    """
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(character for character in base if character.isprintable())
    clean = "".join("_" if character in RESERVED else character for character in shown).strip().rstrip(". ")
    if not clean.strip("."):
        return "file"
    if len(clean) <= longest:
        return clean
    stem, dot, extension = clean.rpartition(".")
    if not dot or len(extension) > 16:
        return clean[:longest]
    return f"{stem[: longest - 1 - len(extension)]}.{extension}"


def why_not_copied(file: File, limit: int | None = None) -> str:
    """Why only the file's name is here, for people; "" where its bytes may come. `limit` is the target's, in bytes."""
    if file.state is FileState.QUARANTINED:
        return "It is quarantined at its source and was not copied."
    if file.state is FileState.PENDING_SCAN:
        return "It is still being scanned at its source; it follows."
    if limit is not None and file.size > limit:
        return f"It is larger than this account takes ({limit:,} bytes), so a link stands for it."
    if file.withheld is None:
        return ""
    reason = next((one for one in Reason if one.value == file.withheld), Reason.REJECTED)
    return f"It could not be copied: {reason.sentence} {reason.next_step}"

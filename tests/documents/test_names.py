"""Names of files on their way to somebody else's disk, and the words for bytes that did not come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.files import LONGEST, RESERVED, safe_name, why_not_copied
from pipeline.domain.reason import Reason
from schemas.content import File, FileState


@pytest.mark.parametrize(
    ("given_name", "safe"),
    [
        ("invoice 77.pdf", "invoice 77.pdf"),
        ("../../etc/passwd", "passwd"),
        (r"C:\temp\invoice.pdf", "invoice.pdf"),
        ("a\r\nSet-Cookie: x.pdf", "aSet-Cookie_ x.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ('what "now"?.txt', "what _now__.txt"),
        ("Lieferschein Größe 5.pdf", "Lieferschein Größe 5.pdf"),
        ("..", "file"),
        ("", "file"),
        ("\x00\x01", "file"),
        ("dir/", "file"),
        ("trailing. . ", "trailing"),
    ],
)
def test_names_lose_what_is_dangerous(given_name: str, safe: str) -> None:
    """Given a name with folders, controls, bidirectional tricks or reserved characters, then they are gone."""
    assert safe_name(given_name) == safe


def test_a_long_name_keeps_its_extension() -> None:
    """Given a name longer than anybody stores, when made safe, then it is cut and still says what it is."""
    name = safe_name("a" * 400 + ".pdf")
    assert len(name) == LONGEST
    assert name.endswith("a.pdf")
    assert len(safe_name("no-extension-" * 40)) == LONGEST


@given(st.text())
def test_any_name_becomes_one_that_any_disk_takes(name: str) -> None:
    """Given any text at all, when made safe, then it is short, printable, no path, and stays so a second time."""
    safe = safe_name(name)
    assert 0 < len(safe) <= LONGEST
    assert safe.isprintable()
    assert not set(safe) & set(RESERVED + "/\\")
    assert safe.strip(". ")
    assert safe_name(safe) == safe


@pytest.mark.parametrize(
    ("file", "limit", "words"),
    [
        (File("1", "a", "text/plain", 5), 5, ""),
        (File("1", "a", "text/plain", 6), 5, "larger than this account takes (5 bytes)"),
        (File("1", "a", "text/plain", 5, state=FileState.QUARANTINED), None, "quarantined"),
        (File("1", "a", "text/plain", 5, state=FileState.PENDING_SCAN), None, "being scanned"),
        (File("1", "a", "text/plain", 5, withheld=Reason.CHECKSUM_MISMATCH.value), None, "Upload the file again"),
        (File("1", "a", "text/plain", 5, withheld="from_a_later_version"), None, Reason.REJECTED.sentence),
    ],
)
def test_people_are_told_why_only_a_name_is_there(file: File, limit: int | None, words: str) -> None:
    """Given a file in each state, when its bytes are missing, then a sentence says why and what to do."""
    assert words in why_not_copied(file, limit)
    assert bool(why_not_copied(file, limit)) == bool(words)
